# SPDX-License-Identifier: MIT
"""sluicectl doctor, on machines that are broken in many ways.

Each guest boots with the parameters of one of machine.BOOTS.  There, selftests/doctor.sh breaks
and mends the machine while it runs.  At the end, each finding of the manual page must have been
seen on one machine, and missed on another.
"""
from __future__ import annotations

import concurrent.futures
import os
import re
from collections.abc import Iterable, Sequence

from . import places, report
from .check import available_megabytes, guests_at_once, without_twins
from .guest import Guest
from .judge import Judge
from .machine import BOOTS

PAGE = os.path.join(places.TOP, "userspace/tools/sluicectl-doctor.1")
FOUND = re.compile(r"# doctor found (.*)")

ALL_KERNELS = 3	# the oldest, the lts and the newest

# Findings that no guest has, with the reason.
UNSEEN = {
    "o-direct-refused": "no kernel of the lab has this fault",
    "af-xdp-refused": "no kernel of the lab has this fault",
    "zcrx-refused": "no kernel of the lab has this fault",
}


def findings_of_page(text: str) -> set[str]:
    """The findings that the manual page explains: the tags of its section FINDINGS."""
    section = re.search(r"^\.SH FINDINGS\n(.*?)^\.SH ", text, re.MULTILINE | re.DOTALL)
    tags = re.findall(r"^\.TP\n\.BR? (\S+)", section.group(1), re.MULTILINE) if section else []
    return {tag.replace("\\-", "-") for tag in tags}


def gaps(explained: set[str], runs: Iterable[set[str]], all_kernels: bool) -> list[str]:
    """What the runs of the command, each with its findings, leave untested.

    Without all kernels, a finding may be missing, because not every kernel can have it.
    """
    runs = list(runs)
    seen = set().union(*runs)
    always = set.intersection(*runs) if runs else set()
    problems = [f"the manual page does not explain the finding '{name}'"
                for name in sorted(seen - explained)]
    problems += [f"each machine has the finding '{name}'" for name in sorted(always)]
    if all_kernels:
        problems += [f"no machine has the finding '{name}'"
                     for name in sorted(explained - seen - UNSEEN.keys())]
    problems += [f"a machine has the finding '{name}', which the list UNSEEN has, too"
                 for name in sorted(seen & UNSEEN.keys())]
    return problems


def boot(line: str, part: str, runs: list[set[str]]) -> Judge:
    """One guest; adds the findings of each run of the command to RUNS."""
    guest = Guest(line, "doctor", "doctor", part)
    print(f"==> {guest.release}: booting ({part})", flush=True)
    judge = Judge(f"{line}/{part}")

    def on_line(text: str) -> None:
        if match := FOUND.match(text):
            runs.append(set(match.group(1).split()))
        judge.line(text)

    judge.finish(guest.run(on_line), "doctor")
    judge.trouble(guest.trouble())
    judge.see(f"    logs: {guest.tap_log}\n          {guest.kernel_log}\n")
    return judge


def doctor(lines: Sequence[str], part: str) -> int:
    """The command: all boots of all kernels, or one boot."""
    places.stage_guest()
    lines = without_twins(lines)
    parts = [part] if part else list(BOOTS)
    runs: list[set[str]] = []
    workers = guests_at_once(os.cpu_count() or 1, available_megabytes() >> 10, False)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        judges = list(pool.map(lambda work: boot(*work, runs),
                               [(line, name) for name in parts for line in lines]))
    if not part:
        with open(PAGE, encoding="utf-8") as page:
            explained = findings_of_page(page.read())
        judge = Judge("findings")
        problems = gaps(explained, runs, len(lines) >= ALL_KERNELS)
        for problem in problems:
            judge.bad(problem)
        judge.passed += not problems
        judges.append(judge)
    print(report.summary(judges), end="", flush=True)
    return report.status(judges)
