# SPDX-License-Identifier: MIT
"""A check of the profile: cases whose counters must be right, in a guest."""
from __future__ import annotations

import os
import re
from typing import Any

from . import places
from .profile import AGREED, disagreement, run_cases

KNOWN = "known instructions"
CASES = ("submit an empty job, poll, read", "interrupt to poll() of the queue", KNOWN)
# Instructions with interrupts off around the known ones: the switches themselves.
AROUND = 4


def known(name: str) -> int:
    """A number of selftests/kernel/irqsource.h."""
    path = os.path.join(places.TOP, "selftests/kernel/irqsource.h")
    with open(path, encoding="utf-8") as text:
        found = re.search(rf"#define {name}\s+(\d+)", text.read())
    assert found
    return int(found.group(1))


def results(records: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    """What must hold, and whether it does."""
    found = []
    for record in records:
        for side in record["sides"]:
            found.append((f"{record['case']}, {side['name']}: {side['counted']:.0f} counted, "
                          f"{side['measured']:.0f} measured", abs(disagreement(side)) <= AGREED))
    empty = {row["symbol"]: row for row in records[0]["sides"][0]["symbols"]}
    for name, module in (("sluice_submit_job", "sluice"), ("do_syscall_64", "kernel")):
        found.append((f"{name} is in the profile of a job, and in its module",
                      name in empty and empty[name]["module"] == module))
    side = records[-1]["sides"][0]
    nops, locks = known("IRQSOURCE_KNOWN_NOPS"), known("IRQSOURCE_KNOWN_LOCKS")
    locked = sum(row["count"] for row in side["lock"]["symbols"]
                 if row["symbol"] == "irqsource_known")
    found.append((f"{locked:.0f} of {locks} LOCK operations counted", locked == locks))
    off = side["interrupts_off"]
    found.append((f"{off['instructions']} of {nops + locks} instructions with interrupts off, in "
                  f"{off['from']}", nops + locks <= off["instructions"] <= nops + locks + AROUND and
                  off["from"] == "irqsource_known [sluice_irqsource]"))
    return found


def check_profile(line: str) -> int:
    """The command: prints TAP, and the sum at its end."""
    records = run_cases(line, CASES)
    found = results(records) if records else [("the cases are measured", False)]
    for number, (name, good) in enumerate(found, 1):
        print(f"{'ok' if good else 'not ok'} {number} {name}")
    failed = sum(not good for _, good in found)
    print(f"{len(found) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0
