# SPDX-License-Identifier: MIT
"""The counters of the plugin (selftests/bench/plugin), by the names of the guest's kernel."""
from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

# flags of the plugin: decode.h and count.h
LOCK = 1 << 0
POPF = 1 << 3
USER = 1 << 16
ENTRY = 1 << 17

KERNEL = "kernel"
PROGRAM = "program"


@dataclass(frozen=True)
class Symbol:
    """A function or a variable."""

    name: str
    module: str	# of the kernel, "kernel", or "program" for all code of programs

    def __str__(self) -> str:
        return self.name if self.module in (KERNEL, PROGRAM) else f"{self.name} [{self.module}]"


PROGRAMS = Symbol("(the program)", PROGRAM)
UNKNOWN = Symbol("(unknown)", KERNEL)


class Symbols:
    """The symbols of a kernel, from the lines of its /proc/kallsyms."""

    def __init__(self, lines: Iterable[str]) -> None:
        found: dict[int, Symbol] = {}
        for line in lines:
            address, kind, name, *module = line.split()
            place = int(address, 16)
            # of several names for one place, the first that is no mark of the linker
            if kind == "a" or (place in found and not found[place].name.startswith("__")):
                continue
            found[place] = Symbol(name, module[0].strip("[]") if module else KERNEL)
        self.addresses = sorted(found)
        self.symbols = [found[address] for address in self.addresses]

    def at(self, address: int) -> Symbol:
        """The symbol that has this address."""
        number = bisect.bisect_right(self.addresses, address) - 1
        return self.symbols[number] if number >= 0 else UNKNOWN

    def offset(self, address: int, most: int = 1 << 20) -> str:
        """The address as a symbol and an offset; empty if no symbol is near."""
        number = bisect.bisect_right(self.addresses, address) - 1
        if number < 0 or address - self.addresses[number] >= most:
            return ""
        return f"{self.symbols[number]}+{address - self.addresses[number]:#x}"


@dataclass
class Place:
    """The executions of an instruction, in all steps that count."""

    address: int
    flags: int
    count: int
    below: int = 0	# for a call in a module: executions of functions of the kernel below it


@dataclass
class Use:
    """The accesses of an instruction to a line."""

    place: int
    caller: int	# the place of the call of the function with @place, or 0
    address: int
    loads: int
    stores: int


@dataclass
class Line:
    """A line of memory that CPUs share."""

    touched: int	# steps that accessed it
    written: int
    cpus: int
    writers: int
    uses: list[Use] = field(default_factory=list)


@dataclass
class Stretch:
    """Instructions in a row with interrupts off."""

    length: int = 0
    start: int = 0
    caller: int = 0


@dataclass
class Side:
    """The counters of a side of a case."""

    steps: int = 0
    used: int = 0	# steps between the quartiles, over which the other numbers are sums
    median: int = 0
    total: int = 0
    off: Stretch = field(default_factory=Stretch)	# in a step between the quartiles
    worst: Stretch = field(default_factory=Stretch)	# in any step
    places: list[Place] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def read(text: Iterable[str]) -> list[Side]:
    """The sides of the plugin's output; a side that was cut off is left out."""
    sides: list[Side] = []
    side = Side()
    for row in text:
        word, *rest = row.split()
        if word == "side":
            side = Side()
        elif word == "steps":
            side.steps, side.used, side.median, side.total = (int(number) for number in rest)
        elif word in ("off", "worst"):
            setattr(side, word, Stretch(int(rest[0]), int(rest[1], 16), int(rest[2], 16)))
        elif word == "place":
            side.places.append(Place(int(rest[0], 16), int(rest[1], 16), int(rest[2]),
                                     int(rest[3])))
        elif word == "line":
            side.lines.append(Line(*(int(number) for number in rest[1:])))
        elif word == "use":
            side.lines[-1].uses.append(Use(*(int(number, 16) for number in rest[:3]),
                                           *(int(number) for number in rest[3:])))
        elif word == "end":
            sides.append(side)
    return sides


def symbol_of(place: Place, symbols: Symbols) -> Symbol:
    """The function of an instruction."""
    return PROGRAMS if place.flags & USER else symbols.at(place.address)


def by_symbol(side: Side, symbols: Symbols, flags: int = 0) -> dict[Symbol, float]:
    """Executions in a step, by function; FLAGS: only of instructions that have one of these."""
    found: Counter[Symbol] = Counter()
    for place in side.places:
        if not flags or place.flags & flags:
            found[symbol_of(place, symbols)] += place.count
    return {symbol: count / side.used for symbol, count in found.most_common()} if side.used else {}


def below(side: Side, symbols: Symbols) -> dict[Symbol, float]:
    """Executions in a step of functions of the kernel, by the function of a module above them."""
    found: Counter[Symbol] = Counter()
    for place in side.places:
        if place.below:
            found[symbol_of(place, symbols)] += place.below
    return {symbol: count / side.used for symbol, count in found.most_common()} if side.used else {}


def by_module(counts: dict[Symbol, float]) -> dict[str, float]:
    """The same by module."""
    found: dict[str, float] = {}
    for symbol, count in counts.items():
        found[symbol.module] = found.get(symbol.module, 0) + count
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def name_of(line: Line, symbols: Symbols) -> str:
    """A name for a line: its variable, or "memory" for memory that has been allocated."""
    names = {symbols.offset(use.address) for use in line.uses}
    names.discard("")
    return min(names) if names else "memory"


def user_of(use: Use, symbols: Symbols) -> str:
    """The function that accesses a line; with its caller, if it is a function of the kernel."""
    symbol = symbols.at(use.place)
    if symbol.module != KERNEL or not use.caller:
        return str(symbol)
    return f"{symbol} < {symbols.at(use.caller)}"


def users_of(line: Line, symbols: Symbols) -> list[tuple[str, int, int]]:
    """(function, loads, stores) of each function that accesses a line."""
    found: dict[str, tuple[int, int]] = {}
    for use in line.uses:
        name = user_of(use, symbols)
        loads, stores = found.get(name, (0, 0))
        found[name] = (loads + use.loads, stores + use.stores)
    return sorted(((name, *counts) for name, counts in found.items()),
                  key=lambda row: -(row[1] + row[2]))
