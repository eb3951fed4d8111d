# SPDX-License-Identifier: MIT
"""The tests with Secure Boot, one guest at a time.

A guest passes as the guests of check do: it reports its end, its program has reached its plan and
has succeeded, and the kernel's log has no report of a bug.
"""
from __future__ import annotations

from collections.abc import Sequence

from . import firmware, places, report
from .check import without_twins
from .guest import Guest
from .judge import Judge


def secureboot_one(line: str) -> Judge:
    """One kernel; returns its Judge."""
    firmware.prepare(line)
    guest = Guest(line, "secureboot")
    print(f"==> {guest.release}: booting with Secure Boot", flush=True)
    judge = Judge(line)
    judge.finish(guest.run(judge.line))
    judge.trouble(guest.trouble())
    judge.see(f"    logs: {guest.tap_log}\n          {guest.kernel_log}\n")
    return judge


def secureboot(lines: Sequence[str]) -> int:
    """The command."""
    places.stage_guest()
    judges = [secureboot_one(line) for line in without_twins(lines)]
    print(report.summary(judges), end="", flush=True)
    return report.status(judges)
