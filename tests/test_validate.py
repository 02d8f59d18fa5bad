#!/usr/bin/env python3
# weir-validate from outside: its exit codes. SPDX-License-Identifier: Apache-2.0
"""usage: test_validate.py WEIR-VALIDATE WEIR-VALIDATE-ON-A-CPU-WITHOUT-AVX2"""
import subprocess
import sys
import unittest

VALIDATE, VALIDATE_OLD_CPU = "", ""
FEW = ["--kernel", "add", "--quick"]


def run(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class ExitCode(unittest.TestCase):
    def test_passed(self):
        code, out, _ = run(VALIDATE, "--isa", "generic", *FEW)
        self.assertEqual(code, 0, out)
        self.assertTrue(out.endswith("1 passed, 0 failed\n"), out)

    def test_usage(self):
        for wrong in (["--isa", "mmx"], ["--kernel", "nonesuch"], ["--cases", "0"], ["surplus"]):
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


if __name__ == "__main__":
    VALIDATE, VALIDATE_OLD_CPU = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
