#!/usr/bin/env python3
# Validates the AVX-512 kernels, also on a machine without AVX-512. SPDX-License-Identifier: Apache-2.0
"""usage: validate_avx512.py --validate PROGRAM --kernels ARCHIVE --work FOLDER
                          [--simde PROGRAM] [--static PROGRAM --init PROGRAM]

Where the CPU has AVX-512, weir-validate runs on it. Elsewhere, and with WEIR_EMULATE=1:
  1. the AVX-512 sources, compiled through SIMDe, run on AVX2 (weir-validate-simde, quick);
  2. the AVX-512 machine code runs in Bochs: the hash of each kernel's outputs must be the one that the
     same program's AVX2 kernels give on this CPU, and in the emulator.
In each case the disassembly must show that registers of zmm16 to zmm31 are used.

Exit status: 0 all passed, 1 a failure, 77 something is missing (1 with REQUIRE_EMU=1). Nothing is
installed here; the lines that say what is missing say how to get it. The last line is
"N passed, N failed".
"""
import argparse
import os
import re
import subprocess
import sys

import emulator
from verdict import Verdict

# AVX2 in the emulator is the control: it must give what this CPU gives. Each class of values once.
CONTROL = ["--isa", "avx2", "--hash", "--cases", "9"]
COMMANDS = [["/weir-validate-static", *CONTROL], ["/weir-validate-static", "--isa", "avx512", "--hash"]]
RUN_SECONDS = 300
BOOT_SECONDS = int(os.environ.get("WEIR_EMU_SECONDS", "600"))
# Sources whose tiles are made for 32 registers, and how many of the upper 16 each uses at least (gcc
# uses 12 to all, clang 12), and together; and those whose kernels need few. Any other is a failure.
TILED, TOGETHER = {"conv1d_simd.c.o": 8, "conv1d_bwd_weights_simd.c.o": 8,
                   "conv1d_pool_simd.c.o": 8, "gru_simd.c.o": 8,
                   "gru_bwd_simd.c.o": 8, "lstm_simd.c.o": 8,
                   "lstm_bwd_simd.c.o": 8, "rnn_simd.c.o": 8, "rnn_bwd_simd.c.o": 8}, 12
UNTILED = {
    "elementwise_simd.c.o",
    "embedding_conv1d_simd.c.o",
    "embedding_simd.c.o",
    "loss_simd.c.o",
    "pool_simd.c.o",
}
UPPER = {f"zmm{i}" for i in range(16, 32)}


def output(words):
    """Exit status and output of a program; its standard error is shown."""
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False, timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired as late:
        return 124, (late.stdout or b"").decode() + f"{words[0]}: more than {RUN_SECONDS} s\n"
    return done.returncode, done.stdout


def hashes(text, isa):
    """Kernel to what weir-validate --hash says of it: cases, numbers, hash and verdict."""
    line = re.compile(rf"^(\w+) +{isa} +(\d+) cases +(\d+) numbers +hash ([0-9a-f]{{16}}) +(ok|FAIL.*)$", re.M)
    return {match[0]: match[1:] for match in line.findall(text)}


def compare(verdict, expected, got, where):
    for kernel, numbers in expected.items():
        there = got.get(kernel, ("", "", "none", ""))
        good = there == numbers and numbers[3] == "ok"
        verdict.say(good, f"{kernel:20} {where} {there[2]} {'=' if there[2] == numbers[2] else '!='} "
                          f"avx2 {numbers[2]}{'' if there[3] in ('ok', '') else ', ' + there[3]}")
    if set(got) - set(expected) or not expected:
        verdict.say(False, f"{where}: {len(got)} kernels, avx2: {len(expected)}")


def avx2_hashes(verdict, program, arguments=("--isa", "avx2", "--hash")):
    code, text = output([program, *arguments])
    if code:
        verdict.say(False, f"{program} {' '.join(arguments)} ended with {code}:\n{text}")
    return hashes(text, "avx2")


