/// Reads one line that begins with `#DISBATCH`, as disBatch's regular expressions do, but takes nothing that does
/// not match in full: disBatch logs some of that and passes over it, and runs some as a task.
struct DirectiveParser {
    private let line: [UInt8]
    /// The first byte not yet understood.
    private var offset = Directive.nameColumn

    /// The directive on `line`, which begins with ``Directive/mark``.
    static func parse(_ line: [UInt8]) throws(DirectiveError) -> Directive {
        var parser = DirectiveParser(line: line)
        return try parser.directive()
    }

    private init(line: [UInt8]) { self.line = line }

    private mutating func directive() throws(DirectiveError) -> Directive {
        switch try name() {
        case .prefix: return .prefix(try text(after: "PREFIX") ?? [])
        case .suffix: return .suffix(try text(after: "SUFFIX") ?? [])
        case .repetition: return .repetition(try repetition())
        case .barrier: return try barrier()
        case .perEngine: return try perEngine()
        }
    }

    private mutating func name() throws(DirectiveError) -> Directive.Name {
        let mark = Directive.mark.count
        let hasSpace = line.count > mark && line[mark] == Byte.space
        guard hasSpace, line.count > offset, !Byte.isBlank(line[offset]) else {
            let message = "expected one space and a directive after #DISBATCH"
            throw DirectiveError(message: message, column: hasSpace ? offset : mark)
        }
        let word = takeWord()
        let upper = word.map(Byte.uppercased)
        if let name = Directive.Name(rawValue: String(decoding: upper, as: UTF8.self)) { return name }
        var message = "unknown directive \(LineExcerpt.quoted(word))"
        let nearest =
            upper.elementsEqual("PERNODE".utf8) ? "PERENGINE START" : Directive.Name.nearest(to: upper)?.rawValue
        if let nearest { message += " (did you mean \(nearest)?)" }
        throw DirectiveError(message: message, column: Directive.nameColumn)
    }

    /// `BARRIER [CHECK] [key]`, one space before each. A check that is not made loses work, so what disBatch takes
    /// for a key after a second space, or for a CHECK with something glued to it, is an error.
    private mutating func barrier() throws(DirectiveError) -> Directive {
        guard let text = try text(after: "BARRIER") else { return .barrier(checks: false, key: nil) }
        let column = line.count - text.count
        let check = Array("CHECK".utf8)
        offset = skippingBlanks(from: column)
        let isIndented = offset > column
        let word = takeWord()
        if !isIndented, word.starts(with: check), word.count > check.count {
            throw DirectiveError(message: "expected one space after CHECK", column: column + check.count)
        }
        guard word.map(Byte.uppercased) == check else { return .barrier(checks: false, key: key(text)) }
        if isIndented { throw DirectiveError(message: "expected one space before CHECK", column: column) }
        return .barrier(checks: true, key: key(try self.text(after: "CHECK") ?? []))
    }

    private func key(_ text: [UInt8]) -> [UInt8]? { text.allSatisfy(Byte.isBlank) ? nil : text }

    /// `PERENGINE START|STOP command`, one space before each.
    private mutating func perEngine() throws(DirectiveError) -> Directive {
        let missing = "expected one space and START or STOP after PERENGINE"
        guard offset < line.count, line[offset] == Byte.space else {
            throw DirectiveError(message: missing, column: offset)
        }
        offset += 1
        let column = offset
        let name: String
        let phase: PerEnginePhase
        switch String(decoding: takeWord().map(Byte.uppercased), as: UTF8.self) {
        case "START": (name, phase) = ("START", .start)
        case "STOP": (name, phase) = ("STOP", .stop)
        default: throw DirectiveError(message: missing, column: column)
        }
        guard let command = try text(after: name) else {
            let message = "expected one space and a command after PERENGINE \(name)"
            throw DirectiveError(message: message, column: offset)
        }
        return .perEngine(phase, command: command)
    }

