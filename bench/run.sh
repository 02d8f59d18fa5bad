#!/bin/sh
# Runs benchmark programs one after the other; JSON goes to bench-results/ beside them, or with
# --quick to bench-results/quick/. SPDX-License-Identifier: Apache-2.0
# usage: run.sh [--quick] PROGRAM...      WEIR_BENCH_ARGS: more options for every program
set -u
quick='' folder=bench-results
if [ "${1-}" = --quick ]; then
    quick=--quick folder=bench-results/quick
    shift
fi
failed='' start=$(date +%s)
for program in "$@"; do
    name=$(basename "$program")
    results=$(dirname "$program")/$folder
    mkdir -p "$results" || exit 1
    printf '\n== %s\n' "$name"
    # shellcheck disable=SC2086 # options are separate words
    "$program" $quick ${WEIR_BENCH_ARGS-} --benchmark_out="$results/$name.json" || failed="$failed $name"
done
printf '\n%d s; results in %s\n' $(($(date +%s) - start)) "${results-nowhere}"
if [ -n "$failed" ]; then
    printf 'FAILED:%s\n' "$failed" >&2
    exit 1
fi
