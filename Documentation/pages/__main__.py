# SPDX-License-Identifier: MIT
"""The documents as a site and as man pages.

    pages stage TOP MAN KERNEL-DOC OUT  the sources of the site: the documents of the tree TOP, the
                                        man pages in the folder MAN, and the comments of the
                                        headers, as the kernel's program prints them
    pages links SITE                    fails if a link of the site leads nowhere
    pages man HEADER EXAMPLES DATE VERSION OUT
                                        a man page for each function of a header
    pages commands TOP OUT PAGE...      the commands of how-to pages: see howto.py
"""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from . import howto, links, man, tree
from .comment import Problem, listed


def output(command: list[str]) -> str:
    """What a command prints.  Its warnings are failures."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr.strip():
        raise Problem(f"'{' '.join(command)}' failed:\n{done.stderr}")
    return done.stdout


def stage(top: str, folder: str, kernel_doc: str, out: str) -> None:
    """The sources of the site."""
    pages, api = {}, {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith((".1", ".3")) and not tree.read(path).startswith(".so "):
            pages[name] = output(["mandoc", "-Thtml", "-Ofragment,man=%N.%S.html", path])
    with tempfile.TemporaryDirectory() as copies:
        for name, header, *_ in tree.HEADERS:
            path = os.path.join(copies, os.path.basename(header))
            tree.write(path, listed(tree.read(os.path.join(top, header))))
            api[name] = output([sys.executable, "-B", kernel_doc, "-rst", path])
    tree.stage(top, out, pages, api)


def main() -> int:
    """Run the command of the command line."""
    try:
        match sys.argv[1:]:
            case ["stage", top, folder, kernel_doc, out]:
                stage(top, folder, kernel_doc, out)
            case ["links", site]:
                found = links.findings(site)
                print("".join(f"{finding}\n" for finding in found), end="")
                return 1 if found else 0
            case ["man", header, examples, date, version, out]:
                man.write_pages(header, examples, date, version, out)
            case ["commands", top, out, *pages]:
                howto.write_pages(top, pages, out)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except Problem as problem:
        print(f"sluice: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
