#!/usr/bin/env python3
# Breaks each kernel and op once and demands that weir-validate sees it. SPDX-License-Identifier: Apache-2.0
"""usage: mutation.py BUILD_DIR [KERNEL ...]

For each fault of tools/mutations.txt: a copy of the source with the fault is compiled for the generic
build and for AVX2, so that the two agree and only the oracle can tell (a driver of an op is compiled
once); linked into a copy of weir-validate; and `weir-validate --isa avx2 --quick --kernel KERNEL` must
end with 1 and print a repro line, which must fail too when it is pasted. Without a fault the same must
pass. Every check that `weir-validate --list` names, of a kernel or of an op, needs a fault. The build in
BUILD_DIR must be up to date; it is not changed. With names of kernels or ops only their faults are tried.

Exit status: 0 every fault was seen, 1 one was not, 2 wrong usage, 77 no AVX2 here. The last line is
"N passed, N failed". It takes about 1 second for 2 faults on 2 cores.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

ISAS = ("generic", "avx2")
RUN_SECONDS = 120
LIMIT = ["--limit", "20"]  # a fault may make a loop endless: weir-validate fails then, as it should


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def faults_read(path):
    """Blocks of `kernel`, `file`, `from`, `to` and `is` lines, with an empty line after each."""
    faults = []
    for block in re.split(r"\n\s*\n", read(path)):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            faults.append(dict(line.split(": ", 1) for line in lines))
    return faults


def patched(text, fault):
    """White space may differ: the sources are reformatted now and then."""
    pattern = r"\s+".join(re.escape(word) for word in fault["from"].split())
    text, count = re.subn(pattern, lambda _: fault["to"], text)
    if count != 1:
        raise RuntimeError(f"{fault['file']}: {fault['from']!r} matches {count} times, not once")
    return text


class Build:
    def __init__(self, directory):
        self.directory = os.path.abspath(directory)
        commands = json.loads(read(os.path.join(self.directory, "compile_commands.json")))
        self.compile = {entry["output"]: entry for entry in commands}
        out = subprocess.run(["ninja", "-C", self.directory, "-t", "commands", "validate/weir-validate"],
                             capture_output=True, text=True, check=True).stdout
        self.link = out.splitlines()[-1]
        self.root = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))

    def objects(self, source, to, include):
        """A kernel source becomes one object for each instruction set, any other one."""
        name = os.path.basename(source)
        entries = [self.compile.get(f"kernels/libkernels_{isa}.a.p/{name}.o") for isa in ISAS]
        if not all(entries):
            folder = os.path.basename(os.path.dirname(source))
            entries = [self.compile[f"libweir_internal.a.p/{folder}_{name}.o"]]
        for i, entry in enumerate(entries):
            words = shlex.split(entry["command"])
            words[words.index("-o") + 1] = f"{to}{i}.o"
            words[words.index("-c") + 1] = source
            options = next(k for k, word in enumerate(words) if word.startswith("-"))  # after "ccache gcc"
            words[options:options] = ["-I" + include]
            run(words + ["-MF", f"{to}{i}.d", "-O1", "-w"], self.directory)
        return [f"{to}{i}.o" for i in range(len(entries))]

    def program(self, objects, to):
        """The faulty objects come first, so that the linker takes nothing from the archive instead."""
        words = shlex.split(self.link)
        words[words.index("-o") + 1] = to
        words[words.index(to) + 1:words.index(to) + 1] = objects
        run(words, self.directory)


def run(words, directory):
    done = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}\n{done.stdout}{done.stderr}")


def source_of(build, fault):
    """The file to compile: for a header the one that `with` names."""
    return os.path.join(build.root, fault.get("with", fault["file"]))


def program_make(build, fault, scratch):
    copy = os.path.join(scratch, fault["file"])
    os.makedirs(os.path.dirname(copy))
    with open(copy, "w", encoding="utf-8") as file:
        file.write(patched(read(os.path.join(build.root, fault["file"])), fault))
    source = source_of(build, fault)
    if "with" not in fault:
        source = copy
    program = os.path.join(scratch, "weir-validate")
    build.program(build.objects(source, os.path.join(scratch, "faulty"), scratch), program)
    return program


def validate(program, arguments):
    done = subprocess.run([program, *arguments, *LIMIT], capture_output=True, text=True, check=False,
                          timeout=RUN_SECONDS)
    return done.returncode, done.stdout


def fault_try(build, fault):
    """Returns what is wrong, or None, and the first failure that was reported."""
    with tempfile.TemporaryDirectory(prefix="weir-mutation-") as scratch:
        program = program_make(build, fault, scratch)
        code, out = validate(program, ["--isa", "avx2", "--quick", "--kernel", fault["kernel"]])
        finding = re.search(r"^FAIL .*", out, re.M)
        repro = re.search(r"^ *repro: weir-validate (.*)", out, re.M)
        if code != 1:
            return f"exit code {code}, not 1: the fault was not seen", None
        if not repro or not finding:
            return "no repro line", None
        code, out = validate(program, shlex.split(repro.group(1)))
        if code != 1 or not re.search(r"^ *repro:", out, re.M):
            return f"the repro line ended with {code}: {repro.group(1)}", None
    return None, finding.group(0)


def guarded(build, fault):
    try:
        return fault_try(build, fault)
    except (RuntimeError, subprocess.SubprocessError, OSError, KeyError) as problem:
        return f"{type(problem).__name__}: {problem}", None


def unbroken(build, faults):
    """Without a fault the same files, compiled the same way, pass. Exit status and output."""
    with tempfile.TemporaryDirectory(prefix="weir-mutation-") as scratch:
        sources = sorted({source_of(build, fault) for fault in faults})
        objects = [build.objects(source, os.path.join(scratch, f"source{i}-"), scratch)
                   for i, source in enumerate(sources)]
        build.program(sum(objects, []), os.path.join(scratch, "weir-validate"))
        kernels = ",".join(sorted({fault["kernel"] for fault in faults}))
        return validate(os.path.join(scratch, "weir-validate"), ["--isa", "avx2", "--quick", "--kernel", kernels])


def checks_list(build):
    """What the program itself checks; an empty answer would demand nothing."""
    code, out = validate(os.path.join(build.directory, "validate", "weir-validate"), ["--list"])
    if code or not out.split():
        raise RuntimeError(f"weir-validate --list ended with {code} and printed {out!r}")
    return out.split()


def unprovoked(faults, checks):
    """Checks without a fault: how many."""
    lacking = sorted(set(checks) - {fault["kernel"] for fault in faults})
    for kernel in lacking:
        print(f"FAIL {kernel}: no fault in tools/mutations.txt")
    return len(lacking)


def try_all(build, faults):
    """How many faults were seen and how many not; None when AVX2 kernels can't run here."""
    passed, failed = 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        whole = pool.submit(unbroken, build, faults)
        tries = [pool.submit(guarded, build, fault) for fault in faults]
        code, out = whole.result()
        if code == 77:
            pool.shutdown(cancel_futures=True)
            return None
        if code:
            print(out + "FAIL without a fault")
            failed += 1
        for fault, attempt in zip(faults, tries):
            problem, finding = attempt.result()
            print(f"{fault['kernel']}: {fault['is']}: {'FAIL ' + problem if problem else 'seen'}", flush=True)
            if finding:
                print(f"    {finding}")
            passed += not problem
            failed += bool(problem)
    return passed, failed


