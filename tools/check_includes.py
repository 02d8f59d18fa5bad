#!/usr/bin/env python3
# Checks that includes point one way . SPDX-License-Identifier: Apache-2.0
"""usage: check_includes.py [ROOT]

include <- runtime <- kernels <- train, bench, validate. train, bench and examples see public
headers (and their own), validate also kernels/kernels.h; a *_simd.c sees only the vector layer,
vmath.h and the kernel table, and the oracle (*_scalar.c) none of the vector layer.
"""
import os
import re
import sys

from sources import CODE, files, report

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')

# First match decides: pattern of the file, patterns of what it may include with "...".
MAY_SEE = [
    (r"include/weir/", [r"weir/"]),
    (r"runtime/", [r"weir/", r"runtime/"]),
    (r"kernels/vec.*\.h", [r"kernels/vec_\w+\.h"]),
    (r"kernels/vmath\.h", [r"kernels/(vec\.h|vmath_width\.def)", r"weir/ops\.h"]),
    (r"kernels/tile\.h", [r"kernels/(vec|vmath)\.h", r"weir/ops\.h"]),
    (r"kernels/rows\.h", [r"kernels/vec\.h"]),
    (r"kernels/pool_tile\.h", [r"kernels/vec\.h"]),
    (r"kernels/columns\.h", [r"kernels/tile\.h"]),
    (r"kernels/conv1d_product\.h", [r"kernels/kernels\.h"]),
    (r"kernels/transpose\.h", [r"kernels/vec\.h"]),
    (r"kernels/conv1d_lanes\.h", [r"kernels/(columns|conv1d_product|transpose)\.h"]),
    (r"kernels/\w+_simd\.c", [r"kernels/(dmath|vec|vmath|tile|columns|conv1d_product|conv1d_lanes|transpose|kernels|gru|gru_block|gru_outer|gru_tile|lstm|lstm_block|pool_tile|conv1d_pool|rnn|rows|steps)\.h"]),
    (r"kernels/\w+_scalar\.c", [r"kernels/(kernels|gru|lstm|oracle|rnn)\.h", r"weir/"]),
    (r"kernels/", [r"weir/", r"runtime/runtime\.h", r"kernels/"]),
    (r"train/", [r"weir/", r"train/"]),
    (r"bench/", [r"weir/", r"bench/"]),
    (r"validate/", [r"weir/", r"runtime/runtime\.h", r"kernels/(kernels\.(h|def)|(gru|lstm|conv1d_pool|recurrent|rnn)\.h)", r"validate/"]),
    (r"examples/", [r"weir/"]),
    (r"tests/", [r""]),
]

# System and third-party headers that only some files may use.
OWNERS = [
    (r"hwloc", r"runtime/topology\.c"),
    (r"omp\.h", r"runtime/pool_openmp\.c|bench/.*"),
    (r"\w*intrin\.h", r"kernels/vec_\w+\.h|runtime/.*|bench/.*"),
    (r"curl/|archive", r"train/data/.*|train/cli/.*|train/keras/.*"),
    (r"hdf5", r"train/keras/.*"),
    (r"zlib", r"train/data/gunzip\.c"),
    (r"cJSON|cjson/", r"train/.*"),
    (r"dnnl", r"bench/.*"),
    (r"benchmark/", r"bench/.*"),
    (r"cmocka\.h", r"tests/.*"),
]
PLAIN = r"(stdint|stddef|stdbool|string|math|float|limits)\.h"  # all that a kernel may use


def may_see(path):
    for pattern, allowed in MAY_SEE:
        if re.match(pattern, path):
            return allowed
    return []


def check_own(root, path, name):
    beside = os.path.join(os.path.dirname(path), name)
    if "/" not in name and os.path.exists(os.path.join(root, beside)):
        name = beside
    if not any(re.match(p, name) for p in may_see(path)):
        return f'must not include "{name}"'
    if not any(os.path.exists(os.path.join(root, d, name)) for d in ("", "include")):
        return f'"{name}" is not a path from the root or include/'
    return None


def check_system(path, name):
    if name.startswith("weir/"):
        return None if path.startswith("examples/") else f'<{name}> should be "{name}"'
    if re.match(r"kernels/\w+_(simd|scalar)\.c", path) and not re.fullmatch(PLAIN, name):
        return f"a kernel must not include <{name}>"
    for pattern, owner in OWNERS:
        if re.match(pattern, name) and not re.fullmatch(owner, path):
            return f"must not include <{name}>: only {owner} may"
    return None


def check(root):
    paths = files(root, CODE)
    problems = []
    for path in paths:
        with open(os.path.join(root, path), encoding="utf-8") as source:
            for number, line in enumerate(source, 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                own, system = match.groups()
                problem = check_own(root, path, own) if own else check_system(path, system)
                if problem:
                    problems.append(f"{path}:{number}: {problem}")
    return problems, len(paths)


if __name__ == "__main__":
    sys.exit(report("check_includes", *check(sys.argv[1] if len(sys.argv) > 1 else ".")))