    /// The bytes up to the next blank.
    private mutating func takeWord() -> ArraySlice<UInt8> {
        let word = line[offset...].prefix { !Byte.isBlank($0) }
        offset = word.endIndex
        return word
    }

    /// The text after one space, as it stands, trailing blanks included; nil at the end of the line.
    private func text(after word: String) throws(DirectiveError) -> [UInt8]? {
        guard offset < line.count else { return nil }
        guard line[offset] == Byte.space else {
            throw DirectiveError(message: "expected one space after \(word)", column: offset)
        }
        return Array(line[(offset + 1)...])
    }
}

// `REPEAT n [start s] [step t] [command]`: any blanks between the words, exactly one space before the command. As in
// disBatch, a start or step without a number is the beginning of the command.
extension DirectiveParser {
    private mutating func repetition() throws(DirectiveError) -> Directive.Repetition {
        guard let count = digits(from: skippingBlanks(from: offset)) else {
            let message = "expected the number of tasks after REPEAT"
            throw DirectiveError(message: message, column: skippingBlanks(from: offset))
        }
        // The longest reading that leaves a command.
        var readings: [(first: Range<Int>?, step: Range<Int>?)]
        if let start = option("START", from: count.upperBound) {
            readings = [(start, option("STEP", from: start.upperBound)), (start, nil)]
        } else {
            readings = [(nil, option("STEP", from: count.upperBound))]
        }
        readings.append((nil, nil))
        for (first, step) in readings {
            guard let command = command(from: (step ?? first ?? count).upperBound) else { continue }
            return try repetition(count: count, first: first, step: step, command: command)
        }
        let message = "expected one space and the command after the number"
        throw DirectiveError(message: message, column: count.upperBound)
    }

    private func repetition(
        count: Range<Int>, first: Range<Int>?, step: Range<Int>?, command: [UInt8]
    ) throws(DirectiveError) -> Directive.Repetition {
        var result = Directive.Repetition(count: try number(count), command: command, countColumn: count.lowerBound)
        if let first { result.first = try number(first) }
        if let step { result.step = try number(step) }
        guard result.count > 0 else { return result }
        let (span, overflow) = (result.count - 1).multipliedReportingOverflow(by: result.step)
        if overflow || span.addingReportingOverflow(result.first).overflow {
            throw DirectiveError(message: "the last repeat index is more than \(Int.max)", column: count.lowerBound)
        }
        return result
    }

    /// Where the number of `blanks word blanks number` stands, if that is what comes.
    private func option(_ word: String, from begin: Int) -> Range<Int>? {
        let wordStart = skippingBlanks(from: begin)
        let wordEnd = min(wordStart + word.utf8.count, line.count)
        guard wordStart > begin, line[wordStart..<wordEnd].map(Byte.uppercased) == Array(word.utf8) else { return nil }
        let numberStart = skippingBlanks(from: wordEnd)
        return numberStart > wordEnd ? digits(from: numberStart) : nil
    }

    /// The command after one space; empty if only blanks are left; nil where there is no such space.
    private func command(from begin: Int) -> [UInt8]? {
        let rest = line[begin...]
        if rest.count > 1, rest[begin] == Byte.space { return Array(rest.dropFirst()) }
        return rest.allSatisfy(Byte.isBlank) ? [] : nil
    }

    private func skippingBlanks(from begin: Int) -> Int {
        line[begin...].firstIndex { !Byte.isBlank($0) } ?? line.count
    }

    private func digits(from begin: Int) -> Range<Int>? {
        let end = line[begin...].firstIndex { !Byte.isDigit($0) } ?? line.count
        return end > begin ? begin..<end : nil
    }

    private func number(_ digits: Range<Int>) throws(DirectiveError) -> Int {
        var value = 0
        for byte in line[digits] {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            if overflow || carried {
                throw DirectiveError(message: "number larger than \(Int.max)", column: digits.lowerBound)
            }
            value = sum
        }
        return value
    }
}
