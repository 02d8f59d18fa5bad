#!/bin/sh
# Sets up, tests and runs Weir on a fresh machine. SPDX-License-Identifier: Apache-2.0
set -eu

usage() {
    cat <<'END'
usage: ./setup.sh COMMAND

  run    install what is missing, build, and compare the models on generated weather data
         (about two minutes on two cores)
  test   install what is missing, build, run the tests and the validation of every kernel
  deps   only install what is missing

Packages are installed with apt-get (with sudo when not root). On other systems the line to type
is printed. The build is in build/, and a second call takes seconds.
END
}

say() { printf '==> %s\n' "$*"; }
die() {
    printf 'setup.sh: %s\n' "$*" >&2
    exit 1
}

# The same under each system's names: build tools, runtime (hwloc), files (cJSON, libcurl,
# libarchive, zlib, HDF5), comparison (oneDNN, Google Benchmark), tests (cmocka, Python).
APT="meson ninja-build gcc g++ libc6-dev pkg-config python3 libhwloc-dev libcjson-dev"
APT="$APT libcurl4-openssl-dev libarchive-dev zlib1g-dev libdnnl-dev libbenchmark-dev libcmocka-dev gnuplot-nox"
APT="$APT libhdf5-dev python3-h5py"
DNF="meson ninja-build gcc gcc-c++ pkgconf-pkg-config python3 hwloc-devel cjson-devel"
DNF="$DNF libcurl-devel libarchive-devel zlib-devel onednn-devel google-benchmark-devel libcmocka-devel"
DNF="$DNF hdf5-devel python3-h5py"
PACMAN="meson ninja gcc pkgconf python hwloc cjson curl libarchive zlib onednn benchmark cmocka hdf5 python-h5py"
BREW="meson ninja pkgconf python3 hwloc cjson curl libarchive zlib onednn google-benchmark cmocka hdf5"

has() { command -v "$1" >/dev/null 2>&1; }

# The system's own tool first: it is the one the packages above bring, whatever else is in PATH.
tool() {
    if [ -x "/usr/bin/$1" ]; then echo "/usr/bin/$1"; else echo "$1"; fi
}

installed() {
    case $manager in
    apt) dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^.i' ;;
    dnf) rpm -q --quiet --whatprovides "$1" ;;
    pacman) pacman -Qq "$1" >/dev/null 2>&1 ;;
    brew) brew list --versions "$1" >/dev/null 2>&1 ;;
    esac
}

missing() {
    for package in "$@"; do
        installed "$package" || printf '%s ' "$package"
    done
}

apt_install() {
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || die "packages are missing, and there is no sudo to install them with.
  Ask an administrator for: apt-get install $*"
        sudo=sudo
    fi
    say "Installing with $sudo${sudo:+ }apt-get: $*"
    # An unreachable third-party source must not stop us; what is really missing stops the install.
    $sudo apt-get update -qq || say "apt-get update had errors (above); going on with the lists there are"
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" ||
        die "apt-get could not install the packages; its reason is above"
}

deps() {
    manager=
    if has apt-get && has dpkg-query; then
        manager=apt names=$APT
    elif has dnf; then
        manager=dnf names=$DNF
    elif has pacman; then
        manager=pacman names=$PACMAN
    elif has brew; then
        manager=brew names=$BREW
    else
        die "no apt-get, dnf, pacman or brew here: install the counterparts of these Debian packages,
  then use meson directly (CONTRIBUTING.md): $APT"
    fi
    # shellcheck disable=SC2086
    lacking=$(missing $names)
    if [ -z "$lacking" ]; then
        say "Packages: all there"
        return
    fi
    case $manager in
    apt)
        # shellcheck disable=SC2086
        apt_install $lacking
        ;;
    dnf) die "packages are missing; type: sudo dnf install $lacking" ;;
    pacman) die "packages are missing; type: sudo pacman -S --needed $lacking" ;;
    brew)
        die "packages are missing; type: brew install $lacking
  and let pkg-config see the keg-only ones:
  export PKG_CONFIG_PATH=\"\$(brew --prefix curl)/lib/pkgconfig:\$(brew --prefix libarchive)/lib/pkgconfig\""
        ;;
    esac
    # A build configured before these packages came would stay without them.
    if [ -f build/build.ninja ]; then
        say "Configuring build/ again for the new packages"
        "$(tool meson)" setup --reconfigure --auto-features=enabled build ||
            die "meson could not configure build/; its reason is above"
    fi
}

