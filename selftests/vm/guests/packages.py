# SPDX-License-Identifier: MIT
"""The Debian packages, in a guest whose root has them installed.

The root is the one in which selftests/vm/packages has installed the packages.
"""
from __future__ import annotations

from . import places, report
from .guest import Guest
from .judge import Judge


def packages(line: str, root: str) -> int:
    """The command."""
    places.stage_guest()
    guest = Guest(line, "packages", root=root, modules_at=root)
    print(f"==> {guest.release}: booting with the packages", flush=True)
    judge = Judge(line)
    judge.finish(guest.run(judge.line))
    judge.trouble(guest.trouble())
    judge.see(f"    logs: {guest.tap_log}\n          {guest.kernel_log}\n")
    print(report.summary([judge]), end="", flush=True)
    return report.status([judge])
