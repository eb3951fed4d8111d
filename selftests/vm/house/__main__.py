# SPDX-License-Identifier: MIT
"""Does drivers/ follow drivers/floors?  Prints one line for each finding, with a remedy.

    floors [RELEASE...]     check the files, and the objects of builds of them in build/RELEASE/;
                            without any, those of the newest kernel
    floors --source         check the files alone
    floors --picture        print the floors, for design.md
    floors --table          print the duties of each file, for design.md
    floors --write          put both into design.md

A summary is printed on stderr.  The exit status is 1 if there is a finding.
"""
from __future__ import annotations

import argparse
import collections
import os
import sys

from . import document, objects, plan, rules
from .finding import Problem
from .tree import Tree

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BUILD = os.environ.get("SLUICE_BUILD") or os.path.join(TOP, "build")


def newest() -> str:
    """The release of the newest kernel in the lab."""
    link = os.path.join(BUILD, "lab", "kernels", "newest")
    if not os.path.islink(link):
        raise Problem("there is no newest kernel in the lab: run selftests/vm/setup first")
    return os.path.basename(os.readlink(link))


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    tree = Tree(TOP)
    floors = plan.read(tree.text(plan.NAME))
    if args.picture or args.table:
        print((document.picture if args.picture else document.table)(floors, tree), end="")
        return 0
    if args.write:
        text = document.written(tree.text(document.NAME), floors, tree)
        with open(os.path.join(TOP, document.NAME), "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    releases = [] if args.source else args.releases or [newest()]
    builds = [objects.of_build(BUILD, release, tree) for release in releases]
    found = sorted([*rules.check(floors, tree, builds), *document.check(floors, tree)])
    for finding in found:
        print(finding)
    if found:
        kinds = collections.Counter(finding.kind for finding in found)
        print(f"sluice: {len(found)} findings: "
              + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()), file=sys.stderr)
    return 1 if found else 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="floors", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("releases", nargs="*", metavar="RELEASE")
    for option in ("source", "picture", "table", "write"):
        parser.add_argument(f"--{option}", action="store_true")
    try:
        return run(parser.parse_args())
    except (Problem, OSError) as problem:
        print(f"sluice: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
