# Completion of weir for fish. SPDX-License-Identifier: Apache-2.0
# What there is to complete is read from weir's own --help, so that it is never out of date.

function __weir_commands
    weir $argv --help 2>/dev/null | string match -rg '^  ([a-z][a-z-]*) +(?=\S)'
end

function __weir_path
    set -l words (commandline -opc)[2..]
    switch "$words[1]"
        case data models
            string join \n -- $words[1..2]
        case compare
            test "$words[2]" = downsampling; and string join \n -- $words[1..2]; or echo compare
        case '*'
            string join \n -- $words[1]
    end
end

function __weir_options
    weir (__weir_path) --help 2>/dev/null | string match -rg '^  (--[a-z][a-z-]*)'
end

# What --help says the first argument can be: "  MODEL   one, two, ..." over several lines.
function __weir_arguments
    weir (__weir_path) --help 2>/dev/null | sed -n '/^Arguments:/,/^$/p' | string split -n ' ' |
        string trim -c ',;' | string match -r '^(?:[a-z][a-z0-9]*-[a-z0-9-]*|jena|imdb|downsampling)$'
end

# The values of the option in front that --help shows as one|two; fails for other options.
function __weir_choices
    set -l option (commandline -opc)[-1]
    string match -q -- '--?*' $option; or return 1
    weir (__weir_path) --help 2>/dev/null |
        string match -rg -- "^  $option ([a-z0-9_|-]*\\|[a-z0-9_|-]*)" | string split '|'
end

complete -c weir -n 'test (count (commandline -opc)) -eq 1' -f -a '(__weir_commands)'
complete -c weir -n 'test (count (commandline -opc)) -eq 2; and contains -- (commandline -opc)[2] data models' \
    -f -a '(__weir_commands (commandline -opc)[2])'
complete -c weir -n 'test (count (commandline -opc)) -ge 2; and __weir_choices >/dev/null' \
    -f -a '(__weir_choices)'
complete -c weir -n 'test (count (commandline -opc)) -ge 2; and not __weir_choices >/dev/null' \
    -a '(__weir_options; __weir_arguments)'