def registers(disassembly):
    """Object of an archive to the upper zmm registers in its code."""
    used, name = {}, None
    for line in disassembly.splitlines():
        header = re.match(r"(?:.*[/(])?([^/()]+)\)?: +file format", line)
        if header:
            name = header[1]
            used[name] = set()
        elif name:
            used[name] |= UPPER & set(re.findall(r"%(zmm\d+)", line))
    return used


def disassembly_check(verdict, archive):
    code, text = output(["objdump", "-d", "--no-show-raw-insn", archive])
    used = registers(text) if code == 0 else {}
    every = set().union(*used.values()) if used else set()
    verdict.say(len(every) >= TOGETHER, f"{len(every)} of zmm16 to zmm31 are used in {os.path.basename(archive)}, "
                                        f"at least {TOGETHER}")
    for name in sorted(set(used) - UNTILED):
        count, least = len(used[name]), TILED.get(name)
        verdict.say(least and count >= least, f"{count} of them in {name}, " +
                    (f"at least {least}" if least else "which is neither in TILED nor in UNTILED"))


def validate_count(verdict, words, what):
    """A whole run of weir-validate, whose own counts are added."""
    code, text = output(words)
    counts = re.search(r"(\d+) passed, (\d+) failed\s*$", text)
    if code or not counts or not int(counts[1]):
        print(text)
        verdict.say(False, f"{what}: ended with {code}")
        return
    verdict.passed += int(counts[1])
    print(f"ok     {what}: {counts[0].strip()}", flush=True)


def simde_check(verdict, program):
    code, text = output(["objdump", "-d", "--no-show-raw-insn", program])
    verdict.say(code == 0 and "%zmm" not in text, "no AVX-512 instruction in weir-validate-simde")
    validate_count(verdict, [program, "--isa", "avx512", "--quick"], "AVX-512 sources through SIMDe")


def emulated_check(verdict, arguments):
    expected = avx2_hashes(verdict, arguments.static)
    control = avx2_hashes(verdict, arguments.static, CONTROL)
    commands = [" ".join(command) for command in COMMANDS]
    serial, seconds = emulator.run(arguments.work, arguments.init, [arguments.static], commands, BOOT_SECONDS)
    found = emulator.problems(serial, commands)
    verdict.say(not found, f"emulated machine: {'; '.join(found) or 'ran all'}, {seconds:.0f} s")
    if found:
        print("".join(f"    | {line}\n" for line in serial.splitlines()[-20:]), end="")
    verdict.say(control and hashes(serial, "avx2") == control,
                "the emulator's AVX2 gives the bits of this CPU's")
    compare(verdict, expected, hashes(serial, "avx512"), "emulated avx512")


def native(verdict, arguments):
    validate_count(verdict, [arguments.validate, "--isa", "avx512"], "AVX-512 on this CPU")
    expected = avx2_hashes(verdict, arguments.validate)
    _, text = output([arguments.validate, "--isa", "avx512", "--hash"])
    compare(verdict, expected, hashes(text, "avx512"), "avx512")


def missing(arguments):
    lines = emulator.missing(arguments.work)
    if not arguments.simde:
        lines.append("no SIMDe: apt-get install libsimde-dev, and configure a new build folder")
    if not arguments.static:
        lines.append("no weir-validate-static: it needs libhwloc.a and a build without sanitizers")
    if output([arguments.validate, "--isa", "avx2", "--hash", "--cases", "1"])[0] == 77:
        lines.append("no AVX2 on this CPU: there is nothing to compare with")
    return lines


def has_avx512(program):
    return output([program, "--isa", "avx512", "--hash", "--cases", "1"])[0] != 77


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("validate", "kernels", "work", "simde", "static", "init"):
        parser.add_argument("--" + name)
    arguments = parser.parse_args()
    verdict = Verdict()
    emulate = os.environ.get("WEIR_EMULATE") == "1" or not has_avx512(arguments.validate)
    if emulate:
        lines = missing(arguments)
        if lines:
            return emulator.skip("validate-avx512", lines)
        simde_check(verdict, arguments.simde)
        emulated_check(verdict, arguments)
    else:
        native(verdict, arguments)
    disassembly_check(verdict, arguments.kernels)
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main())
