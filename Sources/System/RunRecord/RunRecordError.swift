internal import Glibc

/// Why there is no run record, or why it stops short of its run. The run itself goes on.
package struct RunRecordError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The obstacle.
    package enum Reason: Equatable, Sendable {
        /// The file is there, and the run was not to append to it.
        case exists
        /// The file is there and is no run record, or one of another version of this program.
        case notARunRecord
        /// The file can't be made or opened: an errno value.
        case unusable(Int32)
        /// SQLite gave up, such as at a full disk.
        case sqlite(SQLiteError)
        /// Another process held a lock to the end, and this many entries were not written.
        case locked(unwritten: Int)
        /// The file system answered too slowly to wait for at the end.
        case tooSlow
        /// No thread could be started: an errno value.
        case noThread(Int32)
    }

    package var path: String
    package var reason: Reason

    package var description: String {
        switch reason {
        case .exists: return "run record \(path): it exists already"
        case .notARunRecord: return "run record \(path): not a run record of this version"
        case .unusable(let code): return "run record \(path): \(String(cString: strerror(code)))"
        case .sqlite(let error): return "run record \(path): \(error)"
        case .locked(let count): return "run record \(path): locked by a reader; \(count) entries not written"
        case .tooSlow: return "run record \(path): the file system does not answer; its end may be missing"
        case .noThread(let code): return "run record \(path): can't start a thread: \(String(cString: strerror(code)))"
        }
    }
}

extension RunRecordError {
    /// Whether the record may be written later, though not now.
    var mayPass: Bool {
        switch reason {
        case .exists, .notARunRecord, .noThread, .tooSlow: false
        case .unusable, .sqlite, .locked: true
        }
    }
}
