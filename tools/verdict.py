# Counts checks, one line each. SPDX-License-Identifier: Apache-2.0


class Verdict:
    def __init__(self):
        self.passed = self.failed = 0

    def say(self, good, text):
        print(f"{'ok    ' if good else 'FAILED'} {text}", flush=True)
        self.passed += bool(good)
        self.failed += not good

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0
