#!/usr/bin/env bash
# Installs a build, and uses it as a stranger would. SPDX-License-Identifier: Apache-2.0
#
# usage: check_install.sh BUILD_FOLDER    (CC and CXX choose the compilers)
# The headers, both libraries, the pkg-config and CMake files and the programs must be enough to compile
# and run the examples, shared and static, from C and from C++, with nothing of this tree in sight.
set -euo pipefail

build=$(cd "$1" && pwd)
examples=$(cd "$(dirname "$0")/../examples" && pwd)
example=$examples/downsample.c
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cc=${CC:-cc} cxx=${CXX:-c++}

meson install -C "$build" --no-rebuild --destdir "$here/dest" --quiet
prefix=$here/dest/usr/local
libdir=$(dirname "$(find "$prefix" -name 'libweir.so')")
for file in include/weir/{weir,ops,runtime,status,model}.h bin/weir bin/weir-validate libexec/weir/weir-keras \
    share/man/man1/weir.1 share/bash-completion/completions/weir; do
    [ -e "$prefix/$file" ] || { echo "not installed: $file" && exit 1; }
done
soname=$(readelf -d "$libdir/libweir.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')
version=$(PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config --modversion weir)
[ "$soname" = "libweir.so.${version%%.*}" ] || { echo "soname $soname in version $version" && exit 1; }
[ -e "$libdir/libweir.so.$version" ] || { echo "no libweir.so.$version" && exit 1; }
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

# The examples with models.
for name in train predict stream; do
    $cc -std=c11 "${warnings[@]}" "$examples/$name.c" -o "$name" "${cflags[@]}" "${libs[@]}"
done
LD_LIBRARY_PATH=$libdir "$examples/run.sh" ./train ./predict ./stream

# Projects of strangers, with meson and with CMake. consumer FOLDER: runs what was built there.
consumer() {
    local program
    for program in in_c in_cpp; do
        "$1/$program" | tee "$1.out"
        [ "$(cat "$1.out")" = "Weir $version: 1.5 4.5" ] || { echo "$1/$program: wrong" && exit 1; }
    done
    if ldd "$1/in_c" | grep -q libweir; then echo "$1: shared"; else echo "$1: static"; fi | grep -q "${1##*-}"
}
cp -r "$examples/consumer" project
for kind in shared static; do
    meson setup "meson-$kind" project --default-library "$kind" >meson.log || { cat meson.log && exit 1; }
    ninja -C "meson-$kind" --quiet
    LD_LIBRARY_PATH=$libdir consumer "meson-$kind"
done
if [ -e "$libdir/cmake/weir/weirConfig.cmake" ]; then
    for kind in shared static; do
        env -u PKG_CONFIG_PATH -u PKG_CONFIG_SYSROOT_DIR cmake -S project -B "cmake-$kind" -DSTATIC="$([ $kind = static ] && echo ON || echo OFF)" \
            -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF >cmake.log ||
            { cat cmake.log && exit 1; }
        cmake --build "cmake-$kind" >cmake.log || { cat cmake.log && exit 1; }
        LD_LIBRARY_PATH=$libdir consumer "cmake-$kind"
    done
    # Another minor version may be another interface.
    sed 's/find_package(weir 0.1/find_package(weir 0.2/' project/CMakeLists.txt >newer.txt
    mkdir newer && cp project/in_* newer/ && cp newer.txt newer/CMakeLists.txt
    if cmake -S newer -B cmake-newer -DCMAKE_PREFIX_PATH="$prefix" >cmake.log 2>&1; then
        echo "weir $version was taken for 0.2" && exit 1
    fi
    tr -s '[:space:]' ' ' <cmake.log | grep -q 'compatible with requested version "0.2"'
elif [ -n "${CI:-}" ]; then
    echo "not installed: weirConfig.cmake (is there a cmake?)" && exit 1
fi

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
