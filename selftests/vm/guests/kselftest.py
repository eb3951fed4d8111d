# SPDX-License-Identifier: MIT
"""The installed tests on a plain machine, by the kernel's run_kselftest.sh.

The guest is a Debian on which Sluice's modules, tool and tests are installed.  It has no device
of the lab, so tests of such devices must skip.  Three runs are judged:

    without-modules     no module can be loaded: all must skip
    installed           the programs of PROGRAMS; the first one loads sluice-soft
    without-root        all must skip
"""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from . import ktap, places
from .guest import Guest

# These have tests that need no device of the lab.
PROGRAMS = ("access", "account", "buffer", "depth", "fence", "frames", "grown", "heapnode",
            "limits", "queue", "rules", "uapi", "tool.sh", "dmaheap.sh")
# These have no others.
SKIPPING = ("ac97", "p2p", "faults_p2p", "registers.sh", "doctor.sh", "kunit.sh")
# run without the modules, and without root
UNABLE = ("uapi", "tool.sh")
RUNS = {"without-modules": UNABLE, "installed": (*PROGRAMS, *SKIPPING), "without-root": UNABLE}

PREFIX = "# selftests: sluice: "


class Tap:
    """Prints TAP, and counts."""

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0

    def result(self, good: bool, name: str, said: Iterable[str] = ()) -> None:
        """One test."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("".join(f"# {line}\n" for line in said), end="")
        print(f"{'' if good else 'not '}ok {self.passed + self.failed} {name}", flush=True)


def inner(output: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """(program, its own output) in the output of run_kselftest.sh, which puts "# " before it."""
    name, lines = "", list[str]()
    for text in output:
        if text.startswith(PREFIX):
            name, lines = text[len(PREFIX):], []
        elif name and text.startswith("#"):
            lines.append(text[2:])
        elif name:
            yield name, lines
            name = ""


def judge(tap: Tap, lines: Iterable[str], kernel: ktap.KernelReader) -> None:
    """Judge what a guest has printed."""
    runs = dict(ktap.programs(lines))
    for run, expected in RUNS.items():
        output = runs.get(run, [])
        programs = dict(inner(output))
        outer, faults = ktap.count(strip_skips(output))
        tap.result(sorted(programs) == sorted(expected),
                   f"{run}: run_kselftest.sh has run each program", output[-12:])
        skipping = SKIPPING if run == "installed" else expected
        wanted = ktap.Sum(len(expected) - len(skipping), 0, len(skipping))
        tap.result(outer == wanted and not faults, f"{run}: {wanted.passed} pass, "
                   f"{wanted.skipped} skip", [*faults, *(text for text in output
                                                         if text.startswith(("ok", "not ok")))])
        theirs, errors = kernel.count(output)
        tap.result(theirs == outer and not errors, f"{run}: kunit_parser.py counts the same",
                   [f"{theirs}, {errors} errors; expected {outer}"])
        for name in expected:
            said = programs.get(name, [])
            ours, faults = ktap.count(said)
            skips = name in skipping
            good = not faults and not ours.failed and (
                not ours.passed if skips else ours.passed > 0)
            difference = kernel.differs(said)
            tap.result(good and not difference, f"{run}: {name} prints KTAP, and "
                       f"{'skips with a reason' if skips else 'passes'}",
                       [*faults, difference, *said[-30:]])


def strip_skips(output: Iterable[str]) -> list[str]:
    """The runner's own results; it gives no reason for what it skips, because the program has."""
    return [text + " see above" if text.endswith("# SKIP") else text for text in output
            if not text.startswith("#")]


def kselftest(line: str, only: str = "") -> int:
    """The command.  ONLY: run these programs, and print the output, without judging it."""
    places.stage_guest()
    guest = Guest(line, "kselftest", modules_at=os.path.join(places.BUILD, "kselftest", "modules"))
    kernel = ktap.KernelReader(os.path.join(places.LAB, "harness"))
    if not kernel:
        print("1..0 # SKIP the kernel's source has no kunit_parser.py")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    with open(os.path.join(guest.out, "programs"), "w", encoding="utf-8") as out:
        out.write(only or " ".join(RUNS["installed"]))
    lines = list[str]()

    def take(text: str) -> None:
        lines.append(text)
        if only:
            print(text, flush=True)

    done = guest.run(take)
    if only:
        return done or 0
    tap = Tap()
    number = 3 * len(RUNS) + sum(map(len, RUNS.values())) + 2
    print(f"TAP version 13\n1..{number}", flush=True)
    tap.result(done == 0, "the guest ends, and its modules unload", lines[-12:])
    judge(tap, lines, kernel)
    trouble = guest.trouble()
    tap.result(not trouble, "the kernel does not complain", [text for each in trouble for text in each])
    print(f"{tap.passed} passed, {tap.failed} failed, {tap.skipped} skipped")
    return 1 if tap.failed else 0
