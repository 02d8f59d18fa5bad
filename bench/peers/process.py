# Worker processes: found, started, asked. SPDX-License-Identifier: Apache-2.0
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 400  # for an answer; compilers are slow
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """A worker that said that it can't, or that has ended."""

    def __init__(self, text, ended=False):
        super().__init__(text)
        self.ended = ended


def end_with_parent():
    """One that stands still would outlive a parent that is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def has_module(python, module):
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"
    return subprocess.run([python, "-c", code], stderr=subprocess.DEVNULL, check=False).returncode == 0


def find_python(given, modules):
    """An interpreter with these modules, the one given, else this one, PATH's or the system's; or what is
    missing."""
    if given == "none":
        return None, "left out"
    pythons = (
        [given]
        if given
        else list(dict.fromkeys(filter(None, (sys.executable, shutil.which("python3"), "/usr/bin/python3"))))
    )
    for python in pythons:
        if not shutil.which(python):
            return None, f"{python} is not a program"
        if all(has_module(python, module) for module in modules):
            return python, ""
    return None, f"no {' and '.join(modules)} in {', '.join(pythons)}"


class Worker:
    """A framework with a number of threads, in a process that stands still except while asked."""

    def __init__(self, command, threads, folder):
        self.command, self.threads = command, threads
        self.framework = " ".join(os.path.basename(word) for word in command)  # until it greets
        handle, self.log = tempfile.mkstemp(suffix=".log", dir=folder)
        number = str(threads)
        # OpenBLAS may have threads of its own; no GPU, this is about CPUs.
        environment = dict(os.environ, OMP_NUM_THREADS=number, OPENBLAS_NUM_THREADS=number,
                           MKL_NUM_THREADS=number, CUDA_VISIBLE_DEVICES="")
        with open(handle, "wb") as log:
            self.process = subprocess.Popen([*command, number], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=log, env=environment, preexec_fn=end_with_parent)
        self.rest = b""

    def greet(self):
        """Takes the framework's name. Another version of the same one gets a name of its own."""
        greeting = self.answer()
        if greeting.get("unfair"):
            raise Failed(f"{greeting['name']} {greeting['version']}: no fair peer: {greeting['unfair']}")
        self.framework = greeting["name"]
        if self.framework != "Weir":
            self.framework += f" {greeting['version'].partition('+')[0]}"
        return greeting

    def tell(self, *words):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # answer() says why

    def answer(self):
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
            got = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            if not got:
                raise Failed(f"{self.framework}: {self.why_silent(ready)}", ended=True)
            self.rest += got
        line, _, self.rest = self.rest.partition(b"\n")
        self.process.send_signal(signal.SIGSTOP)
        content = json.loads(line)
        if "error" in content:
            raise Failed(f"{self.framework}: {content['error']}")
        return content

    def ask(self, *words):
        self.tell(*words)
        return self.answer()

    def why_silent(self, ended):
        if not ended:
            self.process.kill()
            return f"no answer in {SECONDS} seconds"
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = file.read().strip().splitlines()
        return f"ended with status {self.status()}" + (f": {lines[-1]}" if lines else "")

    def status(self):
        try:
            return self.process.wait(5)
        except subprocess.TimeoutExpired:  # it only closed its output
            self.process.kill()
            return self.process.wait()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
