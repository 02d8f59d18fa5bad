#!/bin/sh
# Profiles one benchmark: where the time goes, and the hottest kernel's instructions.
# SPDX-License-Identifier: Apache-2.0
set -u

usage() {
    cat <<'END'
usage: tools/perf.sh [option]... BENCHMARK_FILTER
Records the benchmarks whose names match the regular expression, prints the top of the report and the
hot instructions of the hottest function. Names: build/bench/bench_conv1d --benchmark_list_tests
  --build DIR       build folder; default: build
  --program NAME    as bench_conv1d; needed only when benchmarks of several programs match
  --threads LIST    as of the programs; default 1
  --seconds N       time each benchmark runs; default 3
  --event EVENT     of perf record; default: cycles if the machine counts them, else cpu-clock
  --out FILE        default: DIR/perf.data
END
}

fail() {
    printf 'perf.sh: %s\n' "$1" >&2
    exit "${2-1}"
}

build=build only='' threads=1 seconds=3 event='' out='' filter=''
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        usage || fail 'standard output does not take the help'
        exit 0
        ;;
    --build | --program | --threads | --seconds | --event | --out)
        [ $# -ge 2 ] || fail "$1 needs a value" 2
        case $1 in
        --build) build=$2 ;;
        --program) only=$2 ;;
        --threads) threads=$2 ;;
        --seconds) seconds=$2 ;;
        --event) event=$2 ;;
        --out) out=$2 ;;
        esac
        shift 2
        ;;
    -*) fail "unknown option $1; see --help" 2 ;;
    *)
        [ -z "$filter" ] || fail "one filter is expected, got '$filter' and '$1'" 2
        filter=$1
        shift
        ;;
    esac
done
[ -n "$filter" ] || {
    usage >&2
    exit 2
}
case $seconds in
'' | *[!0-9.]* | *.*.* | .) fail "--seconds is '$seconds', accepted: a number above 0, as 3 or 0.5" 2 ;;
esac
[ -d "$build/bench" ] || fail "$build/bench: no such folder; build first, or name the build with --build" 2
command -v perf >/dev/null || fail 'perf is not installed (Debian: apt-get install linux-perf)'
out=${out:-$build/perf.data}
[ -d "$(dirname "$out")" ] || fail "$(dirname "$out"): no such folder, for --out $out" 2

# Which program has benchmarks of this name. A bad option or filter is the program's to explain.
program='' found='' names=''
for candidate in "$build"/bench/bench_*; do
    { [ -f "$candidate" ] && [ -x "$candidate" ]; } || continue
    case ${candidate##*/} in *_onednn[0-9]* | bench_idle | bench_speedup | bench_contention | bench_scaling) continue ;; esac # others' and own frames
    [ -z "$only" ] || [ "${candidate##*/}" = "$only" ] || continue
    matches=$("$candidate" --benchmark_list_tests --threads "$threads" --benchmark_filter "$filter") || exit 2
    [ -n "$matches" ] || continue
    found="$found ${candidate##*/}" program=$candidate names=$matches
done
[ -n "$found" ] || fail "no benchmark of ${only:-$build/bench} matches '$filter'; names: $build/bench/bench_conv1d --benchmark_list_tests"
[ "$found" = " ${program##*/}" ] || fail "benchmarks of several programs match:$found; choose one with --program"
printf '%s\n' "$names" | head -n 20
count=$(printf '%s\n' "$names" | wc -l)
[ "$count" -eq 1 ] || printf '%d benchmarks match and are recorded together; a longer filter picks one.\n' "$count"

# Where there are no counters, perf record takes cpu-clock for cycles without a word: ask perf stat.
counters=no
case $(perf stat -x, -e cycles:u true 2>&1 >/dev/null | head -n 1) in [0-9]*) counters=yes ;; esac
if [ -z "$event" ]; then
    event=cpu-clock
    [ $counters = no ] || event=cycles
fi
printf 'event: %s (hardware counters: %s)\n' "$event" $counters
if [ $counters = yes ] && ldd "$program" | grep -q libpfm; then
    echo 'Google Benchmark counts too: --benchmark_perf_counters=CYCLES,INSTRUCTIONS, in the JSON'
fi

# The peer program is another process; the machine's rates are no part of the benchmark.
case $names in */onednn[0-9]*) peer='' ;; *) peer='--peer none' ;; esac
# shellcheck disable=SC2086
perf record -q -e "$event" -F 2000 -g -o "$out" -- "$program" --no-roofline $peer --threads "$threads" \
    --benchmark_filter "$filter" --benchmark_repetitions=1 --benchmark_min_time="$seconds" >"$out.log" 2>&1 ||
    { cat "$out.log" >&2; fail "recording failed (perf_event_paranoid: $(cat /proc/sys/kernel/perf_event_paranoid))"; }
grep -E '^(FAILED|[a-z].*threads|[a-z_0-9]+/)' "$out.log"

report=$(perf report -i "$out" --stdio --no-children --no-inline -g none --percent-limit 0.5 2>/dev/null |
    grep -v '^#' | grep .) || fail "$out: nothing was recorded"
printf '\n%s\n' "$report" | head -n 14
hottest=$(printf '%s\n' "$report" | sed -n 's/.*\[\.\] *//p' | head -n 1)

# Who calls it: the chain of frames, innermost first.
[ -z "$hottest" ] || perf report -i "$out" --stdio --no-children --no-inline -g callee \
    --max-stack 8 -S "$hottest" 2>/dev/null | grep -v "^#" | grep "[a-z]" | cut -c1-120 | head -n 14

# The hot part: from the first to the last instruction with 1% of the samples or more.
if [ -z "$hottest" ]; then
    printf '\nno symbol to annotate\n'
elif perf annotate -i "$out" --stdio -s "$hottest" >"$out.annotate" 2>/dev/null && [ -s "$out.annotate" ]; then
    printf '\n%s, percent of its samples and instruction (all of it: %s):\n' "$hottest" "$out.annotate"
    grep -E '^ +[0-9.]* +: +[0-9a-f]+:' "$out.annotate" | awk '
        { line[NR] = $0 }
        $1 + 0 >= 1 && $1 != ":" { if (!first) first = NR; last = NR }
        END {
            if (last - first > 70) last = first + 70
            if (first) for (i = first; i <= last; i++) print line[i]
        }'
else
    printf '\n%s has no instructions in a file: code made at run time (oneDNN), or no objdump\n' "$hottest"
fi
printf '\nmore: perf report -i %s\n' "$out"