build() {
    if [ ! -f build/build.ninja ]; then
        say "Configuring build/"
        "$(tool meson)" setup --auto-features=enabled build ||
            die "meson could not configure build/; its reason is above"
    fi
    say "Building in build/"
    # On a terminal ninja shows its progress, elsewhere only what goes wrong.
    quiet=
    [ -t 1 ] || quiet=--quiet
    # shellcheck disable=SC2086
    "$(tool ninja)" -C build $quiet || die "the build failed; the compiler's message is above"
}

# Prints "PASSED FAILED" from the last line of a log that reads "N passed, N failed".
last_line_counts() {
    grep -oE '[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1 | tr -dc '0-9 '
}

# Names of the tests of the last `ninja test` whose result is one of those given, or (v) is not.
meson_names() {
    grep "-E${2-}" "\"result\": \"($1)\"" build/meson-logs/testlog.json |
        sed 's/^{"name": "\([^"]*\)".*/\1/'
}

run_tests() {
    say "Running the tests (meson test)"
    rm -f build/meson-logs/testlog.json
    "$(tool ninja)" -C build test || say "Some tests failed; their output is above"
    [ -s build/meson-logs/testlog.json ] || die "meson test left no log; its reason is above"
    passed=$(meson_names 'OK|EXPECTEDFAIL' | wc -l)
    failures=$(meson_names 'OK|EXPECTEDFAIL|SKIP' v)
    failed=$(meson_names 'OK|EXPECTEDFAIL|SKIP' v | wc -l)
    skipped=$(meson_names SKIP)
}

validate() {
    say "Validating every kernel on every instruction set"
    log=build/meson-logs/validate.log
    {
        status=0
        build/validate/weir-validate || status=$?
        echo $status >build/meson-logs/validate.status
    } 2>&1 | tee "$log"
    status=$(cat build/meson-logs/validate.status)
    # shellcheck disable=SC2046
    set -- $(last_line_counts "$log")
    [ $# -eq 2 ] || die "weir-validate ended without its last line 'N passed, N failed' (status $status)"
    passed=$((passed + $1))
    failed=$((failed + $2))
    case $status in
    0 | 77) ;; # 77: an instruction set can't run here, and its lines said so
    *) [ "$2" -gt 0 ] || failed=$((failed + 1)) ;;
    esac
}

command=${1-}
case $command in
run | test | deps)
    if [ $# -gt 1 ]; then
        echo "setup.sh: '$command' takes no further argument, got '$2'" >&2
        exit 2
    fi
    ;;
-h | --help | help)
    usage
    exit 0
    ;;
*)
    [ -z "$command" ] || printf "setup.sh: unknown command '%s'; accepted: run, test, deps\n\n" "$command" >&2
    usage >&2
    exit 2
    ;;
esac

cd "$(dirname "$0")"
deps
case $command in
test)
    build
    run_tests
    validate
    [ -z "$skipped" ] || say "Skipped here: $(echo "$skipped" | tr '\n' ';')"
    [ -z "$failures" ] || say "Failed tests: $(echo "$failures" | tr '\n' ';')"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    ;;
run)
    build
    say "Comparing the models on generated weather data, about two minutes on two cores"
    build/train/cli/weir compare jena --generated || die "the comparison failed; its reason is above"
    say "The same on the real measurements of the Jena station (13.5 MB download):"
    echo "    build/train/cli/weir data fetch jena"
    echo "    build/train/cli/weir compare jena --data data/jena_climate_2009_2016.csv"
    ;;
esac
