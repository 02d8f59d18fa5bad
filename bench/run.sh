#!/bin/sh
# Runs benchmark programs one after the other; JSON goes to bench-results/ beside them.
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh [--quick] PROGRAM...      WEIR_BENCH_ARGS: more options for every program
set -u
quick=
if [ "${1-}" = --quick ]; then
    quick=--quick
    shift
fi
failed=
for program in "$@"; do
    name=$(basename "$program")
    results=$(dirname "$program")/bench-results
    mkdir -p "$results" || exit 1
    printf '\n== %s\n' "$name"
    # shellcheck disable=SC2086 # options are separate words
    "$program" $quick ${WEIR_BENCH_ARGS-} --benchmark_out="$results/$name.json" || failed="$failed $name"
done
if [ -n "$failed" ]; then
    printf '\nFAILED:%s\n' "$failed" >&2
    exit 1
fi
