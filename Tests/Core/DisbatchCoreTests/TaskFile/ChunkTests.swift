import DisbatchCore
import Testing

/// What is read must not depend on where the file's bytes were cut into appends.
@Suite struct ChunkTests {
    static let files = [
        """
        #DISBATCH PREFIX p\u{20}
        #DISBATCH PERENGINE START s\r
        # comment

        echo one\r
          #x
        #DISBATCH REPEAT 2 start 5 é
        #DISBATCH BARRIER CHECK key
        echo \u{00E9}日 last
        """,
        "a\r\n\r\n\r\r\nb\r", "\n", "echo\n#DISBATCH REPAT 3\nnever\n", "a\nbc\0d\0\nnever", "#DISBATCH", "#", "\r\n",
    ]

    @Test(arguments: files)
    func everySplitInTwoReadsTheSame(file: String) {
        let bytes = Array(file.utf8)
        let whole = read(chunks: [bytes])
        for cut in 0...bytes.count {
            let split = read(chunks: [Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(split == whole, "cut at \(cut)")
        }
        #expect(read(chunks: bytes.map { [$0] }) == whole, "cut everywhere")
    }

    /// Random lines, joined, read in random chunks with a random number of items between, come back as they were.
    @Test(arguments: 0..<20)
    func randomLinesComeBack(round: Int) throws {
        var random = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [0x01, 0x09, 0x0B, 0x20, 0x23, 0x2E, 0x41, 0x61, 0x8A, 0xFF]
        var lines: [[UInt8]] = []
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            let length = Int.random(in: 0...40, using: &random)
            // A first byte that makes it a task, and none that a line feed would drop.
            lines.append([0x65] + (0..<length).map { _ in alphabet.randomElement(using: &random) ?? 0x61 })
        }
        let file = Array(lines.joined(separator: [0x0A]))
        var reader = TaskFileReader(name: "Tasks")
        var commands: [[UInt8]] = []
        var offset = 0
        while !reader.isAtEnd {
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                guard case .task(let spec)? = try reader.next() else { break }
                #expect(spec.id.rawValue == commands.count && spec.streamIndex == commands.count + 1)
                commands.append(spec.command)
            }
            let end = min(file.count, offset + Int.random(in: 0...50, using: &random))
            if offset < file.count { reader.append(file[offset..<end]) } else { reader.finish() }
            offset = end
        }
        #expect(commands == lines, "round \(round)")
    }

    @Test func aGiantLineComesInManyChunks() {
        var reader = TaskFileReader(name: "Tasks")
        var reading = Reading()
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
        reader.append("first\n".utf8)
        for _ in 0..<64 {
            reader.append(chunk)
            _ = reader.drain(into: &reading)
        }
        #expect(reading.commands == ["first"])
        #expect(reader.bufferedBytes == 4 << 20)
        reader.append("\nlast".utf8)
        reader.finish()
        _ = reader.drain(into: &reading)
        #expect(reading.error == nil)
        #expect(reading.tasks.map(\.command.count) == [5, 4 << 20, 4])
        #expect(reading.tasks.map(\.streamIndex) == [1, 2, 3])
    }
}
