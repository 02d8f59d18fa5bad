#!/bin/sh
# tools/perf.sh: its errors with a perf that does nothing, and one real profile where perf works.
# SPDX-License-Identifier: Apache-2.0
# usage: test_perf.sh PERF_SH BUILD_FOLDER
script=$1 build=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failures=0

# expect STATUS TEXT ARGUMENTS...: the exit status, and a text in what is printed
expect() {
    status=$1 text=$2
    shift 2
    output=$("$script" "$@" 2>&1)
    got=$?
    case $output in *"$text"*) ;; *) got="$got without the text" ;; esac
    if [ "$got" != "$status" ]; then
        printf 'perf.sh %s\n  status %s (expected %s), expected the text: %s\n  got: %s\n' \
            "$*" "$got" "$status" "$text" "$output"
        failures=$((failures + 1))
    fi
}

one='conv1d_fwd/(avx2|generic)/N:1/T:78/.*threads:1'
path=$PATH
mkdir "$folder/bin" "$folder/none" "$folder/none/bench"
printf '#!/bin/sh\nexit 1\n' >"$folder/bin/perf"
chmod +x "$folder/bin/perf"
PATH=$folder/bin:$path
expect 0 'usage: tools/perf.sh' --help
if [ -c /dev/full ]; then
    timeout 10 "$script" --help >/dev/full 2>&1
    [ $? -eq 1 ] || { echo 'perf.sh --help >/dev/full: expected status 1' && failures=$((failures + 1)); }
fi
expect 2 'usage: tools/perf.sh'
expect 2 'unknown option --sideways' --sideways x
expect 2 '--event needs a value' x --event
expect 2 'one filter is expected' x y
expect 2 'no such folder' --build "$folder" x
expect 1 'matches' --build "$folder/none" x
expect 1 "no benchmark of $build/bench matches 'no-such-name'" --build "$build" no-such-name
expect 1 'benchmarks of several programs match: bench_' --build "$build" threads:1
expect 1 'no benchmark of bench_pool matches' --build "$build" --program bench_pool conv1d
expect 2 "--threads: 'x'" --build "$build" --threads x conv1d
expect 2 'not a regular expression' --build "$build" '('
expect 1 'recording failed' --build "$build" --out "$folder/p.data" "$one"

# Only what the script needs, so that perf is missing.
mkdir "$folder/few"
for tool in sh cat; do ln -s "$(command -v $tool)" "$folder/few/"; done
# shellcheck disable=SC2123
PATH=$folder/few
expect 1 'perf is not installed' --build "$build" "$one"

PATH=$path
if perf record -q -e cpu-clock -o "$folder/try.data" true >/dev/null 2>&1; then
    # The kernel's name is in the call chain, whatever its hot part is called.
    expect 0 'weir_conv1d_fwd_' --build "$build" --out "$folder/p.data" --seconds 0.3 "$one"
    expect 0 'event: cpu-clock' --build "$build" --out "$folder/p.data" --seconds 0.1 --event cpu-clock "$one"
else
    echo 'perf does not work here: nothing was recorded'
fi
[ $failures -eq 0 ]
