#!/usr/bin/env python3
# Checks that docs/adding-a-kernel.patch still does what its page says. SPDX-License-Identifier: Apache-2.0
"""usage: check_example.py ROOT [--build FOLDER]

The worked example of docs/adding-a-kernel.md must apply to the tree. With --build it is applied to a
copy in FOLDER (which is made anew), built there, validated, tested, and broken: minutes.

Exit status: 0 all is well, 1 it is not, 77 there is no git here. The last line of a build is
"N passed, N failed".
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

PATCH = "docs/adding-a-kernel.patch"
CHECKS = ["affine_fwd", "affine_bwd_weights", "op_affine"]
SKIPPED = (".git", "__pycache__", "build-ci-")


def apply(root, *options):
    """git looks for no repository above root, where the paths of the patch would mean something else."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": os.path.dirname(root)}
    done = subprocess.run(["git", "apply", *options, os.path.join(root, PATCH)], cwd=root, env=environment,
                          capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def applies(root):
    good, why = apply(root, "--check")
    if not good and not apply(root, "--check", "--reverse")[0]:
        print(f"{why}{PATCH} does not apply; the page's last section says how to renew it")
        return False
    return True


def copy(root, folder):
    def skip(path, names):
        """Build folders too, whatever they are called."""
        return [name for name in names if name.startswith(SKIPPED) or
                os.path.isdir(os.path.join(path, name, "meson-private"))]

    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root, folder, ignore=skip)


def build(root, folder):
    """Applies, builds and tries the example in a copy of the tree; how many steps passed and failed."""
    copy(root, folder)
    good, why = apply(folder)
    if not good:
        print(why)
        return 0, 1
    names = ",".join(CHECKS)
    steps = [
        ["meson", "setup", "--werror", "--auto-features=disabled", "-Dvalidate=enabled", "-Dtests=enabled", "build"],
        ["ninja", "-C", "build", "validate/weir-validate", "tests/test_affine"],
        ["build/validate/weir-validate", "--kernel", names],
        ["build/tests/test_affine"],
        ["tools/mutation.py", "build", *CHECKS],
    ]
    for passed, step in enumerate(steps):
        print("$", " ".join(step), flush=True)
        if subprocess.run(step, cwd=folder, check=False).returncode:
            return passed, 1
    return len(steps), 0


def main():
    parser = argparse.ArgumentParser(usage=re.search("usage: (.*)", __doc__)[1])
    parser.add_argument("root")
    parser.add_argument("--build")
    arguments = parser.parse_args()
    root = os.path.abspath(arguments.root)
    if not shutil.which("git"):
        print("no git here")
        return 77
    if not arguments.build:
        return 0 if applies(root) else 1
    passed, failed = build(root, os.path.abspath(arguments.build))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
