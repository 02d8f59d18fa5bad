#!/usr/bin/env python3
# Proves that the checks can fail: one offence each, in a tree of their own. SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import os
import tempfile
import unittest

import check_docs
import check_includes
import check_style
import emulator
import validate_avx512
import validate_numa
import verdict as counting

HEAD = "/* Subject. SPDX-License-Identifier: Apache-2.0 */\n"
HEADERS = {
    "include/weir/ops.h": HEAD + "#ifndef WEIR_OPS_H\n#define WEIR_OPS_H\n#endif\n",
    "runtime/runtime.h": HEAD + "#ifndef WEIR_RUNTIME_H\n#define WEIR_RUNTIME_H\n#endif\n",
    "kernels/kernels.h": HEAD + '#ifndef WEIR_KERNELS_H\n#include "weir/ops.h"\n#endif\n',
    "kernels/vec.h": HEAD + "#ifndef WEIR_VEC_H\n#endif\n",
    "train/data/series.h": HEAD + "#ifndef WEIR_SERIES_H\n#endif\n",
}


class Tree(unittest.TestCase):
    def problems(self, check, path, text):
        """Problems of a sound tree with this one file more."""
        with tempfile.TemporaryDirectory() as root:
            for name, content in {**HEADERS, path: text}.items():
                os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
                with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                    file.write(content)
            return check(root)[0]

    def includes(self, path, line):
        return self.problems(check_includes.check, path, HEAD + line + "\n")

    def style(self, body, path="runtime/x.c"):
        return self.problems(check_style.check, path, HEAD + body)


class Includes(Tree):
    def test_allowed(self):
        for path, line in [
            ("runtime/pool.c", '#include "weir/ops.h"'),
            ("runtime/topology.c", "#include <hwloc.h>"),
            ("kernels/conv1d.c", '#include "runtime/runtime.h"'),
            ("kernels/conv1d_simd.c", '#include "kernels/vec.h"'),
            ("kernels/conv1d_scalar.c", '#include "kernels/kernels.h"'),
            ("train/cli/main.c", '#include "train/data/series.h"'),
            ("validate/main.c", '#include "kernels/kernels.h"'),
            ("tests/test_x.c", '#include "kernels/vec.h"'),
            ("examples/x.c", "#include <weir/ops.h>"),
        ]:
            self.assertEqual(self.includes(path, line), [], f"{path}: {line}")

    def test_refused(self):
        for path, line in [
            ("include/weir/x.h", '#include "runtime/runtime.h"'),
            ("runtime/pool.c", '#include "kernels/kernels.h"'),
            ("runtime/pool.c", "#include <hwloc.h>"),
            ("kernels/conv1d.c", '#include "train/data/series.h"'),
            ("kernels/conv1d_simd.c", '#include "runtime/runtime.h"'),
            ("kernels/conv1d_simd.c", "#include <stdlib.h>"),
            ("kernels/conv1d_scalar.c", '#include "kernels/vec.h"'),
            ("train/cli/main.c", '#include "kernels/kernels.h"'),
            ("train/model/x.c", '#include "runtime/runtime.h"'),
            ("bench/x.cc", '#include "kernels/kernels.h"'),
            ("validate/main.c", '#include "kernels/vec.h"'),
            ("validate/main.c", "#include <dnnl.h>"),
            ("kernels/conv1d.c", '#include "kernels/nowhere.h"'),
            ("kernels/conv1d.c", '#include "nowhere.h"'),
            ("kernels/conv1d.c", "#include <weir/ops.h>"),
            ("elsewhere/x.c", '#include "weir/ops.h"'),
        ]:
            self.assertEqual(len(self.includes(path, line)), 1, f"{path}: {line}")


class Style(Tree):
    def test_allowed(self):
        self.assertEqual(self.style("typedef int fn(void *, int);\nint main(void) {\n}\n"), [])

    def test_refused(self):
        for body in [
            "typedef int my_t;\n", "struct my_t;\n", "typedef int *pointer;\n",
            "typedef int (*fn)(void);\n", "#if 0\n", "int a; \n", "\tint a;\n", "int a;",
            "// TO" "DO later\n", "// " + "x" * 120 + "\n",
            "int f(void) {\n" + "    ;\n" * 80 + "}\n",
        ]:
            self.assertEqual(len(self.style(body)), 1, body)

    def test_top_of_file(self):
        found = self.problems(check_style.check, "runtime/x.c", "int a;\n")
        self.assertEqual(len(found), 2)
        found = self.problems(check_style.check, "runtime/x.h", HEAD + "int a;\n")
        self.assertEqual(len(found), 1)

    def test_inline(self):
        found = self.style("inline int f(void);\n", "kernels/x_simd.c")
        self.assertEqual(len(found), 1)
        found = self.style("static inline int f(void);\n", "kernels/x_simd.c")
        self.assertEqual(found, [])


