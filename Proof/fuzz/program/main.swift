import CFuzzer
import Glibc

/// What is fuzzed: one input is one call of `run`, which takes the program down where something does not hold.
struct FuzzTarget {
    var name: String
    var run: (inout FuzzInput) -> Void
}

nonisolated(unsafe) private let targets = [
    FuzzTarget(name: "taskfile", run: TaskFileFuzz.run),
    FuzzTarget(name: "statusfile", run: StatusFileFuzz.run),
    FuzzTarget(name: "frames", run: FramesFuzz.run),
    FuzzTarget(name: "options", run: OptionsFuzz.run),
    FuzzTarget(name: "ini", run: INIFuzz.run),
    FuzzTarget(name: "json", run: JSONFuzz.run),
    FuzzTarget(name: "handshake", run: HandshakeFuzz.run),
    FuzzTarget(name: "link", run: LinkFuzz.run),
    FuzzTarget(name: "session", run: SessionFuzz.run),
]

/// The target that this process fuzzes.
nonisolated(unsafe) private var chosen = targets[0]

/// `fuzz TARGET [OPTIONS OF LIBFUZZER] [FOLDERS AND FILES]`; without arguments it prints the targets.
func fuzz() -> Int32 {
    var words = CommandLine.arguments
    guard words.count > 1 else {
        for target in targets { print(target.name) }
        return 0
    }
    guard let target = targets.first(where: { $0.name == words[1] }) else {
        print("fuzz: there is no target \(words[1]); without arguments the targets are printed")
        return 2
    }
    chosen = target
    signal(SIGPIPE, SIG_IGN)
    words.remove(at: 1)
    var count = Int32(words.count)
    let copies = words.map { strdup($0) } + [nil]
    return copies.withUnsafeBufferPointer { copies in
        var list = UnsafeMutablePointer(mutating: copies.baseAddress)
        return LLVMFuzzerRunDriver(&count, &list, tryInput)
    }
}

private func tryInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var input = FuzzInput(Array(UnsafeBufferPointer(start: bytes, count: count)))
    chosen.run(&input)
    return 0
}

exit(fuzz())
