#!/usr/bin/env bash
# Installs a build, and uses it as a stranger would. SPDX-License-Identifier: Apache-2.0
#
# usage: check_install.sh BUILD_FOLDER    (CC and CXX choose the compilers)
# The headers, both libraries, the pkg-config file and the programs must be enough to compile and
# run the example, shared and static, from C and from C++, with nothing of this tree in sight.
set -euo pipefail

build=$(cd "$1" && pwd)
example=$(cd "$(dirname "$0")/../examples" && pwd)/downsample.c
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cc=${CC:-cc} cxx=${CXX:-c++}

meson install -C "$build" --no-rebuild --destdir "$here/dest" --quiet
prefix=$here/dest/usr/local
libdir=$(dirname "$(find "$prefix" -name 'libweir.so')")
for file in include/weir/{weir,ops,runtime,status,model}.h bin/weir bin/weir-validate \
    share/man/man1/weir.1 share/bash-completion/completions/weir; do
    [ -e "$prefix/$file" ] || { echo "not installed: $file" && exit 1; }
done
[ -e "$libdir/libweir.a" ] || { echo "not installed: libweir.a" && exit 1; }
[ "$("$prefix/bin/weir" models show jena-gru)" = "$(cat "$prefix/share/weir/models/jena-gru.json")" ] ||
    { echo "the installed jena-gru.json is not the program's" && exit 1; }
for file in "$prefix"/include/weir/*.h; do
    [ -e "$(dirname "$example")/../include/weir/${file##*/}" ] || { echo "stray header $file" && exit 1; }
done

# Moved to its final place, so that pkg-config's paths are those of an installed system.
export PKG_CONFIG_PATH=$libdir/pkgconfig PKG_CONFIG_SYSROOT_DIR=$here/dest
mkdir "$here/work"
cd "$here/work"
cp "$example" example.c
read -ra cflags <<<"$(pkg-config --cflags weir)"
read -ra libs <<<"$(pkg-config --libs weir)"
warnings=(-Wall -Wextra -Wpedantic -Werror)

$cc -std=c11 "${warnings[@]}" example.c -o shared "${cflags[@]}" "${libs[@]}"
LD_LIBRARY_PATH=$libdir ./shared | tee shared.out
grep -q '720 steps became 238' shared.out

printf '#include <weir/weir.h>\nint main() { return weir_version()[0] == 0; }\n' >version.cpp
$cxx -std=c++17 "${warnings[@]}" version.cpp -o version "${cflags[@]}" "${libs[@]}"
LD_LIBRARY_PATH=$libdir ./version

# Static: with the shared library out of the way, -lweir means libweir.a.
mkdir "$here/away"
mv "$libdir"/libweir.so* "$here/away/"
read -ra libs <<<"$(pkg-config --static --libs weir)"
$cc -std=c11 "${warnings[@]}" example.c -o static "${cflags[@]}" "${libs[@]}"
if ldd static | grep -q libweir; then echo "linked the shared library" && exit 1; fi
./static | diff - shared.out
mv "$here"/away/* "$libdir/"

# The installed programs find their library.
export LD_LIBRARY_PATH=$libdir
"$prefix/bin/weir" info
"$prefix/bin/weir" --version
"$prefix/bin/weir" info --json | /usr/bin/env python3 -c 'import json, sys; json.load(sys.stdin)'
"$prefix/bin/weir-validate" --help >/dev/null
echo "check_install: all there"
