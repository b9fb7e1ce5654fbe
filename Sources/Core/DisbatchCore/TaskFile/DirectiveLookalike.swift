/// Comments that are all but directives: disBatch passes over `#Disbatch BARRIER`, and later tasks start too early.
enum DirectiveLookalike {
    /// Why a comment is taken for a directive that its writer got wrong; nil for a comment.
    static func error(in comment: ArraySlice<UInt8>) -> DirectiveError? {
        let afterBlanks = comment.drop(while: Byte.isBlank)
        guard afterBlanks.first == Byte.hash else { return nil }
        let afterHash = afterBlanks.dropFirst().drop(while: Byte.isBlank)
        let word = Directive.mark.dropFirst()
        guard afterHash.prefix(word.count).elementsEqual(word, by: { Byte.uppercased($0) == $1 }) else { return nil }
        let rest = afterHash.dropFirst(word.count)
        guard let blank = rest.first, Byte.isBlank(blank) else { return nil }
        let isShouted = afterHash.prefix(word.count).elementsEqual(word)
        guard isMeant(rest.drop(while: Byte.isBlank), isShouted: isShouted) else { return nil }
        return DirectiveError(
            message: "a directive begins with #DISBATCH, in upper case and at the beginning of the line",
            column: afterBlanks.startIndex - comment.startIndex)
    }

    /// Whether what follows is a directive, and not prose that happens to begin like one.
    ///
    /// - Parameter isShouted: whether the mark before it is in upper case.
    private static func isMeant(_ text: ArraySlice<UInt8>, isShouted: Bool) -> Bool {
        let first = text.prefix { !Byte.isBlank($0) }
        guard let name = Directive.Name(rawValue: String(decoding: first.map(Byte.uppercased), as: UTF8.self)) else {
            return false
        }
        let takesAnything = name == .prefix || name == .suffix
        if first.elementsEqual(name.rawValue.utf8), isShouted || !takesAnything { return true }
        guard let directive = try? DirectiveParser.parse(Directive.mark + [Byte.space] + text) else { return false }
        return switch directive {
        case .prefix, .suffix: false
        case .barrier(_, let key): key.map { !$0.contains(where: Byte.isBlank) } ?? true
        case .repetition, .perEngine: true
        }
    }
}
