import DisbatchCore
import LinuxSystem

/// Reads items from the run's source when the scheduler wants some, and watches a stream for more.
final class TaskSourceReader {
    private let feed: TaskFeed
    private let poll: EventPoll
    private var isWatched = false
    /// Whether the source can be read at any time: a regular file, and whatever else epoll can't watch.
    private var isAlwaysReady: Bool
    /// Whether the scheduler waits for items.
    private(set) var isWanted = false
    /// Whether there has been anything to do.
    private(set) var hadItems = false
    /// Whether a line of a stream could not be understood.
    private(set) var isBroken = false

    init(_ feed: TaskFeed, _ poll: EventPoll) {
        self.feed = feed
        self.poll = poll
        isAlwaysReady = feed.isRegular
    }

    /// Whether to read in this turn, without waiting.
    var readsNow: Bool { isWanted && isAlwaysReady }

    /// Notes that items are wanted. True if they are to be read at once.
    func want() -> Bool {
        isWanted = true
        return !isAlwaysReady
    }

    /// The next items, if any are wanted; nil where none are there yet, and the stream is watched.
    func read() -> TaskFeed.Batch? {
        guard isWanted else { return nil }
        let batch = feed.next(2048)
        let isEmpty = batch.items.isEmpty && batch.end == nil
        isWanted = isEmpty
        watch(isEmpty)
        hadItems = hadItems || !batch.items.isEmpty
        isBroken = isBroken || batch.error != nil
        return batch
    }

    private func watch(_ watch: Bool) {
        guard watch != isWatched, !isAlwaysReady else { return }
        if !watch {
            poll.remove(feed.descriptor)
            isWatched = false
        } else if (try? poll.add(feed.descriptor, token: Driver.Token.source.rawValue)) != nil {
            isWatched = true
        } else {
            isAlwaysReady = true
        }
    }
}