class Documents(Tree):
    PATCH = "--- a/kernels/x.c\n+++ b/kernels/x.c\n@@ -1 +1,2 @@\n int a;\n-int old;\n+int b;\n+    int c;\n"

    def docs(self, code, language="c"):
        with tempfile.TemporaryDirectory() as root:
            os.mkdir(os.path.join(root, "docs"))
            for name, text in (("x.patch", self.PATCH), ("x.md", f"```{language}\n{code}\n```\n")):
                with open(os.path.join(root, "docs", name), "w", encoding="utf-8") as file:
                    file.write(text)
            return check_docs.check(root)[0]

    def test_allowed(self):
        for code in ("int a;\nint b;\nint c;", "int b;", "    int c;"):
            self.assertEqual(self.docs(code), [], code)
        self.assertEqual(self.docs("int old;", "text"), [])

    def test_refused(self):
        for code in ("int old;", "int a;\nint c;", "int b;\nint d;"):
            self.assertEqual(len(self.docs(code)), 1, code)
        self.assertEqual(len(self.docs("int old;", "cpp")), 1)


class Emulator(unittest.TestCase):
    commands = ["/a --x", "/b"]

    def serial(self, *codes, run=None, end=True):
        text = "\nEMU-START\n"
        text += "".join(f"EMU-RUN /a\nEMU-RESULT rc={code} ms=12\n" for code in codes)
        failed = sum(code != 0 for code in codes)
        return text + f"EMU-DONE run={run if run is not None else len(codes)} failed={failed}\n" * end

    def test_allowed(self):
        self.assertEqual(emulator.problems(self.serial(0, 0), self.commands), [])

    def test_refused(self):
        for serial in ["", self.serial(0), self.serial(0, run=2), self.serial(0, 0, run=1),
                       self.serial(0, 0, end=False), self.serial(0, end=False), self.serial(0, 1),
                       self.serial(77, 0), self.serial(0, 132), self.serial(0, 0, 0),
                       self.serial(), "\nEMU-START\nKernel panic\n"]:
            self.assertEqual(len(emulator.problems(serial, self.commands)), 1, serial)

    def test_expected_failure(self):
        self.assertEqual(emulator.problems(self.serial(0, 1), self.commands, [0, 1]), [])
        for serial in [self.serial(0, 0), self.serial(0, 2), self.serial(1, 1), self.serial(0)]:
            self.assertGreater(len(emulator.problems(serial, self.commands, [0, 1])), 0, serial)


class Numa(unittest.TestCase):
    ok = "ok     threads: 4 of 4 where the plan says\nok     pages of 9 KiB: 3 of 3 where the plan says\n"
    hashes = "hash   conv 01\nloss   0.5\n"

    def failures(self, here=None, **said):
        bad = self.ok.replace("ok    ", "FAILED")
        said = {"bound": self.ok + self.hashes, "refused": self.ok + self.hashes, "unbound": bad + self.hashes,
                "one": self.hashes, **said}
        serial = "".join(f"EMU-RUN /weir-numa {mode}\n{text}EMU-RESULT rc=0 ms=1\n" for mode, text in said.items())
        verdict = counting.Verdict()
        with contextlib.redirect_stdout(io.StringIO()):
            validate_numa.judge(verdict, "test", serial, here or self.hashes.splitlines())
        self.assertEqual(verdict.passed + verdict.failed, 7)
        return verdict.failed

    def test_allowed(self):
        self.assertEqual(self.failures(), 0)

    def test_refused(self):
        wrong = self.ok.replace("ok     pages", "FAILED pages") + self.hashes
        self.assertEqual(self.failures(refused=wrong), 1)
        self.assertEqual(self.failures(unbound=wrong), 1) # some checks passed without binding
        self.assertEqual(self.failures(unbound=self.hashes), 1)
        self.assertEqual(self.failures(bound=wrong), 2) # and the control has fewer to match
        self.assertEqual(self.failures(bound=self.ok + self.hashes.replace("01", "02")), 1)
        self.assertEqual(self.failures(bound=self.ok), 1)
        self.assertEqual(self.failures(one=""), 4)
        self.assertEqual(self.failures(here=["hash   conv 03"]), 1)


class Hashes(unittest.TestCase):
    line = "{:22} {:8} {:6} cases {:11} numbers  hash {}  {}\n"

    def failures(self, expected, got):
        verdict = counting.Verdict()
        with contextlib.redirect_stdout(io.StringIO()):
            validate_avx512.compare(verdict, validate_avx512.hashes(expected, "avx2"),
                                    validate_avx512.hashes(got, "avx512"), "test")
        return verdict.failed

    def text(self, isa, *kernels, cases=26, value="0123456789abcdef", word="ok"):
        return "".join(self.line.format(kernel, isa, cases, 100, value, word) for kernel in kernels)

    def test_allowed(self):
        self.assertEqual(self.failures(self.text("avx2", "a", "b"), self.text("avx512", "a", "b")), 0)

    def test_refused(self):
        expected = self.text("avx2", "a", "b")
        for got in [self.text("avx512", "a"), self.text("avx512", "a", "b", "c"), self.text("avx2", "a", "b"),
                    self.text("avx512", "a", "b", cases=25), self.text("avx512", "a", "b", value="0" * 16),
                    self.text("avx512", "a", "b", word="FAIL (1 cases)"), ""]:
            self.assertGreater(self.failures(expected, got), 0, got)
        self.assertGreater(self.failures("", ""), 0)

    def test_registers(self):
        text = "conv1d_simd.c.o:     file format elf64-x86-64\n 0:\tvaddps %zmm17,%zmm3,%zmm31\n"
        self.assertEqual(validate_avx512.registers(text), {"conv1d_simd.c.o": {"zmm17", "zmm31"}})


if __name__ == "__main__":
    unittest.main()
