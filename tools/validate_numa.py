#!/usr/bin/env python3
# Validates where threads and memory go on machines with several NUMA nodes. SPDX-License-Identifier: Apache-2.0
"""usage: validate_numa.py --program PROGRAM --init PROGRAM --work FOLDER

Boots machines that qemu emulates and runs weir-numa (validate/emulator/numa.c) there:
  1. threads and pages must be where the plan says, also when mbind() is refused;
  2. without binding the same checks must fail, each of them;
  3. results must have the bits that they have on one node, and on this CPU.

Exit status: 0 all passed, 1 a failure, 77 something is missing (1 with REQUIRE_EMU=1). Nothing is
installed here; the lines that say what is missing say how to get it. The last line is
"N passed, N failed".
"""
import argparse
import os
import re
import subprocess
import sys
import time

import emulator
from verdict import Verdict

QEMU = "qemu-system-x86_64"
BOOT_SECONDS = int(os.environ.get("WEIR_EMU_SECONDS", "300"))
KERNEL_ARGUMENTS = ("console=ttyS0 loglevel=1 panic=-1 mitigations=off nokaslr cryptomgr.notests "
                    "numa_balancing=disable")

# Name to MiB of memory and CPUs of each node. The last node of the second machine has no CPU, the
# middle one no memory; its nearest is the last.
MACHINES = {
    "two nodes": [(512, "0-1"), (512, "2-3")],
    "a node without memory, one without CPUs": [(512, "0-1"), (0, "2-3"), (256, "")],
}
DISTANCES = {(0, 1): 30, (0, 2): 20, (1, 2): 20}
# Mode of weir-numa, and its exit status.
MODES = {"bound": 0, "refused": 0, "unbound": 1, "one": 0}


def machine(nodes):
    """Arguments of qemu."""
    words = ["-m", f"{sum(memory for memory, _ in nodes)}M", "-smp", "4,sockets=2,cores=2,threads=1"]
    for i, (memory, cpus) in enumerate(nodes):
        node = f"node,nodeid={i}"
        if cpus:
            node += f",cpus={cpus}"
        if memory:
            words += ["-object", f"memory-backend-ram,size={memory}M,id=memory{i}"]
            node += f",memdev=memory{i}"
        words += ["-numa", node]
    for (a, b), distance in DISTANCES.items():
        if b < len(nodes):
            words += ["-numa", f"dist,src={a},dst={b},val={distance}"]
    return words


def boot(work, nodes, archive):
    """Text of the serial port, and seconds."""
    begin = time.monotonic()
    serial, initrd = os.path.join(work, "numa-serial.txt"), os.path.join(work, "numa-initrd")
    with open(initrd, "wb") as file:
        file.write(archive)
    with open(serial, "wb"):
        pass
    words = [QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", *machine(nodes), "-nodefaults", "-no-user-config",
             "-display", "none", "-no-reboot", "-serial", f"file:{serial}",
             "-kernel", emulator.kernel_find(work), "-initrd", initrd, "-append", KERNEL_ARGUMENTS]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as qemu:
        emulator.wait(qemu, serial, BOOT_SECONDS)
    return emulator.read(serial), time.monotonic() - begin


def results(text):
    """Name to hash, and the losses."""
    return re.findall(r"^(?:hash|loss) .*$", text, re.M)


def parts(serial):
    """Mode to what weir-numa said."""
    return dict(re.findall(r"^EMU-RUN /weir-numa (\w+)\n(.*?)^EMU-RESULT", serial, re.M | re.S))


def lines(text, word):
    return re.findall(rf"^{word} +(?:threads|pages of .*): .*$", text, re.M)


def judge(verdict, name, serial, here):
    said = parts(serial)
    for mode in ("bound", "refused"):
        good, bad = lines(said.get(mode, ""), "ok"), lines(said.get(mode, ""), "FAILED")
        verdict.say(good and not bad,
                    f"{name}, {mode}: {len(good)} checks of threads and pages passed, {len(bad)} failed")
    checks = len(lines(said.get("bound", ""), "ok"))
    good, bad = lines(said.get("unbound", ""), "ok"), lines(said.get("unbound", ""), "FAILED")
    verdict.say(not good and len(bad) == checks > 0,
                f"{name}, unbound: {len(bad)} of the same {checks} checks failed, as they must")
    one = results(said.get("one", ""))
    for mode in ("bound", "refused", "unbound"):
        verdict.say(one and results(said.get(mode, "")) == one, f"{name}, {mode}: {len(one)} results as on one node")
    verdict.say(one and one == here, f"{name}: {len(here)} results as on this CPU")


def validate(verdict, arguments):
    commands = [f"/weir-numa {mode}" for mode in MODES]
    archive = emulator.initramfs(arguments.init, [arguments.program], commands)
    done = subprocess.run([arguments.program, "here"], stdout=subprocess.PIPE, text=True, check=False,
                          env={**os.environ, "WEIR_ISA": "avx2"})
    for name, nodes in MACHINES.items():
        serial, seconds = boot(arguments.work, nodes, archive)
        found = emulator.problems(serial, commands, list(MODES.values()))
        verdict.say(not found, f"{name}: {'; '.join(found) or 'ran all'}, {seconds:.0f} s")
        failed = verdict.failed
        judge(verdict, name, serial, results(done.stdout))
        if found or verdict.failed > failed:
            print("".join(f"    | {line}\n" for line in serial.splitlines()), end="")


def missing(arguments):
    """What is not here, one line each."""
    found = emulator.missing(arguments.work, {QEMU: "qemu-system-x86"})
    if not arguments.program:
        found.append("no weir-numa: it needs libhwloc.a, libcjson and a build without sanitizers")
    return found


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("program", "init", "work"):
        parser.add_argument("--" + name)
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)
    found = missing(arguments)
    if found:
        return emulator.skip("validate-numa", found)
    verdict = Verdict()
    validate(verdict, arguments)
    return verdict.end()


if __name__ == "__main__":
    sys.exit(main())
