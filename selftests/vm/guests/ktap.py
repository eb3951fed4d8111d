# SPDX-License-Identifier: MIT
"""KTAP, as a strict reader wants it, and as the kernel's own reader sees it.

The format is described in the kernel's Documentation/dev-tools/ktap.rst.  The errors that
readers accept differ from one reader to another, so the lab accepts none.
"""
from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

VERSION = re.compile(r"(?:KTAP version 1|TAP version 1[34])$")
PLAN = re.compile(r"1\.\.(\d+)(?: # SKIP(?: (.*))?)?$")
RESULT = re.compile(r"(not )?ok (\d+) (?:- )?([^#\s][^#]*?)(?: # (.*))?$")
DIRECTIVE = re.compile(r"(SKIP|XFAIL|TODO|TIMEOUT|ERROR)\b ?(.*)$")
# a line that is meant to be one of these
MEANT = re.compile(r"\s*(?:not )?ok\b|\s*(?:K?TAP version|1\.\.)\s?\d|\s*\d+\.\.\d+\s*$")


class Line(NamedTuple):
    """A line that has a meaning: a plan or a result."""

    number: int	# of the plan: how many tests there will be
    passed: bool = True
    name: str = ""
    directive: str = ""	# SKIP, for example
    reason: str = ""
    plan: bool = False


class Reader:
    """Reads the output of one program, and remembers what is wrong with it."""

    def __init__(self) -> None:
        self.planned: int | None = None
        self.seen = 0
        self.versions = 0
        self.faults: list[str] = []

    def line(self, text: str) -> Line | None:
        """Take a line.  Returns a plan or a result; None if the line is neither, or is wrong."""
        if VERSION.match(text):
            self._version()
        elif match := PLAN.match(text):
            return self._plan(int(match.group(1)), match.group(2) or "", " # SKIP" in text)
        elif match := RESULT.match(text):
            return self._result(match)
        elif MEANT.match(text) and not text.startswith("#"):
            self.faults.append(f"not KTAP: '{text}'")
        return None

    def end(self) -> list[str]:
        """No line follows; returns what was wrong."""
        if self.planned is None:
            self.faults.append("no TAP plan")
        elif self.planned != self.seen:
            self.faults.append(f"{self.planned} tests planned, {self.seen} reported")
        return self.faults

    def _version(self) -> None:
        self.versions += 1
        if self.versions > 1:
            self.faults.append("a second version line")
        if self.planned is not None or self.seen:
            self.faults.append("the version is not the first line")

    def _plan(self, number: int, reason: str, skips: bool) -> Line | None:
        if not self.versions:
            self.faults.append("no version line before the plan")
        if self.planned is not None:
            self.faults.append("a second plan")
            return None
        if self.seen:
            self.faults.append("the plan is behind a result")
        if skips and number:
            self.faults.append("a plan that skips has tests")
        if not number and not reason:
            self.faults.append("a plan without tests gives no reason")
        self.planned = number
        return Line(number, directive="SKIP" if skips else "", reason=reason, plan=True)

    def _result(self, match: re.Match[str]) -> Line:
        self.seen += 1
        number = int(match.group(2))
        if number != self.seen:
            self.faults.append(f"result {number} comes as number {self.seen}")
        directive = DIRECTIVE.match(match.group(4) or "")
        word, reason = (directive.group(1), directive.group(2).strip()) if directive else ("", "")
        if word == "SKIP" and not reason:
            self.faults.append(f"'{match.group(3)}' skips without a reason")
        return Line(number, not match.group(1), match.group(3), word, reason)


class Sum(NamedTuple):
    """Results of tests, as a reader has counted them."""

    passed: int
    failed: int
    skipped: int


def count(lines: Iterable[str]) -> tuple[Sum, list[str]]:
    """The results in the output of one program, and what is wrong with it, by the strict reader."""
    reader = Reader()
    passed = failed = skipped = 0
    for text in lines:
        line = reader.line(text)
        if not line or line.plan:
            continue
        if line.directive == "SKIP":
            skipped += 1
        elif line.passed:
            passed += 1
        else:
            failed += 1
    return Sum(passed, failed, skipped), reader.end()


def programs(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """(name, output) of the programs in the output of a guest."""
    name, output = "", list[str]()
    for text in lines:
        text = text.rstrip("\r\n")
        if text.startswith("# begin "):
            name, output = text.split()[2], []
        elif text.startswith("# end ") and name:
            yield name, output
            name = ""
        elif name:
            output.append(text)


class KernelReader:
    """The kernel's own reader, tools/testing/kunit/kunit_parser.py of its source."""

    def __init__(self, harness: str) -> None:
        self.folder = os.path.join(harness, "tools", "testing", "kunit")
        self.parser: Any = None
        self.printer: Any = None
        if os.path.exists(os.path.join(self.folder, "kunit_parser.py")):
            bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
            sys.path.insert(0, self.folder)
            try:
                self.parser = importlib.import_module("kunit_parser")
                self.printer = importlib.import_module("kunit_printer")
            finally:
                # another harness may have others
                for name in ("kunit_parser", "kunit_printer"):
                    sys.modules.pop(name, None)
                sys.path.remove(self.folder)
                sys.dont_write_bytecode = bytecode

    def __bool__(self) -> bool:
        """Is there one?"""
        return self.parser is not None

    def count(self, lines: Iterable[str]) -> tuple[Sum, int]:
        """The results in some output, and the number of errors that it has found."""
        test = self.parser.parse_run_tests(lines, self.printer.Printer(print=False))
        counts = test.counts
        return (Sum(counts.passed, counts.failed + counts.crashed, counts.skipped),
                counts.errors)

    def differs(self, lines: list[str]) -> str:
        """What this reader sees otherwise than the strict one in the output of a program."""
        ours, _ = count(lines)
        theirs, errors = self.count(lines)
        # it takes a program without tests for an error
        if errors and sum(ours):
            return f"kunit_parser.py finds {errors} errors"
        if theirs != ours:
            return (f"kunit_parser.py counts {theirs.passed} passed, {theirs.failed} failed, "
                    f"{theirs.skipped} skipped")
        return ""
