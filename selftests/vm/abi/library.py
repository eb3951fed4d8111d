# SPDX-License-Identifier: MIT
"""libsluice.so: it exports the functions of its header, and keeps what the last release had."""
from __future__ import annotations

import re
import subprocess

from .finding import Problem, output

HEADER = "userspace/lib/sluice.h"
BASELINE = "userspace/lib/abi/libsluice.xml"


def declared(text: str) -> set[str]:
    """The functions that a header declares, without those that it defines itself (inline)."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"^\s*#.*?(?<!\\)$", "", text, flags=re.S | re.M)
    text = re.sub(r'extern "C" \{', "", text)
    # bodies of inline functions and of structs
    while re.search(r"\{[^{}]*\}", text):
        text = re.sub(r"\{[^{}]*\}", ";", text)
    found = set()
    for statement in text.split(";"):
        match = re.search(r"\b(_*sluice_\w+)\s*\(", statement)
        if match and not re.search(r"\bstatic\b|\btypedef\b", statement):
            found.add(match[1])
    return found


def exported(path: str) -> dict[str, str]:
    """The symbols of a shared object, each with its version."""
    found = {}
    for line in output("nm", "-D", "--defined-only", "--with-symbol-versions", path).splitlines():
        kind, name = line.split()[-2:]
        # name@@VERSION, or name@VERSION of a function for older programs
        symbol, _, version = name.partition("@")
        if kind != "A":
            found[symbol] = version.removeprefix("@")
    return found


def check_symbols(header: str, symbols: dict[str, str]) -> list[str]:
    """Does the shared object export what its header declares, and nothing else?"""
    names = declared(header)
    found = [f"{HEADER} declares {name}(), and libsluice.so does not export it: add it to "
             "userspace/lib/libsluice.map" for name in sorted(names - set(symbols))]
    found += [f"libsluice.so exports {name}, and {HEADER} does not declare it"
              for name in sorted(set(symbols) - names)]
    found += [f"{name} of libsluice.so has no version: see userspace/lib/libsluice.map"
              for name, version in sorted(symbols.items()) if not version]
    return found


def describe(path: str) -> str:
    """The ABI of a shared object, as XML."""
    return output("abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs",
                  "--no-elf-needed", "--no-architecture", path)


def compare(baseline: str, path: str) -> list[str]:
    """What a program that was linked with the last release misses."""
    done = subprocess.run(("abidiff", "--no-added-syms", "--no-architecture", baseline, path),
                          capture_output=True, text=True, check=False)
    # bit 0: an error; bit 1: wrong usage; bit 2: changes
    if done.returncode & 3:
        raise Problem(f"abidiff fails: {(done.stderr or done.stdout).strip().splitlines()[:1]}")
    if not done.returncode:
        return []
    return ["libsluice.so is not compatible with the last release:",
            *(line for line in done.stdout.splitlines() if line.strip())]
