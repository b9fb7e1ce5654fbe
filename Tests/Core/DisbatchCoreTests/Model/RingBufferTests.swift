import Testing

@testable import DisbatchCore

struct RingBufferTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func doesWhatAnArrayDoes(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        var ring = RingBuffer<Int>()
        var array: [Int] = []
        // Some runs grow, some stay around the first size, so that the ring wraps.
        let growth = Int.random(in: 4...7, using: &numbers)
        for step in 0..<2000 {
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0..<growth - 1:
                ring.append(step)
                array.append(step)
            case growth - 1:
                ring.prepend(step)
                array.insert(step, at: 0)
            case 7: #expect(ring.popLast() == array.popLast())
            case 8 where !array.isEmpty:
                let place = Int.random(in: 0..<array.count, using: &numbers)
                #expect(ring.remove(at: place) == array.remove(at: place))
            default: #expect(ring.popFirst() == (array.isEmpty ? nil : array.removeFirst()))
            }
            #expect(ring.count == array.count)
            #expect(ring.first == array.first)
            #expect(ring.isEmpty == array.isEmpty)
            let isSame = array.indices.allSatisfy { ring[$0] == array[$0] }
            #expect(isSame, "seed \(seed), step \(step)")
        }
        ring.removeAll()
        #expect(ring.isEmpty && ring.first == nil && ring.popLast() == nil)
    }

    /// What was taken out is not kept alive by its place.
    @Test func elementsAreLetGo() {
        final class Thing {}
        var ring = RingBuffer<Thing>()
        weak var first: Thing?
        weak var last: Thing?
        weak var middle: Thing?
        do {
            let things = [Thing(), Thing(), Thing()]
            (first, middle, last) = (things[0], things[1], things[2])
            for thing in things { ring.append(thing) }
        }
        _ = ring.remove(at: 1)
        #expect(middle == nil)
        _ = ring.popFirst()
        #expect(first == nil)
        _ = ring.popLast()
        #expect(last == nil)
    }
}
