/// For bash 4 or later; needs no other package. Where the function finds nothing, bash completes file names.
func bashCompletion(for table: OptionTable) -> String {
    let function = table.completionFunction
    let words = table.availableOptions.flatMap { option in
        (option.letter.map { ["-\($0)"] } ?? []) + ["--\(option.name)"]
    }
    return """
        # bash completion for \(table.program); made by: \(table.program) --completions bash
        \(function)() {
            local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} head= i
            COMPREPLY=()
            for ((i = 1; i < COMP_CWORD; i++)); do
                [[ ${COMP_WORDS[i]} == -- ]] && return
            done
            # "=" is a word of its own, unless COMP_WORDBREAKS lacks it.
            if [[ $cur == = ]]; then
                cur=
            elif [[ $prev == = ]]; then
                prev=${COMP_WORDS[COMP_CWORD-2]}
            elif [[ $cur == --*=* ]]; then
                prev=${cur%%=*} head=${cur%%=*}= cur=${cur#*=}
            fi
            case $prev in
        \(bashValueCases(table.availableOptions))
            esac
            if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '\(words.joined(separator: " "))' -- "$cur")
            fi
        }
        complete -o bashdefault -o default -F \(function) \(table.commandNames.joined(separator: " "))

        """
}

/// The branches that complete a value, one for each option that takes one.
private func bashValueCases(_ options: [OptionSpec]) -> String {
    options.filter { $0.requiredMetavar != nil }.map { option in
        let pattern = option.spellings.joined(separator: "|")
        return switch option.completion {
        case .choices(let choices):
            """
                    \(pattern))
                        mapfile -t COMPREPLY < <(compgen -P "$head" -W '\(choices.joined(separator: " "))' -- "$cur")
                        return ;;
            """
        case .file: "        \(pattern)) return ;;"
        case .directory: "        \(pattern)) compopt -o dirnames +o default +o bashdefault; return ;;"
        case .none: "        \(pattern)) compopt +o default +o bashdefault; return ;;"
        }
    }.joined(separator: "\n")
}
