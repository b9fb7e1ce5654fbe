import Foundation

/// The path of a program that is installed here.
func program(_ name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
}

/// What a program writes to standard output and standard error.
func run(_ words: [String], input: String = "") throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: words[0])
    process.arguments = Array(words.dropFirst())
    let (out, standardInput) = (Pipe(), Pipe())
    process.standardOutput = out
    process.standardError = out
    process.standardInput = standardInput
    try process.run()
    // Scripts are longer than what a pipe holds only if the program stopped reading, and then it has ended.
    try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try standardInput.fileHandleForWriting.close()
    let output = try out.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
}
