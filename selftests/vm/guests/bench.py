# SPDX-License-Identifier: MIT
"""The benchmarks, in one guest: Sluice's costs beside those of the peers."""
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from . import places
from .guest import Guest


def measure(guest: Guest, records: str) -> bool:
    """Run a guest, and add its records to a file; returns whether it did well."""
    print(f"==> {guest.release}: booting", flush=True)
    count = 0

    with open(records, "a", encoding="utf-8") as out:
        def on_line(text: str) -> None:
            nonlocal count
            if text.startswith("{"):
                out.write(text + "\n")
                count += 1
                print(f"\r    {count} cases", end="", file=sys.stderr, flush=True)
            else:
                print(text, flush=True)

        status = guest.run(on_line)
    print(file=sys.stderr)
    trouble = guest.trouble()
    for found in trouble[:10]:
        print("kernel log: " + found[0])
    if status != 0 or trouble:
        print(f"the benchmarks failed; logs: {guest.tap_log}\n"
              f"                             {guest.kernel_log}")
    return status == 0 and not trouble


def report(records: str, name: str, all_peers: bool = True) -> bool:
    """Print the table of these records, and make build/NAME.json and .svg.  ALL_PEERS: a peer that
    is missing is an error.
    """
    return not subprocess.run([os.path.join(places.TOP, "selftests/bench/report"),
                               *(["--all-peers"] if all_peers else []),
                               "--output", os.path.join(places.BUILD, name), records],
                              check=False).returncode


def bench(line: str, only: str, settings: Sequence[str]) -> int:
    """The command; a goal that is not met is no error.  A guest for arm64 does only the cases
    whose cost depends on it.
    """
    places.stage_guest()
    guest = Guest(line, "bench", only, settings=settings)
    records = os.path.join(guest.out, "records")
    well = measure(guest, records)
    # Debian's kernels for arm64 have no system heap
    arm64 = guest.kernel.arm64
    return 0 if report(records, "bench-arm64" if arm64 else "bench", not arm64) and well else 1
