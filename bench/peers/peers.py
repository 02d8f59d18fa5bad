#!/usr/bin/env python3
# Weir beside PyTorch and Keras. SPDX-License-Identifier: Apache-2.0
"""Times training steps of 128 samples, and inference of 1 and of 128, of the book's models in Weir, PyTorch
and Keras: each framework in processes of its own, in turns, on equal weights and the same batch. Prints a
table in Markdown. WEIR_PEERS_ARGS holds more options. Exit status 1: nothing could be compared, or a
framework computed something else."""

import argparse
import contextlib
import os
import shlex
import signal
import sys
import tempfile

import results
from comparison import Comparison, rows
from models import MODELS
from process import HERE, Failed, Worker, find_python

EXIT_FAILURE = 1
MODULES = {"torch": ["torch", "numpy"], "keras": ["keras", "tensorflow"]}
INSTALL = {"torch": "apt-get install python3-torch libopenblas0-openmp",
           "keras": "pip install tensorflow-cpu in a virtual environment, then --keras VENV/bin/python"}


def names(text):
    chosen = text.split(",")
    for name in chosen:
        if name not in MODELS:
            raise argparse.ArgumentTypeError(f"'{name}', accepted: {','.join(MODELS)}")
    return chosen


def count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}', accepted: numbers above 0")
    return int(text)


def counts(text):
    return [count(word) for word in text.split(",")]


def parse(arguments):
    parser = argparse.ArgumentParser(prog="peers.py", description=__doc__, allow_abbrev=False)
    parser.add_argument("worker", metavar="WEIR_WORKER", help="build/bench/peers/weir_worker")

    def option(name, words, **more):
        parser.add_argument(name, help=words, **more)

    option("--models", "default: " + ",".join(MODELS), type=names, default=list(MODELS), metavar="LIST")
    option("--threads", "default: 1,2", type=counts, default=[1, 2], metavar="LIST")
    option("--rounds", "in which each takes its turn; default 7", type=count, default=7, metavar="N")
    option("--torch", "interpreter that has torch and numpy, or none; may be repeated; default: this one, "
                      "PATH's or the system's", action="append", metavar="PYTHON")
    option("--keras", "the same with keras and tensorflow", action="append", metavar="PYTHON")
    option("--json", "where to write the results too", metavar="FILE")
    option("--quick", "one round of single calls: times mean little", action="store_true")
    options = parser.parse_args(arguments)
    if not os.access(options.worker, os.X_OK):
        parser.error(f"{options.worker} is not a program; `ninja -C build` makes it")
    return options


def commands(options):
    """[command without the number of threads], and why others are missing."""
    found, missing = [], []
    for framework, modules in MODULES.items():
        for given in getattr(options, framework) or [None]:
            python, why = find_python(given, modules)
            if python:
                found.append([python, "-B", os.path.join(HERE, f"{framework}_worker.py")])
            else:
                missing.append(f"{framework}: {why}" + ("" if given else f"; {INSTALL[framework]}"))
    return found, missing


def start(options, folder, stack):
    """Workers whose greeting says that they can take part, the greetings, and why others are missing."""
    found, missing = commands(options)
    made = [Worker(command, threads, folder)
            for command in [[options.worker], *found] for threads in options.threads]
    for worker in made:
        stack.callback(worker.close)
    greetings, workers = {}, []
    for worker in made:
        try:
            greeting = worker.greet()
        except Failed as failure:
            if worker.command[0] == options.worker:
                raise
            missing.append(str(failure))
            continue
        if any((w.framework, w.threads) == (worker.framework, worker.threads) for w in workers):
            missing.append(f"{' '.join(worker.command)}: {worker.framework} is there already")
            continue
        greetings[worker.framework] = greeting
        workers.append(worker)
    return workers, greetings, list(dict.fromkeys(missing))


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def compare(options, workers, greetings, folder):
    """Prints the table as it grows; the rows, notes, and what was wrong."""
    peers = [name for name in greetings if name != "Weir"]
    print("\n".join(results.head(peers)), flush=True)
    made, notes, wrong = [], [], []
    for name in options.models:
        say(f"{name}: compiled and compared ...")
        one = Comparison(MODELS[name], workers, folder)
        one.check()
        say(f"{name}: timed ...")
        new = rows(name, one.run(1 if options.quick else options.rounds, options.quick))
        print("\n".join(results.line(row, peers) for row in new), flush=True)
        made, wrong = made + new, wrong + one.wrong
        notes += [f"{name}: {note}" for note in dict.fromkeys(one.notes)]
    return made, notes, wrong


def describe(greetings, missing):
    for name, greeting in greetings.items():
        print(f"{name}: {greeting['version']}, {greeting['about']}")
    for why in missing:
        print(f"missing: {why}")
    print(f"CPU: {greetings['Weir']['machine']['cpu']}\n")


def main(arguments):
    options = parse(arguments)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-peers-"))
        workers, greetings, missing = start(options, folder, stack)
        if len(greetings) < 2:
            say("\n".join(["peers.py: nothing to compare Weir with", *missing]))
            return EXIT_FAILURE
        describe(greetings, missing)
        made, notes, wrong = compare(options, workers, greetings, folder)
        for note in notes:
            print(note)
        for words in wrong:
            say(f"peers.py: {words}")
        if options.json:
            command = " ".join(arguments)
            results.write(options.json, results.document(made, greetings, command, options.quick, notes))
    return EXIT_FAILURE if wrong or not any(row["peers"] for row in made) else 0


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # an exit that cleans up
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        sys.exit(main([*shlex.split(os.environ.get("WEIR_PEERS_ARGS", "")), *sys.argv[1:]]))
    except (Failed, OSError) as error:
        sys.exit(f"peers.py: {error}")
