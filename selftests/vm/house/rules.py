# SPDX-License-Identifier: MIT
"""The rules, and the findings about a tree."""
from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from . import source
from .finding import Finding
from .graph import circles
from .objects import Symbols
from .plan import API, COMPAT, CORE, File, Plan
from .tree import Tree

UAPI = "uapi/linux/sluice.h"
VERSION = re.compile(r"\b(SLUICE_HAVE_\w*|LINUX_VERSION_CODE|KERNEL_VERSION)\b")
# Macros that a file defines for the kernel's headers, and include guards.
GIVEN = re.compile(r"(_\w+_H|pr_fmt|dev_fmt|CREATE_TRACE_POINTS|TRACE_SYSTEM|TRACE_INCLUDE_\w+)$")


class Use(NamedTuple):
    """One file includes or calls another one."""

    path: str
    line: int
    by: File
    of: File
    text: str	# "slot includes queue.h"

    def finding(self, kind: str, text: str) -> Finding:
        """A finding at this place."""
        return Finding(self.path, self.line, kind, f"{self.text}{text}")


def check_files(plan: Plan, tree: Tree) -> Iterator[Finding]:
    """Each file is in the plan, and has a header with a head comment, its whole interface."""
    api = tree.sources[f"{API}.h"].declared if f"{API}.h" in tree.sources else set()
    for path, text in tree.sources.items():
        if not plan.file_of(path):
            yield Finding(path, 1, "file", "no line of drivers/floors has this file: add one, with its "
                          "floor and its nouns")
            continue
        stem, _, suffix = path.rpartition(".")
        header = tree.sources.get(f"{stem}.h")
        if not text.head and (suffix == "h" or not header):
            yield Finding(path, 1, "head", "this file has no head comment: say what it owns, what guards "
                          "that and who may call it")
        if suffix == "h":
            continue
        public = [name for name in text.names if name.public and name.kind in ("function", "variable")]
        if public and not header:
            yield Finding(path, 1, "file", f"other files can use {public[0].name}, and there is no "
                          f"{stem}.h: add it, with a head comment and all that they may use")
        face = header.declared | api if header else {name.name for name in public}
        for name in public:
            if name.name not in face:
                yield Finding(path, name.line, "face", f"{name.name} is declared in another header: declare "
                              f"it in {stem}.h, or make it static")


def includes_of(plan: Plan, tree: Tree) -> Iterator[Use]:
    """The includes of files that are in the plan."""
    for path, text in tree.sources.items():
        for line, name in text.includes:
            found = tree.included(path, name)
            by, of = plan.file_of(path), plan.file_of(found) if found else None
            if by and of and by != of:
                yield Use(path, line, by, of, f"{by.short} (floor {by.floor}) includes {name} (floor {of.floor})")


def where(tree: Tree, file: File, symbol: str) -> tuple[str, int]:
    """The place in a file that uses a symbol, or the file's start if a header uses it."""
    seen = [path for path in (f"{file.path}.c", f"{file.path}.h") if path in tree.sources]
    for path in seen:
        if line := tree.sources[path].line_of(symbol):
            return path, line
    return seen[0], 1


def calls_of(plan: Plan, tree: Tree, symbols: Symbols) -> Iterator[Use]:
    """The uses of another file's symbols, inside of each module."""
    homes = {(plan.files[path].module, symbol): plan.files[path]
             for path, names in symbols.defined.items() if path in plan.files for symbol in names}
    for path, names in sorted(symbols.used.items()):
        by = plan.files.get(path)
        if not by:
            continue
        for symbol in sorted(names):
            of = homes.get((by.module, symbol))
            if of and of != by:
                yield Use(*where(tree, by, symbol), by, of,
                          f"{by.short} (floor {by.floor}) uses {symbol} of {of.short} (floor {of.floor})")


def check_floors(uses: list[Use], kind: str) -> Iterator[Finding]:
    """No file uses a file of a higher floor."""
    what_to_do = {"include": "declare the struct, or move what needs it",
                  "call": "move one of the two, or let the higher file pass a function"}
    for use in uses:
        if use.by.module == use.of.module and use.by.floor < use.of.floor:
            yield use.finding(kind, f": {what_to_do[kind]}")


