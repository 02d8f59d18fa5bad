# Completion of weir for bash, and for zsh through bashcompinit. SPDX-License-Identifier: Apache-2.0
# What there is to complete is read from weir's own --help, so that it is never out of date.

_weir_help() { "${COMP_WORDS[0]}" "$@" --help 2>/dev/null; }

# The names under "Commands:".
_weir_commands() { _weir_help "$@" | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'; }

_weir_options() { _weir_help "$@" | sed -n 's/^  \(--[a-z][a-z-]*\).*/\1/p'; }

# The values of an option that --help shows as one|two; nothing for other options.
_weir_choices() {
    local option=$1
    shift
    _weir_help "$@" | sed -n "s/^  $option \([a-z0-9_|-]*|[a-z0-9_|-]*\).*/\1/p" | tr '|' '\n'
}

# Whether an option wants a value.
_weir_wants() {
    local option=$1
    shift
    _weir_help "$@" | grep -q "^  $option [A-Z]"
}

# What --help says the first argument can be: "  MODEL   one, two, ..." over several lines.
_weir_arguments() {
    _weir_help "$@" | sed -n '/^Arguments:/,/^$/p' | tr ',; ' '\n\n\n' |
        sed -n '/^[a-z][a-z0-9]*-[a-z0-9-]*$/p; /^jena$/p; /^imdb$/p; /^downsampling$/p'
}

_weir() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words
    local -a path=("${COMP_WORDS[@]:1:1}")
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="$(_weir_commands) --help --version"
    else
        case ${path[0]} in
        data | models)
            if [ "$COMP_CWORD" -eq 2 ]; then
                words="$(_weir_commands "${path[0]}") --help"
            else
                path+=("${COMP_WORDS[2]}")
            fi
            ;;
        compare) [ "${COMP_WORDS[2]}" != downsampling ] || path+=(downsampling) ;;
        esac
        if [ -z "$words" ]; then
            case $before in
            --?*)
                words=$(_weir_choices "$before" "${path[@]}")
                # A file, or a number.
                if [ -z "$words" ] && _weir_wants "$before" "${path[@]}"; then return; fi
                ;;
            esac
        fi
        if [ -z "$words" ]; then
            case $word in
            -*) words=$(_weir_options "${path[@]}") ;;
            *) words=$(_weir_arguments "${path[@]}") ;;
            esac
        fi
    fi
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$word")
}

complete -o bashdefault -o default -F _weir weir
