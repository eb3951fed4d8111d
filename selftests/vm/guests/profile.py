# SPDX-License-Identifier: MIT
"""The profile of a case of the benchmarks: where the instructions of a step are."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from . import counts, places
from .counts import Side, Stretch, Symbols
from .guest import Guest
from .plugin import plugin

TOP_SYMBOLS = 24
# A wider difference between the counters and the clock gets a remark.
AGREED = 0.02


def cases() -> dict[str, bool]:
    """The names of all cases, and whether they have steps."""
    listed = subprocess.run(
        [os.path.join(places.TOP, "selftests/vm/build"), "in-root",
         "/src/build/user/bench/bench", "-l"], check=True, stdout=subprocess.PIPE, text=True)
    return {name: kind == "steps"
            for kind, name in (row.split("\t") for row in listed.stdout.splitlines())}


def choose(wanted: str, names: Mapping[str, bool]) -> str:
    """The one case that is meant: it has this name, or alone has these words in its name."""
    found = [wanted] if wanted in names else [name for name in names if wanted in name]
    if not found:
        places.fail(f"no case has '{wanted}' in its name; the cases are:\n    " +
                    "\n    ".join(names))
    if len(found) > 1:
        places.fail(f"several cases have '{wanted}' in their name; give the name of one:\n    " +
                    "\n    ".join(found))
    if not names[found[0]]:
        places.fail(f"'{found[0]}' has no profile, because its value is no sum of instructions of "
                    "steps")
    return found[0]


def stretch_record(stretch: Stretch, symbols: Symbols) -> dict[str, Any]:
    """Interrupts that are off, as a record."""
    return {"instructions": stretch.length,
            "from": str(symbols.at(stretch.start)) if stretch.length else None,
            "called_by": str(symbols.at(stretch.caller)) if stretch.caller else None}


def rows(found: dict[counts.Symbol, float], batch: int) -> list[dict[str, Any]]:
    """Counts by symbol, as records."""
    return [{"symbol": symbol.name, "module": symbol.module, "count": round(count / batch, 3)}
            for symbol, count in found.items()]


def side_record(measured: dict[str, Any], side: Side, symbols: Symbols) -> dict[str, Any]:
    """A side of the case: what the bench has measured, and what the plugin has counted."""
    batch = measured.get("batch", 1)
    found = counts.by_symbol(side, symbols)
    locked = counts.by_symbol(side, symbols, counts.LOCK)
    return {
        "name": measured["name"], "measured": measured["value"], "batch": batch,
        "counted": round(sum(found.values()) / batch, 1),
        "steps": side.steps, "steps_counted": side.used,
        "modules": {module: round(count / batch, 1)
                    for module, count in counts.by_module(found).items()},
        "symbols": rows(found, batch),
        "below": rows(counts.below(side, symbols), batch),
        "lock": {"count": round(sum(locked.values()) / batch, 2), "symbols": rows(locked, batch)},
        "interrupts_off": stretch_record(side.off, symbols),
        "interrupts_off_in_any_step": stretch_record(side.worst, symbols),
        "popf": round(sum(counts.by_symbol(side, symbols, counts.POPF).values()) / batch, 2),
    }


def record_of(measured: dict[str, Any], sides: Sequence[Side], symbols: Symbols) -> dict[str, Any]:
    """The whole case."""
    if not sides[0].used:
        places.fail(f"the plugin has counted no step of '{measured['case']}'")
    return {"kernel": measured["kernel"], "case": measured["case"], "unit": measured["unit"],
            "sides": [side_record(line, side, symbols)
                      for line, side in zip(measured["sides"], sides)
                      if "error" not in line and side.used]}


def number(value: float | None) -> str:
    """A number for the table: one digit behind the point for a small one."""
    if not value:
        return "-"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def disagreement(side: dict[str, Any]) -> float:
    """The difference between what was counted and what was measured, as a share."""
    if not side["measured"]:
        return 1.0 if side["counted"] else 0.0
    return float(side["counted"] / side["measured"] - 1)


def table(title: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Aligned columns; the first is text."""
    everything = [title, *lines]
    widths = [max(len(line[column]) for line in everything) for column in range(len(title))]
    return ["  ".join(text.rjust(width) if column else text.ljust(width)
                      for column, (text, width) in enumerate(zip(line, widths))).rstrip()
            for line in everything]


def counts_of(side: dict[str, Any], key: str) -> dict[tuple[str, str], float]:
    """Counts by (symbol, module)."""
    found = side["symbols"] if key == "symbols" else side["lock"]["symbols"]
    return {(row["symbol"], row["module"]): row["count"] for row in found}


def by_symbol(record: dict[str, Any], shown: Sequence[dict[str, Any]], key: str) -> list[str]:
    """A table of functions, with the most frequent of Sluice first."""
    found = [counts_of(side, key) for side in shown]
    # the heaviest of either side
    names = sorted({name for side in found for name in side},
                   key=lambda name: -max(side.get(name, 0) for side in found))[:TOP_SYMBOLS]
    names.sort(key=lambda name: tuple(-side.get(name, 0) for side in found))
    lines = [[f"{name} [{module}]" if module not in (counts.KERNEL, counts.PROGRAM) else name,
              *(number(side.get((name, module))) for side in found)] for name, module in names]
    rest = [sum(side.values()) - sum(side.get(name, 0) for name in names) for side in found]
    if any(value >= 0.05 for value in rest):
        lines.append(["all other functions", *(number(round(value, 1)) for value in rest)])
    what = "instructions" if key == "symbols" else "LOCK operations"
    return table([f"{what} by function", *(side["name"] for side in shown)], lines)


