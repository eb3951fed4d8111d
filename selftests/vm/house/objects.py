# SPDX-License-Identifier: MIT
"""The symbols that the objects of a build define and use."""
from __future__ import annotations

import filecmp
import glob
import os
import re
import subprocess
from dataclasses import dataclass, field

from .finding import Problem
from .tree import Tree

SYMBOL = re.compile(r"(.+)\.o: *[0-9a-f]* +([A-Za-z]) (\S+)$")
# The symbols of a tracepoint: with them, each file with a tracepoint would call tracepoints.c.
TRACEPOINT = re.compile(r"__(tracepoint|traceiter|probestub|bpf_trace|SCT|SCK)_")


@dataclass
class Symbols:
    """Symbols by the path of their file, without a suffix."""

    defined: dict[str, set[str]] = field(default_factory=dict)
    used: dict[str, set[str]] = field(default_factory=dict)


def read(text: str, folder: str = "") -> Symbols:
    """Read the output of nm -A about objects in a folder."""
    symbols = Symbols()
    for line in text.splitlines():
        match = SYMBOL.match(line)
        if not match or TRACEPOINT.match(match[3]):
            continue
        path = os.path.relpath(match[1], folder) if folder else match[1]
        if match[2] in "Uvw":
            symbols.used.setdefault(path, set()).add(match[3])
        elif match[2].isupper():
            symbols.defined.setdefault(path, set()).add(match[3])
    return symbols


def nm(root: str, paths: list[str]) -> str:
    """Run nm with the tools of the root file system: the machine's may be missing."""
    # call its loader, because a chroot needs privileges
    loader = os.path.join(root, "lib64", "ld-linux-x86-64.so.2")
    tool = os.path.join(root, "usr/bin/x86_64-linux-gnu-nm")
    return subprocess.run(
        [os.path.realpath(loader), "--library-path", os.path.join(root, "usr/lib/x86_64-linux-gnu"),
         os.path.realpath(tool), "-A", *paths], check=True, capture_output=True, text=True).stdout


def of_build(build: str, release: str, tree: Tree) -> Symbols:
    """The symbols of the modules that were built from this tree, for a release."""
    folder = os.path.join(build, release)
    for path in tree.sources:
        copy = os.path.join(folder, path)
        if not os.path.exists(copy) or not filecmp.cmp(copy, os.path.join(tree.top, path), shallow=False):
            raise Problem(f"{folder} was not built with {path} as it is now: "
                          "run 'selftests/vm/build modules' for its kernel first")
    paths = [path for path in glob.glob(os.path.join(folder, "drivers", "**", "*.o"), recursive=True)
             if f"{os.path.relpath(path, folder).removesuffix('.o')}.c" in tree.sources]
    if not paths:
        raise Problem(f"{folder} has no objects: run 'selftests/vm/build modules' for its kernel first")
    return read(nm(os.path.join(build, "lab", "root"), sorted(paths)), folder)
