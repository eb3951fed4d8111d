# SPDX-License-Identifier: MIT
"""Is everything still there that programs and device drivers were compiled with?

    interfaces check PLACE...   compare the UAPI headers, libsluice.so and the modules with what the
                                last release had and with their headers; silent if all is well.  A
                                PLACE is a folder of build/ with modules, such as the release of a
                                kernel
    interfaces prove            break each rule once, in a copy, and expect the finding
    interfaces renew            at a release: write what the next release must keep, uapi/abi/ and
                                userspace/lib/abi/

The exit status is 1 if there is a finding.
"""
from __future__ import annotations

import argparse
import os
import sys

from . import library, modules, prove, uapi
from .finding import Problem

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BUILD = os.path.join(TOP, "build")


def text(path: str) -> str:
    """A file of the tree."""
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def check(places: list[str]) -> list[str]:
    """All findings, also about the modules in these folders of build/."""
    shared = os.path.join(BUILD, "user", "lib", "libsluice.so")
    found = [f"UAPI: {finding}" for finding in
             uapi.compare(text(uapi.BASELINE), uapi.describe(os.path.join(TOP, "uapi")))]
    found += library.check_symbols(text(library.HEADER), library.exported(shared))
    found += library.compare(os.path.join(TOP, library.BASELINE), shared)
    return found + modules.check_builds(text(modules.HEADER), BUILD, places, {"sluice_device_add_sram"})


def renew() -> None:
    """Write the two files; both or none."""
    shared = os.path.join(BUILD, "user", "lib", "libsluice.so")
    new = {uapi.BASELINE: uapi.describe(os.path.join(TOP, "uapi")),
           library.BASELINE: library.describe(shared)}
    for path, content in new.items():
        os.makedirs(os.path.dirname(os.path.join(TOP, path)), exist_ok=True)
        with open(os.path.join(TOP, path), "w", encoding="utf-8") as file:
            file.write(content)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="interfaces", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", default="check", choices=("check", "prove", "renew"))
    parser.add_argument("places", nargs="*", metavar="PLACE", help="for check")
    arguments = parser.parse_args()
    command = arguments.command
    if arguments.places and command != "check":
        parser.error(f"{command} takes no PLACE")
    try:
        if command == "renew":
            renew()
            return 0
        found = check(arguments.places) if command == "check" else prove.prove(TOP)
    except (Problem, OSError) as problem:
        print(f"sluice: {problem}", file=sys.stderr)
        return 1
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
