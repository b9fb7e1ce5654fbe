extension String {
    /// Without blanks and line ends around it.
    var trimmed: String {
        String(trimmingPrefix(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
