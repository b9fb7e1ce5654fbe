/// Things to come, the earliest first; of those at the same time, the one that was added first.
struct TimedQueue<Element> {
    private struct Entry {
        var time: Int64
        var number: UInt64
        var place: Int
    }

    /// A binary heap of small entries; what they stand for lies in `elements` and doesn't move.
    private var heap: [Entry] = []
    private var elements: [Element?] = []
    private var freePlaces: [Int] = []
    private var added: UInt64 = 0

    var count: Int { heap.count }

    mutating func add(_ element: Element, at time: Int64) {
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            elements[place] = element
        } else {
            place = elements.count
            elements.append(element)
        }
        heap.append(Entry(time: time, number: added, place: place))
        added += 1
        rise(heap.count - 1)
    }

    mutating func popFirst() -> (time: Int64, element: Element)? {
        guard let first = heap.first, let element = elements[first.place].take() else { return nil }
        freePlaces.append(first.place)
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink(0)
        }
        return (first.time, element)
    }

    private func precedes(_ left: Entry, _ right: Entry) -> Bool {
        left.time != right.time ? left.time < right.time : left.number < right.number
    }

    private mutating func rise(_ start: Int) {
        var place = start
        let entry = heap[place]
        while place > 0, precedes(entry, heap[(place - 1) / 2]) {
            heap[place] = heap[(place - 1) / 2]
            place = (place - 1) / 2
        }
        heap[place] = entry
    }

    private mutating func sink(_ start: Int) {
        var place = start
        let entry = heap[place]
        while 2 * place + 1 < heap.count {
            var child = 2 * place + 1
            if child + 1 < heap.count, precedes(heap[child + 1], heap[child]) { child += 1 }
            guard precedes(heap[child], entry) else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = entry
    }
}
