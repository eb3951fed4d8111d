# SPDX-License-Identifier: MIT
"""Run the tests of the documents' programs and of all packages beside the lab: all, or those whose
name contains an argument.

Prints TAP.
"""
import multiprocessing
import os
import sys
import unittest

from .local import HERE, usual

PROCESSES = 6
VM = os.path.dirname(os.path.dirname(HERE))
DOCUMENTS = os.path.join(os.path.dirname(os.path.dirname(VM)), "Documentation")
PACKAGES = ((VM, "lab"), (VM, "guests"), (VM, "house"), (VM, "abi"), (DOCUMENTS, "pages"))


def each(suite):
    """The tests of a suite of suites."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


def tests():
    """The tests of all packages."""
    for folder, package in PACKAGES:
        yield from each(unittest.TestLoader().discover(
            os.path.join(folder, package, "tests"), top_level_dir=folder))


class Verdict(unittest.TestResult):
    """The result of one test: its word in TAP, the text behind its name, and the reason."""

    word, more, why = "ok", "", ""

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.more = f" # SKIP {reason}"

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.word, self.why = "not ok", self.failures[-1][1] + getattr(test, "said", "")

    def addError(self, test, err):
        super().addError(test, err)
        self.word, self.why = "not ok", self.errors[-1][1] + getattr(test, "said", "")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.word = "not ok"
            self.why += f"{subtest}\n{(self.failures + self.errors)[-1][1]}"


def judge(test):
    """Run one test, in a process that also runs others."""
    verdict = Verdict()
    test.run(verdict)
    return verdict.word, verdict.more, verdict.why


def main():
    """Run all tests, some at a time, because most of them wait for apt."""
    found = [test for test in tests()
             if not sys.argv[1:] or any(word in test.id() for word in sys.argv[1:])]
    print(f"TAP version 13\n1..{len(found)}", flush=True)
    # built once, because the processes inherit them
    usual()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        for number, (test, (word, more, why)) in enumerate(zip(found, pool.imap(judge, found)), 1):
            print(f"{word} {number} {test.id().rpartition('.test_')[2]}{more}")
            print("".join(f"# {line}\n" for line in why.splitlines()), end="", flush=True)
            counts["failed" if word != "ok" else "skipped" if more else "passed"] += 1
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
