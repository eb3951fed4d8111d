# SPDX-License-Identifier: MIT
"""The TAP of one guest: passed, failed, skipped.

A guest marks where each of its programs begins and ends:

    # begin NAME            the TAP of a test program begins
    # end NAME STATUS       the program has ended
    # unload failed: NAME   a module could not be unloaded
    has played TONE=...     a program has played a tone: see selftests/vm/heard
"""
from __future__ import annotations

import collections
import os
import re
import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple

from . import ktap, log, places

SAID_LINES = 12
# statuses of a test program that has not failed: 4 is for "skipped"
GOOD = (0, 4)

PLAYED = re.compile(r"has played (\d+=\d+:\d+:\d+)$")
# lines of the harness about a test; all other lines are from the test itself
HARNESS = re.compile(r"# +(RUN|OK|FAIL|SKIP) ")


class Case(NamedTuple):
    """The result of one test, for report.junit()."""

    program: str
    name: str
    seconds: float = 0
    failed: str | None = None	# what was said of it
    skipped: str | None = None	# the reason


class Counts(NamedTuple):
    """Results of tests."""

    passed: int
    failed: int
    skipped: int


def quote(lines: collections.deque[str]) -> str:
    """Print the lines of a test below its result."""
    return "".join(f"      | {text}\n" for text in lines)


class Judge:
    """Counts the results of one guest, program by program, and prints them as they come."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.passed = self.failed = self.skipped = 0
        self.problems: list[str] = []	# as they are printed once more at the end
        self.all: list[str] = []	# programs that have ended
        self.times: list[tuple[float, str]] = []	# (seconds, test)
        self.tones: list[str] = []	# played by the guest
        self.cases: list[Case] = []	# all results
        # of the program that runs
        self.program: str | None = None
        self.reader = ktap.Reader()
        self.before = Counts(0, 0, 0)
        self.began = self.told = time.monotonic()	# told: time at which the last test ended
        self.reasons: collections.Counter[str] = collections.Counter()
        # lines of the test that runs
        self.said: collections.deque[str] = collections.deque(maxlen=SAID_LINES)

    @property
    def counts(self) -> Counts:
        """All results so far."""
        return Counts(self.passed, self.failed, self.skipped)

    def bad(self, text: str, more: str = "", case: Case | None = None) -> None:
        """Count a failure, and print it.  CASE: the test that has failed, if it is one."""
        self.failed += 1
        self.cases.append(case or Case(self.program or "guest", text.split("\n")[0], failed=more))
        self.problems.append(f"    {self.label}: {text}\n" +
                             "".join(more.splitlines(True)[:SAID_LINES]))
        print(f"  {self.label:<12} FAIL {text}\n{more}", end="", flush=True)

    def line(self, text: str) -> None:
        """Take a line from the guest."""
        if match := PLAYED.search(text):
            self.tones.append(match.group(1))
        for pattern, meaning in MEANINGS:
            if match := pattern.match(text):
                meaning(self, match)
                return
        if self.program and (line := self.reader.line(text)):
            if line.plan:
                self.plan(line)
            else:
                self.result(line)
        elif text.startswith("# ") and not HARNESS.match(text):
            self.said.append(text[2:])

    def begin(self, match: re.Match[str]) -> None:
        """A program begins."""
        self.program, self.reader = match.group(1), ktap.Reader()
        self.before = self.counts
        self.began = self.told = time.monotonic()

    def end(self, match: re.Match[str]) -> None:
        """A program has ended."""
        name, status = match.group(1), int(match.group(2))
        self.all.append(name)
        faults = self.reader.end()
        for fault in faults:
            self.bad(f"{name}: {fault}")
        if not faults and status not in GOOD and self.failed == self.before.failed:
            self.bad(f"{name}: ended with status {status}")
        passed, failed, skipped = (now - then for now, then in zip(self.counts, self.before))
        print(f"  {self.label:<12} {name:<12} {passed:3} passed {failed:2} failed "
              f"{skipped:2} skipped   {time.monotonic() - self.began:5.1f} s", flush=True)
        for reason, count in self.reasons.items():
            print(f"           {count} skipped: {reason}", flush=True)
        self.reasons.clear()
        self.program = None

    def complaint(self, match: re.Match[str]) -> None:
        """The guest itself has a problem."""
        self.bad(match.string.lstrip("# "))

    def skip(self, case: Case) -> None:
        """A test, or a program without tests, was skipped."""
        self.skipped += 1
        self.reasons[case.skipped or "it says nothing"] += 1
        self.cases.append(case)

    def plan(self, line: ktap.Line) -> None:
        """A program without tests has a reason."""
        if not line.number:
            assert self.program
            self.skip(Case(self.program, self.program, skipped=line.reason))

    def result(self, line: ktap.Line) -> None:
        """The result of one test."""
        assert self.program
        now = time.monotonic()
        seconds = now - self.told
        self.times.append((seconds, f"{self.program}: {line.name}"))
        self.told = now
        case = Case(self.program, line.name, seconds)
        if line.directive == "SKIP":
            self.skip(case._replace(skipped=line.reason))
        elif not line.passed:
            self.bad(f"{self.program}: {line.name}", quote(self.said),
                     case._replace(failed="\n".join(self.said)))
        else:
            self.passed += 1
            self.cases.append(case)
        self.said.clear()

    def finish(self, done: int | None, test: str = "") -> None:
        """No line follows.  DONE: the result of Guest.run(); TEST: the only test asked for."""
        if done is None:
            self.bad("the guest did not reach its end" +
                     (f" (in {self.program})" if self.program else ""))
        if not self.all:
            self.bad("no test ran" + (f": there is none called '{test}'" if test else ""))

    def listen(self, wav: str) -> None:
        """Does the file have exactly the tones that were played?"""
        heard = subprocess.run([os.path.join(places.TOP, "selftests/vm/heard"), wav, *self.tones],
                               stdout=subprocess.PIPE, text=True, check=False)
        if heard.returncode:
            self.bad("what was played is not what was heard", heard.stdout)
            return
        self.passed += 1
        self.cases.append(Case("heard", "what was played is what was heard"))
        print(f"  {self.label:<12} heard: {len(self.tones)} tones, sample for sample", flush=True)

    def compare(self, tap_log: str, reader: ktap.KernelReader) -> None:
        """Does the kernel's own reader count the same in the output of each program?"""
        if not reader:
            return
        with open(tap_log, encoding="utf-8", errors="replace") as text:
            for name, output in ktap.programs(text):
                if difference := reader.differs(output):
                    self.bad(f"{name}: {difference}")

    def trouble(self, reports: list[log.Report]) -> None:
        """Count each report of the kernel as a failure; print the first ten."""
        for report in reports[:10]:
            self.bad("kernel log: " + report[0], log.excerpt(report))

    def see(self, logs: str) -> None:
        """Print where the logs are, after a failure."""
        if self.failed:
            print(logs, end="", flush=True)
            self.problems.append(logs)


# The meaning of a line is that of the first pattern that matches.
MEANINGS: tuple[tuple[re.Pattern[str], Callable[[Judge, re.Match[str]], None]], ...] = (
    (re.compile(r"# begin (\S+)"), Judge.begin),
    (re.compile(r"# end (\S+) (\d+)"), Judge.end),
    (re.compile(r"# unload failed: \S+|Bail out!"), Judge.complaint),
)