def main(parser):
    arguments = parser.parse_args()
    try:
        build = Build(arguments.build)
        checks = checks_list(build)
    except (OSError, RuntimeError, KeyError, ValueError, subprocess.SubprocessError) as problem:
        parser.error(f"{arguments.build}: no folder of an up-to-date build with weir-validate: {problem}")
    for kernel in set(arguments.kernels) - set(checks):
        parser.error(f"{kernel}: no such check; weir-validate --list names them")
    faults = faults_read(os.path.join(build.root, "tools", "mutations.txt"))
    lacking = unprovoked(faults, checks)
    faults = [fault for fault in faults if not arguments.kernels or fault["kernel"] in arguments.kernels]
    counts = try_all(build, faults)
    if counts is None:
        print("1 skipped: no AVX2 here")
        return 77
    passed, failed = counts[0], counts[1] + lacking
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    USAGE, DESCRIPTION = __doc__.split("\n\n", 1)
    PARSER = argparse.ArgumentParser(usage=USAGE.removeprefix("usage: "), description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    PARSER.add_argument("build", metavar="BUILD_DIR", help="folder of an up-to-date build")
    PARSER.add_argument("kernels", metavar="KERNEL", nargs="*", help="a check of weir-validate --list")
    sys.exit(main(PARSER))
