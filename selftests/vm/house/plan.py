# SPDX-License-Identifier: MIT
"""drivers/floors: modules, files, their floors and their nouns."""
from __future__ import annotations

import re
from dataclasses import dataclass, field

from .finding import Finding

NAME = "drivers/floors"
CORE = "sluice"	# the module of drivers/core
API = "drivers/core/sluice"	# the interface for device drivers
COMPAT = "drivers/core/compat"	# code for different kernels

HEADING = re.compile(r"\[([\w-]+)\]\s+([\w./-]+?)(?::\s*(.*))?$")
FILE = re.compile(r"(\d+)\s+([\w-]+):\s*(.*)$")
NOUN = re.compile(r"[a-z0-9_]+$")


@dataclass(frozen=True)
class Section:
    """Files of one folder that belong to one module."""

    module: str
    folder: str
    nouns: tuple[str, ...]	# nouns of each file of the module


@dataclass(frozen=True)
class File:
    """A .c and its .h, or one of them alone."""

    section: Section
    name: str
    floor: int
    nouns: tuple[str, ...]
    line: int	# line in drivers/floors

    @property
    def path(self) -> str:
        """Its path from the top of the tree, without a suffix."""
        return f"{self.section.folder}/{self.name}"

    @property
    def short(self) -> str:
        """Its path from the folder of its module."""
        return self.path.removeprefix("drivers/core/").removeprefix("drivers/devices/")

    @property
    def module(self) -> str:
        """The name of its module."""
        return self.section.module


@dataclass
class Plan:
    """The contents of drivers/floors, and its mistakes."""

    files: dict[str, File] = field(default_factory=dict)	# by path
    owners: dict[tuple[str, str], File | None] = field(default_factory=dict)	# by module and noun
    findings: list[Finding] = field(default_factory=list)

    def file_of(self, path: str) -> File | None:
        """The file to which a .c or a .h belongs."""
        return self.files.get(path.rpartition(".")[0])

    def noun_of(self, file: File, name: str) -> str | None:
        """The noun of the file's module with which a name begins: the longest one.

        In the core a name is sluice_NOUN_...; a device driver may do without the first word.
        """
        words = name.lower().lstrip("_")
        if words.startswith("sluice_"):
            words = words.removeprefix("sluice_")
        elif file.module == CORE:
            return None
        parts = words.split("_")
        for count in range(len(parts), 0, -1):
            noun = "_".join(parts[:count])
            if (file.module, noun) in self.owners:
                return noun
        return None

    def add(self, file: File) -> None:
        """Declare a file and its nouns."""
        if file.path in self.files:
            self.find(file.line, f"line {self.files[file.path].line} declares {file.path} already: "
                       "delete one of the two lines")
            return
        self.files[file.path] = file
        for noun in file.nouns:
            self.own(file.line, file.module, noun, file)

    def own(self, line: int, module: str, noun: str, file: File | None) -> None:
        """Give a noun to a file, or to all files of a module."""
        key = (module, noun)
        if not NOUN.match(noun):
            self.find(line, f"'{noun}' is no noun: write lower-case letters, digits and '_'")
        elif key not in self.owners:
            self.owners[key] = file
        elif file or self.owners[key]:
            first = self.owners[key]
            self.find(line, f"the noun '{noun}' belongs to {first.short if first else 'all of ' + module} "
                       "already: give it to one file")

    def find(self, line: int, text: str) -> None:
        """Record a mistake in a line."""
        self.findings.append(Finding(NAME, line, "plan", text))


def read(text: str) -> Plan:
    """The plan in the text of drivers/floors."""
    plan = Plan()
    section = None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        if match := HEADING.match(line):
            section = Section(match[1], match[2].rstrip("/"), tuple((match[3] or "").split()))
            for noun in section.nouns:
                plan.own(number, section.module, noun, None)
        elif (match := FILE.match(line)) and section:
            plan.add(File(section, match[2], int(match[1]), tuple(match[3].split()), number))
        else:
            plan.find(number, "this line is no '[MODULE] FOLDER: NOUNS' and no 'FLOOR FILE: NOUNS' below "
                       "one: write it as one of the two")
    return plan