def callers(side: dict[str, Any]) -> list[str]:
    """A table of the functions of modules, with what they call in the kernel."""
    own = {(row["symbol"], row["module"]): row["count"] for row in side["symbols"]}
    under = {(row["symbol"], row["module"]): row["count"] for row in side["below"]}
    names = sorted(under, key=lambda name: -(under[name] + own.get(name, 0)))[:TOP_SYMBOLS]
    return table([f"{side['name']}: functions of modules", "own", "kernel below"],
                 [[f"{name} [{module}]", number(own.get((name, module))),
                   number(under[name, module])] for name, module in names])


def off_text(off: dict[str, Any]) -> str:
    """A stretch in words."""
    if not off["instructions"]:
        return "never"
    caller = f", called by {off['called_by']}" if off["called_by"] else ""
    return f"{off['instructions']:,} instructions, from {off['from']}{caller}"


def remarks(shown: Sequence[dict[str, Any]]) -> list[str]:
    """What a reader must know about the numbers."""
    lines = []
    for side in shown:
        lines += ["", f"{side['name']}: longest time with interrupts off",
                  f"    in the steps that count: {off_text(side['interrupts_off'])}",
                  f"    in any step:             {off_text(side['interrupts_off_in_any_step'])}"]
        if side["popf"]:
            lines.append(f"    {number(side['popf'])} POPF a step, whose effect is not known")
        if abs(disagreement(side)) > AGREED:
            lines.append("    counted and measured differ: the bench takes only a part of the "
                         "step")
    return lines


def text_of(record: dict[str, Any]) -> str:
    """The profile, as it is printed: Sluice beside its best peer."""
    ours, *peers = record["sides"]
    shown = [ours, *sorted(peers, key=lambda side: side["measured"])[:1]]
    modules = sorted({module for side in shown for module in side["modules"]},
                     key=lambda module: -ours["modules"].get(module, 0))
    lines = [f"{record['case']}, in instructions of a step", ""]
    lines += table(["", *(side["name"] for side in shown)], [
        ["measured by the bench", *(number(side["measured"]) for side in shown)],
        ["counted by the plugin", *(number(round(side["counted"])) for side in shown)],
        ["difference", *(f"{disagreement(side):+.1%}" for side in shown)],
        *([module, *(number(side["modules"].get(module)) for side in shown)]
          for module in modules)])
    lines += ["", *by_symbol(record, shown, "symbols")]
    for side in shown:
        if side["below"]:
            lines += ["", *callers(side)]
    lines += ["", *table(["", *(side["name"] for side in shown)],
                         [["LOCK operations", *(number(side["lock"]["count"]) for side in shown)]])]
    lines += ["", *by_symbol(record, shown, "lock")]
    return "\n".join(lines + remarks(shown))


def read_counts(guest: Guest) -> tuple[list[Side], Symbols]:
    """The plugin's counters and the guest's symbols."""
    with open(os.path.join(guest.out, "symbols"), encoding="utf-8") as text:
        symbols = Symbols(text)
    with open(os.path.join(guest.out, "counts"), encoding="utf-8") as text:
        return counts.read(text), symbols


def run_counted(guest: Guest) -> list[dict[str, Any]] | None:
    """Run a guest with the plugin: the records of its program, or None after a failure."""
    print(f"==> {guest.release}: booting", flush=True)
    found: list[dict[str, Any]] = []

    def on_line(text: str) -> None:
        if text.startswith("{"):
            found.append(json.loads(text))
            print(f"\r    {len(found)} done", end="", file=sys.stderr, flush=True)
        else:
            print(text, flush=True)

    status = guest.run(on_line)
    print(file=sys.stderr)
    trouble = guest.trouble()
    for report in trouble[:10]:
        print("kernel log: " + report[0])
    if status != 0 or trouble or not found:
        print(f"the benchmarks failed; logs: {guest.tap_log}\n"
              f"                             {guest.kernel_log}")
        return None
    return found


def write(record: Any, name: str) -> str:
    """Write a record to a file in build/; returns its path."""
    path = os.path.join(places.BUILD, name)
    with open(path, "w", encoding="utf-8") as out:
        json.dump(record, out, indent=1)
        out.write("\n")
    return path


def run_cases(line: str, names: Sequence[str]) -> list[dict[str, Any]] | None:
    """Run cases in a guest; returns their profiles, or None after a failure."""
    places.stage_guest()
    guest = Guest(line, "bench", part="profile", plugin=plugin())
    with open(os.path.join(guest.out, "cases"), "w", encoding="utf-8") as out:
        out.writelines(name + "\n" for name in names)
    measured = run_counted(guest)
    if measured is None:
        return None
    for case in measured:
        if "error" in case["sides"][0]:
            print(f"could not measure {case['case']}: {case['sides'][0]['error']}")
            return None
    sides, symbols = read_counts(guest)
    if len(sides) != sum(len(case["sides"]) for case in measured):
        places.fail(f"the plugin has counted {len(sides)} sides, and not those of the cases")
    records = []
    for case in measured:
        count = len(case["sides"])
        records.append(record_of(case, sides[:count], symbols))
        del sides[:count]
    return records


def profile(line: str, wanted: str) -> int:
    """The command."""
    records = run_cases(line, [choose(wanted, cases())])
    if records is None:
        return 1
    print("\n" + text_of(records[0]))
    print(f"\nall functions and peers: {write(records[0], 'profile.json')}")
    return 0
