# SPDX-License-Identifier: MIT
"""The plugin of QEMU that counts instructions (selftests/bench/plugin)."""
from __future__ import annotations

import os
import subprocess

from . import places

# The versions of QEMU's interface for which selftests/Makefile builds the plugin.
VERSIONS = (1, 2)


def load(path: str, out: str) -> str:
    """Let QEMU load a plugin; returns why it does not, or an empty text."""
    comma = [name.replace(",", ",,") for name in (path, out)]
    tried = subprocess.run(
        ["qemu-system-x86_64", "-M", "none", "-display", "none", "-S", "-nodefaults",
         "-monitor", "stdio", "-plugin", f"{comma[0]},out={comma[1]}"],
        input="quit\n", check=False, capture_output=True, text=True)
    if not tried.returncode:
        return ""
    return (tried.stderr.strip().splitlines() or ["it gave no reason"])[-1]


def plugin() -> str:
    """The plugin that the installed QEMU loads; ends the command if there is none."""
    reason = ""
    for version in VERSIONS:
        path = os.path.join(places.BUILD, "user", "bench", f"plugin-{version}.so")
        if not os.path.exists(path):
            places.fail(f"no {path}: run 'make user' first")
        reason = load(path, os.devnull)
        if not reason:
            return path
    places.fail("the installed QEMU does not load the plugin that counts instructions, so there is "
                f"no profile; QEMU says: {reason}")
