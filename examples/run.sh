#!/bin/sh
# Runs the examples with models one after the other. SPDX-License-Identifier: Apache-2.0
#
# usage: run.sh TRAIN PREDICT STREAM    (the programs)
# What the stream says after the last row of a window is what the prediction says of the window.
set -eu

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
"$1" "$here/model.safetensors" | tee "$here/loss"
awk -F'[ .]' '{ exit !($2 == 0 && $3 < 2500) }' "$here/loss" || { echo "nothing was learned" && exit 1; }
awk 'BEGIN { for (i = 0; i < 24; i++) print sin(i), cos(i) }' >"$here/numbers"
"$2" "$here/model.safetensors" <"$here/numbers" >"$here/one"
"$3" "$here/model.safetensors" <"$here/numbers" >"$here/all"
[ "$(wc -l <"$here/all")" -eq 24 ]
tail -n 1 "$here/all" | diff - "$here/one"
if "$2" "$here/numbers" </dev/null; then echo "took numbers for a model" && exit 1; fi
if head -n 5 "$here/numbers" | "$2" "$here/model.safetensors"; then echo "five rows were enough" && exit 1; fi
echo "examples: $(cat "$here/one") from both"
