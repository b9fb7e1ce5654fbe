/// A queue that grows: first in, first out, with room at the front for what comes back.
package struct RingBuffer<Element> {
    private var storage: [Element?]
    private var head = 0
    package private(set) var count = 0

    package init() { storage = Array(repeating: nil, count: 16) }

    package var isEmpty: Bool { count == 0 }

    /// The oldest element.
    package var first: Element? { count == 0 ? nil : storage[head] }

    /// Whether there is an oldest element that satisfies a condition, without a copy of it.
    package func firstSatisfies(_ condition: (Element) -> Bool) -> Bool {
        guard count > 0, let element = storage[head] else { return false }
        return condition(element)
    }

    /// Puts an element behind the latest.
    package mutating func append(_ element: Element) {
        growIfFull()
        storage[(head + count) & (storage.count - 1)] = element
        count += 1
    }

    /// Puts an element before the oldest.
    package mutating func prepend(_ element: Element) {
        growIfFull()
        head = (head - 1) & (storage.count - 1)
        storage[head] = element
        count += 1
    }

    /// Takes the oldest element out.
    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = storage[head].take()
        head = (head + 1) & (storage.count - 1)
        count -= 1
        return element
    }

    /// Takes the latest element out.
    package mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        count -= 1
        return storage[(head + count) & (storage.count - 1)].take()
    }

    /// Empties the ring, and lets its memory go.
    package mutating func removeAll() {
        self = RingBuffer()
    }

    /// The element `offset` places behind the oldest.
    package subscript(offset: Int) -> Element {
        precondition(offset >= 0 && offset < count, "the ring holds \(count) elements, asked for \(offset)")
        // Every place between head and count holds an element.
        return storage[(head + offset) & (storage.count - 1)]!
    }

    /// Takes out the element `offset` places behind the oldest; the ones before it keep their order.
    package mutating func remove(at offset: Int) -> Element {
        let element = self[offset]
        let mask = storage.count - 1
        for place in stride(from: offset, to: 0, by: -1) {
            storage[(head + place) & mask] = storage[(head + place - 1) & mask]
        }
        storage[head] = nil
        head = (head + 1) & mask
        count -= 1
        return element
    }

    private mutating func growIfFull() {
        guard count == storage.count else { return }
        var larger = [Element?](repeating: nil, count: storage.count * 2)
        for offset in 0..<count {
            larger[offset] = storage[(head + offset) & (storage.count - 1)].take()
        }
        storage = larger
        head = 0
    }
}

extension RingBuffer: Sendable where Element: Sendable {}
