# SPDX-License-Identifier: MIT
"""One to 64 threads on eight CPUs: instructions, LOCK operations and shared cache lines."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import counts, places
from .counts import Line, Side, Symbols
from .guest import Guest
from .machine import SCALE_CPUS
from .plugin import plugin
from .profile import number, read_counts, run_counted, table, write

# A line that fewer steps touch is shared by chance: for example, memory that one CPU has freed
# and another has got.
SYSTEMATIC = 0.5
# A line that fewer steps write, such as that of jiffies, stays in the caches of all CPUs.
WRITTEN = 0.05
# Of the functions that touch a line, so many are printed.
TOP_USERS = 3


def line_record(line: Line, side: Side, symbols: Symbols) -> dict[str, Any]:
    """A shared line."""
    return {"name": counts.name_of(line, symbols), "touched": round(line.touched / side.steps, 3),
            "written": round(line.written / side.steps, 3),
            "cpus": line.cpus, "writers": line.writers,
            "users": [{"function": name, "loads": round(loads / side.steps, 2),
                       "stores": round(stores / side.steps, 2)}
                      for name, loads, stores in counts.users_of(line, symbols)]}


def record_of(run: dict[str, Any], side: Side, symbols: Symbols) -> dict[str, Any]:
    """A path with a number of threads."""
    lines = sorted((line for line in side.lines if line.touched >= side.steps * SYSTEMATIC and
                    line.written >= side.steps * WRITTEN),
                   key=lambda line: (-line.touched, -line.written))
    chance = sum(line.touched for line in side.lines) - sum(line.touched for line in lines)
    locked = counts.by_symbol(side, symbols, counts.LOCK)
    return {"path": run["path"], "threads": run["threads"], "steps": side.steps,
            "instructions": side.median,
            "lock": round(sum(locked.values()), 2),
            "shared": round(sum(line.touched for line in lines) / side.steps, 2),
            "shared_by_chance": round(chance / side.steps, 2),
            "lock_symbols": {str(symbol): round(count, 2) for symbol, count in locked.items()},
            "lines": [line_record(line, side, symbols) for line in lines]}


def sums(records: Sequence[dict[str, Any]]) -> list[str]:
    """The table of all runs."""
    lines, path = [], ""
    for record in records:
        lines.append([record["path"] if record["path"] != path else "", str(record["threads"]),
                      number(record["instructions"]), number(record["lock"]),
                      number(record["shared"]), number(record["shared_by_chance"])])
        path = record["path"]
    return table(["of a step", "threads", "instructions", "LOCK", "shared lines", "by chance"],
                 lines)


def details(record: dict[str, Any]) -> list[str]:
    """The shared lines of a run."""
    lines = ["", f"{record['path']}, {record['threads']} threads: shared lines of a step"]
    for line in record["lines"]:
        lines.append(f"  {line['name']}: touched by {line['touched']:.0%} of the steps, "
                     f"written by {line['written']:.0%}")
        lines += [f"      {user['function']}: {number(user['loads'])} loads, "
                  f"{number(user['stores'])} stores" for user in line["users"][:TOP_USERS]]
        if len(line["users"]) > TOP_USERS:
            lines.append(f"      and {len(line['users']) - TOP_USERS} more")
    return lines


def text_of(records: Sequence[dict[str, Any]]) -> str:
    """The result, as it is printed; the lines only with a thread on each CPU."""
    lines = sums(records)
    for record in records:
        if record["threads"] == SCALE_CPUS and record["lines"]:
            lines += details(record)
    return "\n".join(lines)


def scale(line: str) -> int:
    """The command."""
    places.stage_guest()
    guest = Guest(line, "bench", part="scale", plugin=plugin())
    runs = run_counted(guest)
    if runs is None:
        return 1
    sides, symbols = read_counts(guest)
    failed = [run for run in runs if run["error"]]
    for run in failed:
        print(f"could not measure {run['path']}, {run['threads']} threads: {run['error']}")
    if failed or len(sides) != len(runs):
        return 1
    records = [record_of(run, side, symbols) for run, side in zip(runs, sides)]
    print("\n" + text_of(records))
    print(f"\nall runs and lines: {write(records, 'scale.json')}")
    return 0
