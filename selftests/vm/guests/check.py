# SPDX-License-Identifier: MIT
"""All tests, on several guests at a time.

A guest passes if it reports its end, every test program reached its plan and succeeded, and
the kernel's log has no report of a bug.
"""
from __future__ import annotations

import concurrent.futures
import os
import re
import shutil
from collections.abc import Iterable, Sequence

from . import ktap, places, report
from .guest import Guest
from .judge import Judge

GUEST_GIGABYTES = 4	# most have 3, one has 7

# (kernel, test, part) of a guest
Work = tuple[str, str, str]


def place_of_coverage(release: str, test: str, part: str) -> str | None:
    """The file for a guest's coverage, which selftests/vm/coverage reads, or None."""
    if test not in ("", "races", "fuzz"):
        return None
    folder = os.path.join(places.BUILD, "coverage", release)
    os.makedirs(folder, exist_ok=True)
    reached = os.path.join(folder, test or part or "tests")
    # coverage of an earlier run does not count for this one
    if os.path.exists(reached):
        os.unlink(reached)
    return reached


def check_one(line: str, test: str, part: str, settings: Sequence[str]) -> Judge:
    """One kernel through all tests, or a part of them; returns its Judge."""
    guest = Guest(line, "check", test, part, settings)
    print(f"==> {guest.release}: booting" + (f" ({part})" if part else ""), flush=True)
    reached = place_of_coverage(guest.release, test, part)
    judge = Judge("/".join(filter(None, (line, part))))
    judge.finish(guest.run(judge.line), test)
    if judge.tones:
        judge.listen(os.path.join(guest.out, "out.wav"))
    coverage = os.path.join(guest.out, "coverage")
    if reached and os.path.exists(coverage):
        shutil.copy(coverage, reached)
    judge.compare(guest.tap_log, ktap.KernelReader(os.path.join(places.LAB, "harness")))
    judge.trouble(guest.trouble())
    judge.see(f"    logs: {guest.tap_log}\n          {guest.kernel_log}\n")
    return judge


def guests_for(lines: Sequence[str], test: str, part: str) -> list[Work]:
    """The guests for the tests of these kernels."""
    guests: list[Work] = []
    splits = False
    if test in ("bounced", "numa", "scarce"):
        part = test
    for line in lines:
        # injected faults, and some tests beside them, take as long as all other tests
        split = not test and places.is_debug(line)
        guests += [(line, test, part)] if part or not split else [
            (line, test, "rest"), (line, test, "faults")]
        splits |= split
    lines = [line for line in lines if not line.endswith("-arm64")]
    if not test and not part and len(lines) > 1:
        # all kernels: also the newest behind an IOMMU, which debug kernels do
        # not have, and a guest for the test that needs its own
        newest = max(lines, key=lambda line: places.natural(places.kernel_of(line).release))
        guests += [(newest, "", "iommu")] if not splits else []
        guests += [(newest, "large", ""), (newest, "ac97", "gapless"),
                   (newest, "", "bounced"), (newest, "numa", "numa"),
                   (newest, "scarce", "scarce")]
    return guests


def available_megabytes() -> int:
    """Available memory of this machine."""
    with open("/proc/meminfo", encoding="utf-8") as text:
        found = re.search(r"MemAvailable: *(\d+)", text.read())
    return int(found.group(1)) >> 10 if found else 0


def guests_at_once(processors: int, gigabytes: int, debug: bool) -> int:
    """The number of guests at a time: a guest uses one CPU, and waits for half of its time.

    A debug kernel does not wait.
    """
    if debug:
        return processors
    return max(2, min(2 * processors, gigabytes // GUEST_GIGABYTES))


def without_twins(lines: Iterable[str]) -> list[str]:
    """The kernels, each once, because two roles may be one kernel."""
    once: dict[str, str] = {}
    for line in lines:
        other = once.setdefault(places.kernel_of(line).release, line)
        if other != line:
            print(f"==> '{line}' is the same kernel as '{other}': testing it once", flush=True)
    return list(once.values())


def check(lines: Sequence[str], test: str, part: str, settings: Sequence[str],
          junit: str = "") -> int:
    """All kernels, several at a time.  JUNIT: a file for the results, in JUnit's format."""
    if junit:
        report.writable(junit)
    places.stage_guest()
    lines = without_twins(lines)
    guests = guests_for(lines, test, part)
    workers = guests_at_once(os.cpu_count() or 1, available_megabytes() >> 10,
                             any(map(places.is_debug, lines)))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        judges = list(pool.map(lambda guest: check_one(*guest, settings), guests))
    print(report.summary(judges), end="", flush=True)
    if junit:
        report.write(junit, report.junit(judges))
    return report.status(judges)
