# SPDX-License-Identifier: MIT
"""Large buffers, and memory that was cut into pieces, in guests that have the memory for it."""
from __future__ import annotations

import os
from typing import NamedTuple

from . import places
from .bench import measure, report
from .check import available_megabytes
from .guest import Guest

SMALL = "small"	# the form for each run of the tests
# The guest has this beyond its largest buffer: for its programs, and for page tables.
BEYOND = 1536
# Memory of the host that the guest does not get.
SPARE = 1536


class Run(NamedTuple):
    """A guest."""

    name: str
    sizes: tuple[int, ...]	# of buffers, in MiB
    churn: int = 0	# buffers of random sizes that cut the memory
    megabytes: int = 0	# the guest's memory; 0: as the largest buffer needs

    @property
    def memory(self) -> int:
        """The guest's memory, in MiB."""
        return self.megabytes or max(self.sizes) + BEYOND


RUNS = (Run("pieces", (), churn=20000, megabytes=1024), Run("1 GiB", (1024,)),
        Run("16 GiB", (16384,)))
SMALL_RUNS = (Run(SMALL, (256,), churn=1500, megabytes=1024),)


def fitting(runs: tuple[Run, ...], megabytes: int) -> list[Run]:
    """The guests for which this machine has the memory; says which it leaves out."""
    found = []
    for run in runs:
        if run.memory + SPARE <= megabytes:
            found.append(run)
        else:
            print(f"leaving out '{run.name}': its guest has {run.memory} MiB, and {SPARE} MiB "
                  f"stay for this machine, which has {megabytes} MiB free", flush=True)
    return found


def big(line: str, small: bool) -> int:
    """The command.  It fails if a guest fails, or if this machine has no memory for any."""
    places.stage_guest()
    runs = fitting(SMALL_RUNS if small else RUNS, available_megabytes())
    if not runs:
        places.fail("this machine has too little free memory for 'bench BIG=1'")
    os.makedirs(places.BUILD, exist_ok=True)
    records = os.path.join(places.BUILD, "big.records")
    with open(records, "w", encoding="utf-8"):
        pass
    well = True
    for run in runs:
        settings = [f"sizes={','.join(map(str, run.sizes))}"] if run.sizes else []
        settings += [f"churn={run.churn}"] if run.churn else []
        well &= measure(Guest(line, "bench", part="big", settings=settings,
                              megabytes=run.memory), records)
    return 0 if report(records, "big") and well else 1
