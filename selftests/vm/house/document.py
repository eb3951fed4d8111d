# SPDX-License-Identifier: MIT
"""The picture and the table of files in design.md."""
from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from .finding import Finding
from .plan import CORE, File, Plan
from .tree import Tree

NAME = "Documentation/design.md"
WIDTH = 100
END = "<!-- end -->"


def begin(part: str) -> str:
    """The marker in front of a part."""
    return f"<!-- selftests/vm/floors --{part} -->"


def files_of(plan: Plan, tree: Tree) -> list[File]:
    """The files of the plan that exist."""
    return [file for file in plan.files.values()
            if f"{file.path}.c" in tree.sources or f"{file.path}.h" in tree.sources]


def shown(file: File, tree: Tree) -> str:
    """The name of a file as code: the .c, if it exists."""
    return f"{file.name}.{'c' if f'{file.path}.c' in tree.sources else 'h'}"


def floors(files: list[File], tree: Tree) -> Iterator[str]:
    """The lines of one module, from the top floor to the bottom."""
    for floor in sorted({file.floor for file in files}, reverse=True):
        by_folder: dict[str, list[str]] = {}
        for file in files:
            if file.floor == floor:
                inner = file.section.folder.removeprefix("drivers/core").removeprefix("drivers/devices")
                by_folder.setdefault(inner.lstrip("/"), []).append(file.name)
        names = [name for folder, names in by_folder.items() if not folder for name in names]
        names += [f"{folder}/{{{','.join(names)}}}" for folder, names in by_folder.items() if folder]
        yield from textwrap.wrap("  ".join(names), WIDTH, initial_indent=f"{floor:3}  ",
                                 subsequent_indent="     ", break_long_words=False, break_on_hyphens=False)


def picture(plan: Plan, tree: Tree) -> str:
    """The floors as plain text: the core, drivers with several files, and the other drivers."""
    files = files_of(plan, tree)
    modules: dict[str, list[File]] = {}
    for file in files:
        modules.setdefault(file.module, []).append(file)
    lines: list[str] = []
    for module, members in sorted(modules.items(), key=lambda item: (item[0] != CORE, -len(item[1]))):
        if len(members) > 1:
            lines += [f"{module}.ko", *floors(members, tree), ""]
    single = [file.name for members in modules.values() if len(members) == 1 for file in members]
    if single:
        lines += textwrap.wrap(f"device drivers of one file: {', '.join(single)}", WIDTH)
    return "\n".join(["```text", *lines, "```"]).replace("\n\n```", "\n```") + "\n"


def sentence(file: File, tree: Tree) -> str:
    """The first sentence of the head comment of a header, or of a .c without a header."""
    for suffix in ("h", "c"):
        text = tree.sources.get(f"{file.path}.{suffix}")
        if text and text.sentence:
            return re.sub(r"([|<])", r"\\\1", text.sentence)
    return ""


def table(plan: Plan, tree: Tree) -> str:
    """The files and their duties, as Markdown."""
    lines: list[str] = []
    folder = None
    for file in files_of(plan, tree):
        if file.section.folder != folder:
            folder = file.section.folder
            lines += ["", f"`{folder}`:", "", "| file | owns |", "|---|---|"]
        lines.append(f"| `{shown(file, tree)}` | {sentence(file, tree)} |")
    return "\n".join(lines[1:]) + "\n"


PARTS = {"picture": picture, "table": table}


def check(plan: Plan, tree: Tree) -> Iterator[Finding]:
    """Is the text between the markers up to date?"""
    text = tree.text(NAME) if tree.has(NAME) else ""
    for part, make in PARTS.items():
        before, marker, rest = text.partition(begin(part))
        line = before.count("\n") + 1
        if not marker or END not in rest:
            yield Finding(NAME, line, "document", f"there is no '{begin(part)}' with a '{END}' below it: "
                          "add both lines, then run 'selftests/vm/floors --write'")
        elif rest.partition(END)[0].strip() != make(plan, tree).strip():
            yield Finding(NAME, line, "document", f"the {part} is not that of drivers/floors and of the "
                          "headers: run 'selftests/vm/floors --write'")


def written(text: str, plan: Plan, tree: Tree) -> str:
    """The text of design.md with both parts up to date."""
    for part, make in PARTS.items():
        before, marker, rest = text.partition(begin(part))
        if marker and END in rest:
            text = f"{before}{marker}\n{make(plan, tree)}{END}{rest.partition(END)[2]}"
    return text
