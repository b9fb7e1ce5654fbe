/// The engines of a run, and which of them can take a task.
///
/// Finding an engine never means looking at all of them. Engines that may have idle slots, may take tasks ahead, may
/// have waiting ones or may be idle as a whole are in rings, and are looked at again when they are taken out.
/// ``settle(_:)`` puts an engine into the rings that it belongs to, after every change.
struct EnginePool: Sendable {
    private(set) var engines: [EngineState] = []
    /// Idle slots of all engines.
    private(set) var idleSlots = 0
    private(set) var acceptingCount = 0
    private(set) var liveCount = 0
    /// Indices of the engines that were live when ``live()`` was asked last, and of those added since.
    private var liveIndices: [Int] = []
    /// Tasks that were asked back from all engines and not answered for yet.
    private(set) var recallsPending = 0
    /// Whether the last engine to go had been told to.
    var lastLeftInOrder = false
    /// Whether an engine may have come to be idle as a whole, or there may be nothing left for those that are.
    var mayHaveIdle = false
    /// Tasks that succeeded, for ``noteHealth(of:_:limit:)``.
    var successes = 0
    /// Looks at engines that an event was not about: their number per event must not grow with the number of engines.
    private(set) var looks = 0

    private var idleRing = RingBuffer<Int>()
    private var hungryRing = RingBuffer<Int>()
    private var aheadRing = RingBuffer<Int>()
    private var restRing = RingBuffer<Int>()

    // MARK: Engines

    subscript(index: Int) -> EngineState {
        get { engines[index] }
        _modify { yield &engines[index] }
    }

    /// The index of an engine that was launched.
    func index(of engine: EngineID) -> Int? {
        engines.indices.contains(engine.rawValue) ? engine.rawValue : nil
    }

    /// The indices of all engines, to look at each.
    mutating func all() -> Range<Int> {
        looks += engines.count
        return engines.indices
    }

    /// The indices of the engines that may still be heard of, to look at each.
    mutating func live() -> [Int] {
        liveIndices.removeAll { !engines[$0].isLive }
        looks += liveIndices.count
        return liveIndices
    }

    /// Adds an engine that was launched. Returns its index.
    mutating func add(_ engine: EngineState) -> Int {
        let index = engine.id.rawValue
        precondition(index == engines.count, "engines are launched in the order of their ranks")
        engines.append(engine)
        liveIndices.append(index)
        liveCount += 1
        return index
    }

    /// Moves an engine on in its life and keeps the counts that follow from it.
    mutating func setLife(_ life: EngineLife, of index: Int) {
        let before = engines[index]
        engines[index].life = life
        countChange(from: before, at: index)
    }

    /// Notes whether an engine is heard of.
    mutating func setHearing(_ hearing: EngineHearing, of index: Int) {
        guard engines[index].hearing != .cutOff, engines[index].hearing != hearing else { return }
        let before = engines[index]
        engines[index].hearing = hearing
        countChange(from: before, at: index)
    }

    private mutating func countChange(from before: EngineState, at index: Int) {
        let after = engines[index]
        if before.accepts != after.accepts { acceptingCount += after.accepts ? 1 : -1 }
        if before.isLive != after.isLive { liveCount += after.isLive ? 1 : -1 }
        if !after.isLive || after.hearing != .answering { recallAnswered(by: index) }
        settle(index)
    }

    /// Brings an engine's idle slots into the sum, and the engine into the rings it belongs to.
    mutating func settle(_ index: Int) {
        // An engine's state is large: it is asked, not copied.
        let idle = engines[index].idleSlots
        idleSlots += idle - engines[index].countedIdle
        engines[index].countedIdle = idle
        if idle > 0 {
            if engines[index].assigned.count == 0 { noteAtRest(index) }
            if !engines[index].rings.contains(.idle) {
                engines[index].rings.insert(.idle)
                idleRing.append(index)
            }
        } else if !engines[index].rings.contains(.hungry), engines[index].wantsMore {
            engines[index].rings.insert(.hungry)
            hungryRing.append(index)
        }
        if !engines[index].rings.contains(.ahead), engines[index].hasRecallable {
            engines[index].rings.insert(.ahead)
            aheadRing.append(index)
        }
    }

