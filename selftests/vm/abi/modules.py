# SPDX-License-Identifier: MIT
"""The functions of drivers/core/sluice.h: sluice.ko exports them, in a namespace of their own."""
from __future__ import annotations

import os
import re

from .library import declared

HEADER = "drivers/core/sluice.h"
NAMESPACE = "SLUICE"
# Exported for all modules of builds for tests only.
TESTS = {"sluice_coverage", "sluice_mutant"}


def check(header: str, symvers: str, optional: set[str], name: str) -> list[str]:
    """Compares the header with the Module.symvers of a build."""
    names = declared(header)
    names |= set(re.findall(r"^extern const struct \w+ (sluice_\w+);", header, re.M))
    found = []
    exported = set()
    for line in symvers.splitlines():
        _, symbol, module, kind, *namespace = line.split("\t")
        if os.path.basename(module) != "sluice" or symbol in TESTS:
            continue
        exported.add(symbol)
        if namespace != [NAMESPACE] or kind != "EXPORT_SYMBOL_GPL":
            found.append(f"{name}: {symbol} is exported as {kind} {''.join(namespace)}, not as "
                         f"EXPORT_SYMBOL_GPL {NAMESPACE}")
    found += [f"{name}: sluice.ko exports {symbol}, and {HEADER} does not declare it"
              for symbol in sorted(exported - names)]
    found += [f"{name}: {HEADER} declares {symbol}, and sluice.ko does not export it"
              for symbol in sorted(names - exported - optional)]
    return found


def check_builds(header: str, folder: str, places: list[str], optional: set[str]) -> list[str]:
    """The findings about the builds in these places of a folder.  A build that is missing is one."""
    found = [] if places else ["no build of the modules is named: add the folders below build/ that "
                               "have one"]
    for place in places:
        path = os.path.join(folder, place, "Module.symvers")
        if not os.path.exists(path):
            found.append(f"{place}: the modules are not built: {path} is missing")
            continue
        with open(path, encoding="utf-8") as file:
            found += check(header, file.read(), optional, place)
    return found
