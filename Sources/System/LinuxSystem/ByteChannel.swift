/// A two-way stream of bytes to another process, wherever it is, for a loop that waits for many of them.
///
/// Nothing here blocks.
package protocol ByteChannel: AnyObject {
    /// The descriptor to watch: for reading always, for writing as long as ``wantsToWrite``. Changes never; -1 once
    /// closed.
    var descriptor: Int32 { get }

    /// Whether what was to be sent could not go for want of room in the descriptor.
    var wantsToWrite: Bool { get }

    /// Whether bytes may be ready that ``descriptor`` does not tell of: then whoever is told that it is readable reads
    /// until there is nothing more, and looks at ``wantsToWrite`` after reading too.
    var hidesBytes: Bool { get }

    /// Takes bytes that came.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult

    /// Sends bytes; how many of them were taken is the result.
    func write(_ bytes: UnsafeRawBufferPointer) -> TransferResult

    /// Ends both ways. The other end sees the end of its input.
    func close()
}