def check_circles(uses: list[Use]) -> Iterator[Finding]:
    """Files of one floor use each other in one direction only; check_floors() checks the rest."""
    edges: dict[tuple[str, str], Use] = {}
    for use in uses:
        if use.by.module == use.of.module and use.by.floor == use.of.floor:
            edges.setdefault((use.by.path, use.of.path), use)
    for circle in circles(edges):
        found = [edges[pair] for pair in zip(circle, circle[1:])]
        yield found[0].finding("circle", "".join(f", {use.text}" for use in found[1:])
                               + ": turn one of these round")


def check_modules(plan: Plan, tree: Tree) -> Iterator[Finding]:
    """A device driver includes sluice.h and its own headers; the core includes no device driver."""
    for path, text in tree.sources.items():
        by = plan.file_of(path)
        if not by:
            continue
        for line, name in text.includes:
            found = tree.included(path, name)
            of = plan.file_of(found) if found else None
            if by.module == CORE:
                if of and of.module != CORE:
                    yield Finding(path, line, "include", f"the core includes {name} of a device driver: call "
                                  "an op of the device driver instead")
            elif found != f"{API}.h" and not (of and of.module == by.module):
                yield Finding(path, line, "include", f"a device driver includes {name}: include \"sluice.h\" "
                              "and headers of its own alone")


def advice(plan: Plan, file: File) -> str:
    """A sentence about the beginning of a file's names."""
    first = "sluice_" if file.module == CORE else ""
    names = [f"{first}{noun}_" for noun in (*file.section.nouns, *file.nouns)]
    return " or ".join(names) or "no noun, which drivers/floors must give it first"


def check_names(plan: Plan, tree: Tree) -> Iterator[Finding]:
    """Names begin with a noun of their file."""
    known: set[str] = set()
    for path, text in ((f"{API}.h", tree.sources.get(f"{API}.h")),
                       (UAPI, source.read(tree.text(UAPI)) if tree.has(UAPI) else None)):
        known |= text.declared | {each.name for each in text.names} if text else set()
    for path, text in tree.sources.items():
        file = plan.file_of(path)
        if not file:
            continue
        for name in text.names:
            if name.name in known or name.name in text.foreign or GIVEN.match(name.name):
                continue
            noun = plan.noun_of(file, name.name)
            owner = plan.owners[file.module, noun] if noun else None
            if noun and (owner == file or noun in file.section.nouns):
                continue
            if file.section.folder == COMPAT and not name.name.lower().startswith("sluice_"):
                # a name of the kernel, for kernels without it
                continue
            if name.kind == "macro" and path.endswith(".c") and not name.name.startswith("SLUICE_"):
                # other files do not use it
                continue
            why = f"has a noun of {owner.short}: move it there, or begin it" if owner else \
                "has no noun of its file: begin it"
            yield Finding(path, name.line, "name", f"{name.kind} {name.name} {why} with {advice(plan, file)}")


def check_versions(tree: Tree) -> Iterator[Finding]:
    """Code for different kernels stays in compat/."""
    for path, text in tree.sources.items():
        if not path.startswith(f"{COMPAT}/"):
            for match in VERSION.finditer(text.code):
                yield Finding(path, source.line_at(text.code, match.start()), "version",
                              f"{match[0]} is used here: move what differs between kernels to {COMPAT}/")


def check(plan: Plan, tree: Tree, builds: list[Symbols]) -> list[Finding]:
    """All findings about a tree, in the order of files and lines."""
    includes = list(includes_of(plan, tree))
    calls = list(dict.fromkeys(use for symbols in builds for use in calls_of(plan, tree, symbols)))
    found = [*plan.findings, *check_files(plan, tree), *check_floors(includes, "include"),
             *check_floors(calls, "call"), *check_circles(includes + calls), *check_modules(plan, tree),
             *check_names(plan, tree), *check_versions(tree)]
    return sorted(set(found))
