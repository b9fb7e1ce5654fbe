/// For zsh, to be sourced, or put as `_<program>` into a directory of fpath.
func zshCompletion(for table: OptionTable) -> String {
    let function = table.completionFunction
    let names = table.commandNames.joined(separator: " ")
    var arguments = table.availableOptions.map(zshArgument)
    arguments += table.operands.enumerated().map { position, operand in
        "'\(position + 1):\(operand.metavar):_files'"
    }
    return """
        #compdef \(names)
        # zsh completion for \(table.program); made by: \(table.program) --completions zsh
        \(function)() {
            _arguments -s -S : \\
                \(arguments.joined(separator: " \\\n        "))
        }
        if [[ ${funcstack[1]} == \(function) ]]; then
            \(function) "$@"
        else
            compdef \(function) \(names)
        fi

        """
}

/// One argument of `_arguments`: spellings, text, and what to offer as a value.
private func zshArgument(_ option: OptionSpec) -> String {
    let spellings = option.spellings
    let prefix =
        if option.isRepeatable {
            "'*'"
        } else if option.isImmediate {
            "'(- *)'"
        } else if spellings.count > 1 {
            "'(\(spellings.joined(separator: " ")))'"
        } else {
            ""
        }
    let forms = spellings.map { spelling in
        guard option.requiredMetavar != nil else { return spelling }
        return spelling.hasPrefix("--") ? spelling + "=" : spelling + "+"
    }
    let choice = forms.count > 1 ? "{\(forms.joined(separator: ","))}" : forms.joined()
    let text = zshEscaped(option.brief)
    let value = option.requiredMetavar.map { ":\(zshEscaped($0)):\(zshAction(option.completion))" } ?? ""
    return prefix + choice + "[\(text)]\(value)".shellQuoted
}

private func zshAction(_ completion: OptionSpec.Completion) -> String {
    switch completion {
    case .none: " "
    case .file: "_files"
    case .directory: "_files -/"
    case .choices(let choices): "(\(choices.joined(separator: " ")))"
    }
}

/// The text with what `_arguments` would take for its own marks escaped.
private func zshEscaped(_ text: String) -> String {
    var result = ""
    for character in text {
        if "[]:\\".contains(character) { result += "\\" }
        result.append(character)
    }
    return result
}
