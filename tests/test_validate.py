#!/usr/bin/env python3
# weir-validate from outside: its exit codes. SPDX-License-Identifier: Apache-2.0
"""usage: test_validate.py WEIR-VALIDATE WEIR-VALIDATE-ON-A-CPU-WITHOUT-AVX2 WEIR-VALIDATE-THAT-NEVER-ENDS"""
import re
import subprocess
import sys
import unittest

VALIDATE, VALIDATE_OLD_CPU, VALIDATE_ENDLESS = "", "", ""
FEW = ["--kernel", "add", "--quick"]


def run(program, *arguments, timeout=120):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


class ExitCode(unittest.TestCase):
    def test_passed(self):
        code, out, _ = run(VALIDATE, "--isa", "generic", *FEW)
        self.assertEqual(code, 0, out)
        self.assertTrue(out.endswith("1 passed, 0 failed\n"), out)

    def test_usage(self):
        for wrong in (["--isa", "mmx"], ["--kernel", "nonesuch"], ["--cases", "0"], ["--limit", "-1"], ["surplus"]):
            code, _, error = run(VALIDATE, *wrong)
            self.assertEqual(code, 2)
            self.assertIn(wrong[-1], error)

    def test_named_instruction_set_that_cannot_run(self):
        for isa in ("avx2", "avx512"):
            code, out, _ = run(VALIDATE_OLD_CPU, "--isa", isa, *FEW)
            self.assertEqual(code, 77, out)
            self.assertIn(f"SKIP {isa}: ", out)

    def test_one_of_two_cannot_run(self):
        code, out, _ = run(VALIDATE_OLD_CPU, "--isa", "generic,avx2", *FEW)
        self.assertEqual(code, 77, out)
        self.assertIn("1 passed, 0 failed", out)

    def test_what_cannot_run_is_left_out(self):
        code, out, _ = run(VALIDATE_OLD_CPU, *FEW)
        self.assertEqual(code, 0, out)
        self.assertIn("SKIP avx2: the CPU has no AVX2\n", out)
        self.assertIn("2 passed, 0 failed", out)  # scalar, generic


class Limit(unittest.TestCase):
    ENDLESS = ["--isa", "generic", "--limit", "1", "--kernel"]

    def repro(self, out):
        """The one repro line, which must fail as the run did."""
        lines = re.findall(r"^    repro: weir-validate (.*)$", out, re.M)
        self.assertEqual(len(lines), 1, out)
        code, again, _ = run(VALIDATE_ENDLESS, *lines[0].split())
        self.assertEqual(code, 1, again)
        self.assertIn("no end within", again)

    def test_kernel(self):
        code, out, _ = run(VALIDATE_ENDLESS, *self.ENDLESS, "add,loss_mae")
        self.assertEqual(code, 1, out)
        self.assertIn("FAIL add generic case 0: no end within 1 s", out)
        self.assertRegex(out, r"\nloss_mae +generic .* ok\n1 passed, 1 failed\n$")  # the rest runs
        self.repro(out)

    def test_op_in_a_worker(self):
        code, out, _ = run(VALIDATE_ENDLESS, *self.ENDLESS, "exp,op_activation", "--threads", "2")
        self.assertEqual(code, 1, out)
        self.assertRegex(out, r"\nFAIL op_activation generic case \d+: no end within")
        self.assertTrue(out.endswith("\n1 passed, 1 failed\n"), out)
        self.repro(out)

    def test_no_limit(self):
        with self.assertRaises(subprocess.TimeoutExpired):
            run(VALIDATE_ENDLESS, "--isa", "generic", "--kernel", "add", "--limit", "0", timeout=2)


if __name__ == "__main__":
    VALIDATE, VALIDATE_OLD_CPU, VALIDATE_ENDLESS = sys.argv[1:4]
    unittest.main(argv=sys.argv[:1])
