/// Command lines that need no shell: an engine executes them itself, as make does, since nothing can differ.
package struct SimpleCommand: Sendable {
    /// Words that bash would run itself: its builtins and reserved words (bash 5.2, `compgen -b` and `compgen -k`, and
    /// the optional ones of other versions).
    static let shellWords: Set<[UInt8]> = Set(
        """
        . : [ alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs disown echo
        enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd
        printf pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type
        typeset ulimit umask unalias unset wait if then else elif fi case esac for select while until do done in
        function time { } ! [[ ]] coproc
        """.split(whereSeparator: \.isWhitespace).map { Array($0.utf8) })

    /// Variables that make bash behave otherwise before or while it runs a plain command, or that it sets anew each
    /// time.
    private static let shellVariables: Set<[UInt8]> = Set(
        [
            "BASH_ENV", "SHELLOPTS", "BASHOPTS", "BASH_COMPAT", "POSIXLY_CORRECT", "EXECIGNORE", "SECONDS",
            "EPOCHSECONDS", "EPOCHREALTIME",
        ].map { Array($0.utf8) })

    /// Which bytes a simple word may hold: letters, digits and `_./,:@%+=-`.
    private static let wordBytes: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for byte in UInt8(ascii: "a")...UInt8(ascii: "z") { table[Int(byte)] = true }
        for byte in UInt8(ascii: "A")...UInt8(ascii: "Z") { table[Int(byte)] = true }
        for byte in UInt8(ascii: "0")...UInt8(ascii: "9") { table[Int(byte)] = true }
        for byte in "_./,:@%+=-".utf8 { table[Int(byte)] = true }
        return table
    }()

    /// Names of functions that the environment exports to bash.
    private let functions: Set<[UInt8]>
    /// The directories of PATH; empty where simple commands are not to be started directly.
    private let path: [[UInt8]]
    private let isOff: Bool

    /// - Parameters:
    ///   - environment: of the tasks.
    ///   - isOff: `--shell always`.
    package init(environment: [[UInt8]], isOff: Bool) {
        let names = Set(environment.compactMap(TaskEnvironment.name(of:)))
        let path = TaskEnvironment.value(of: "PATH", in: environment) ?? []
        let directories = path.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        // A relative directory, or none, means the working directory: left to bash.
        let isPlain = !path.isEmpty && directories.allSatisfy { $0.first == UInt8(ascii: "/") }
        self.isOff = isOff || !isPlain || !names.isDisjoint(with: Self.shellVariables)
        self.path = directories.map(Array.init)
        let start = Array("BASH_FUNC_".utf8)
        functions = Set(
            names.filter { $0.starts(with: start) }.map { name in
                Array(name[start.count...].prefix { $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "(") })
            })
    }

    /// The words of a command line that needs no shell, as places in it; nil for any other line.
    package func words(of command: [UInt8]) -> [Range<Int>]? {
        guard !isOff else { return nil }
        var words: [Range<Int>] = []
        var start = 0
        for (place, byte) in command.enumerated() {
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                if place > start { words.append(start..<place) }
                start = place + 1
            } else if !Self.wordBytes[Int(byte)] {
                return nil
            }
        }
        if command.count > start { words.append(start..<command.count) }
        guard let first = words.first, isProgram(command[first]) else { return nil }
        return words
    }

    /// Files that a program's name may mean, in the order in which bash looks.
    package func candidates(for name: ArraySlice<UInt8>) -> [[UInt8]] {
        if name.contains(UInt8(ascii: "/")) { return [Array(name)] }
        return path.map { $0 + ($0.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]) + name }
    }

    /// Whether a first word can only be the name of a program.
    private func isProgram(_ word: ArraySlice<UInt8>) -> Bool {
        if word.contains(UInt8(ascii: "=")) || word.first == UInt8(ascii: "%") { return false }
        let name = Array(word)
        return !Self.shellWords.contains(name) && !functions.contains(name)
    }
}
