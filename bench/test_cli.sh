#!/bin/sh
# The command line of the benchmark programs. SPDX-License-Identifier: Apache-2.0
# usage: test_cli.sh BENCH_CONV1D
program=$1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failures=0

# expect STATUS TEXT ARGUMENTS...: the exit status, and a text in what is printed
expect() {
    status=$1 text=$2
    shift 2
    output=$("$program" "$@" 2>&1)
    got=$?
    if [ $got -ne "$status" ] || ! printf '%s' "$output" | grep -qF -- "$text"; then
        printf 'bench_conv1d %s\n  status %s (expected %s), expected the text: %s\n  got: %s\n' \
            "$*" "$got" "$status" "$text" "$output"
        failures=$((failures + 1))
    fi
}

echo 'N:1 T:9 Cin:3 Cout:2 K:3 P:2' >"$folder/good.txt"
echo 'N:1 T:9 Cin:3 Cout:2 K:3 R:1' >"$folder/key.txt"
printf '# nothing\nN:1 T:x Cin:3 Cout:2 K:3\n' >"$folder/number.txt"
echo 'N:1 T:9 Cin:3 Cout:2' >"$folder/missing.txt"
echo 'N:1 T:2 Cin:3 Cout:2 K:3' >"$folder/short.txt"
echo '# nothing' >"$folder/empty.txt"

expect 0 '--shapes FILE' --help
expect 0 'conv1d_fwd/scalar/N:1/T:9/Cin:3/Cout:2/K:3/threads:1' --benchmark_list_tests \
    --isa scalar --threads 1 --shapes "$folder/good.txt"
expect 0 'conv1d_block/N:1/T:9/Cin:3/Cout:2/K:3/P:2' --quick --shapes="$folder/good.txt" \
    --benchmark_out "$folder/out.json"
expect 2 "key.txt:1: unknown key 'R'" --shapes "$folder/key.txt"
expect 2 "number.txt:2: 'T:x'" --shapes "$folder/number.txt"
expect 2 'missing.txt:1: no K:' --shapes "$folder/missing.txt"
expect 2 'kernel is longer' --shapes "$folder/short.txt"
expect 2 'no shapes' --shapes "$folder/empty.txt"
expect 2 "can't be read" --shapes "$folder/none.txt"
expect 2 "--isa: 'sse9', accepted: scalar" --isa sse9
expect 2 "--threads: '0'" --threads 0
expect 2 'unknown option --sideways' --sideways
expect 2 'none-such: No such file' --quick --shapes "$folder/good.txt" --peer /none-such
expect 2 '/bin/false has ended' --quick --shapes "$folder/good.txt" --peer /bin/false
expect 2 "can't be written" --quick --shapes "$folder/good.txt" --benchmark_out "$folder/none/out.json"

expect 0 'NO_SUCH was not counted' --quick --shapes "$folder/good.txt" --benchmark_filter bwd_data \
    --benchmark_perf_counters=NO_SUCH

# A peer that prepares everything and then dies: no row is left out in silence.
cat >"$folder/peer" <<'END'
#!/usr/bin/env python3
import os, socket, sys
assert len(os.sched_getaffinity(0)) == int(os.environ["PROCESSORS"]), "bound like its parent"
peer = socket.socket(fileno=int(sys.argv[sys.argv.index("--serve") + 1]))
peer.sendall(b"ok 0.1.2, no ISA\n")
for line in peer.makefile():
    if not line.startswith("prepare"):
        break
    peer.sendall(b"ok nothing\n" if "block" not in line else b"error can't\n")
END
chmod +x "$folder/peer"
PROCESSORS=$(nproc)
export PROCESSORS
expect 1 'FAILED conv1d_fwd/' --quick --shapes "$folder/good.txt" --peer "$folder/peer"
expect 1 ' has ended' --quick --shapes "$folder/good.txt" --peer "$folder/peer"
expect 1 "threads:1: can't" --quick --shapes "$folder/good.txt" --peer "$folder/peer" \
    --benchmark_filter block --threads 1
if ! python3 -c "
import json, sys
file = json.load(open('$folder/out.json'))
runs, rows = file['benchmarks'], file['weir']['rows']
assert {r['name'] for r in runs} == {
    '/'.join((r['op'], r['backend'], r['shape'], 'threads:%d' % r['threads'])) for r in rows}
assert all(r['seconds'] > 0 and not r['error'] for r in rows)
assert any('/scalar/' in r['name'] or '/avx' in r['name'] or '/generic/' in r['name'] for r in runs)
assert all('real_time' not in r['name'] and r['real_time'] > 0 for r in runs)
"; then
    echo 'the JSON file is not as expected'
    failures=$((failures + 1))
fi
[ $failures -eq 0 ]
