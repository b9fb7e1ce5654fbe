/// A two-way stream of bytes to another process, wherever it is, for a loop that waits for many of them.
///
/// Nothing here blocks. Bytes may be ready that ``descriptor`` does not tell of, so whoever is told that it is readable
/// reads until there is nothing more.
package protocol ByteChannel: AnyObject {
    /// What to watch: for reading always, for writing as long as ``wantsToWrite``. Changes never; -1 once closed.
    var descriptor: Int32 { get }

    /// Whether a read or write could not go on for want of room in the descriptor.
    var wantsToWrite: Bool { get }

    /// Takes bytes that came.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult

    /// Sends bytes; how many of them were taken is the result.
    func write(_ bytes: UnsafeRawBufferPointer) -> TransferResult

    /// Ends both ways. The other end sees the end of its input.
    func close()
}