    // MARK: Engines that can take a task

    /// Takes the next engine with an idle slot out of its ring; ``putBackIdle(_:)`` puts it behind the others. Engines
    /// that have none any more drop out.
    ///
    /// - Parameter passedOver: how many engines in a row could be given nothing: nil when that is all of them.
    mutating func takeIdle(passedOver: Int) -> Int? {
        while passedOver < idleRing.count, let index = idleRing.popFirst() {
            looks += 1
            if engines[index].idleSlots > 0 { return index }
            engines[index].rings.remove(.idle)
            settle(index)
        }
        return nil
    }

    mutating func putBackIdle(_ index: Int) { idleRing.append(index) }

    /// Takes the next engine out of its ring that may be given a task beyond its slots, as ``takeIdle(passedOver:)``
    /// does. (Two functions, not one over key paths: those cost more than all the rest.)
    mutating func takeHungry(passedOver: Int) -> Int? {
        while passedOver < hungryRing.count, let index = hungryRing.popFirst() {
            looks += 1
            if engines[index].wantsMore { return index }
            engines[index].rings.remove(.hungry)
        }
        return nil
    }

    mutating func putBackHungry(_ index: Int) { hungryRing.append(index) }

    // MARK: Engines that can give tasks back

    /// Whether no engine may have tasks to give back, and none is giving any back.
    var hasNothingToRecall: Bool { recallsPending == 0 && aheadRing.isEmpty }

    /// The next engine on which tasks wait while another has an idle slot, and how many to ask back. An engine that was
    /// asked comes back to the ring with its answer.
    mutating func nextToRecall() -> (index: Int, count: Int)? {
        while idleSlots > recallsPending, let index = aheadRing.popFirst() {
            looks += 1
            engines[index].rings.remove(.ahead)
            guard engines[index].hasRecallable else { continue }
            return (index, min(engines[index].waitingCount, idleSlots - recallsPending))
        }
        return nil
    }

    /// Notes that tasks are asked back. Where some are being asked back already, the first answer counts for both.
    mutating func recalled(_ count: Int, from index: Int) {
        recallsPending += count - engines[index].recallPending
        engines[index].recallPending = count
    }

    /// Notes that an engine gave back what it was asked for, or never will.
    mutating func recallAnswered(by index: Int) {
        recallsPending -= engines[index].recallPending
        engines[index].recallPending = 0
    }

    // MARK: Engines that are idle as a whole

    /// Notes that an engine has no assignment.
    mutating func noteAtRest(_ index: Int) {
        mayHaveIdle = true
        guard !engines[index].rings.contains(.rest) else { return }
        engines[index].rings.insert(.rest)
        restRing.append(index)
    }

    /// The engine that has been in the ring for longest among those that had no assignment when they were settled last.
    mutating func firstAtRest() -> Int? {
        guard let index = restRing.first else { return nil }
        looks += 1
        return index
    }

    /// Takes the engine of ``firstAtRest()`` out of the ring.
    mutating func dropFirstAtRest() {
        if let index = restRing.popFirst() { engines[index].rings.remove(.rest) }
    }

    // MARK: Invariants

    /// The first ring, or nil, that has other engines than those whose flags say that they are in it.
    func checkRings() -> String? {
        let rings: [(name: String, count: Int, ring: EngineRings)] = [
            ("idle", idleRing.count, .idle), ("hungry", hungryRing.count, .hungry),
            ("ahead", aheadRing.count, .ahead), ("rest", restRing.count, .rest),
        ]
        for ring in rings {
            let flagged = engines.count { $0.rings.contains(ring.ring) }
            if flagged != ring.count {
                return "\(flagged) engines are in the \(ring.name) ring, which has \(ring.count)"
            }
        }
        return nil
    }
}
