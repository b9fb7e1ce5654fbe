/// Texts of OpenSSH's configuration in which `%` and a letter stand for something.
enum SSHTokens {
    /// The text with its tokens replaced; nil where there is one without a value. `%%` is a percent sign.
    static func expand(_ text: String, _ values: [Character: String]) -> String? {
        var result = ""
        var isToken = false
        for character in text {
            if isToken {
                guard let value = character == "%" ? "%" : values[character] else { return nil }
                result += value
                isToken = false
            } else if character == "%" {
                isToken = true
            } else {
                result.append(character)
            }
        }
        return isToken ? nil : result
    }
}
