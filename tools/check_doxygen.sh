#!/usr/bin/env bash
# Makes the pages of the public headers; a warning is an error. SPDX-License-Identifier: Apache-2.0
#
# usage: check_doxygen.sh DOXYFILE    (exit status 77: there is no doxygen)
set -euo pipefail

command -v doxygen >/dev/null || { echo "doxygen is not installed" && exit 77; }
root=$(cd "$(dirname "$0")/.." && pwd)
doxyfile=$(cd "$(dirname "$1")" && pwd)/${1##*/}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$root"
{ cat "$doxyfile" && echo "OUTPUT_DIRECTORY = $out"; } | doxygen -
# Comments reached their functions.
for text in 'row\[C_in\]; where the model has a new output' 'Name of a status' 'Creates a runtime'; do
    grep -rq "$text" "$out/html" || { echo "not on any page: $text" && exit 1; }
done
echo "check_doxygen: no warnings"
