# SPDX-License-Identifier: MIT
"""The folders of this checkout, and the kernels in them."""
from __future__ import annotations

import os
import re
import shutil
import sys
from typing import NamedTuple, NoReturn

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BUILD = os.environ.get("SLUICE_BUILD") or os.path.join(TOP, "build")
LOG = os.path.join(BUILD, "log")
# links to the parts of the cache that this checkout uses, made by selftests/vm/setup
LAB = os.path.join(BUILD, "lab")
ROOT = os.path.realpath(os.path.join(LAB, "root"))
ARM64 = os.path.realpath(os.path.join(LAB, "arm64"))
WORKSHOP = os.path.realpath(os.path.join(LAB, "workshop"))


def fail(message: str) -> NoReturn:
    """End the command with a sentence for the user."""
    sys.exit(f"sluice: {message}")


class Kernel(NamedTuple):
    """A kernel that a guest boots."""

    release: str
    image: str
    modules: str	# the folder

    @property
    def arm64(self) -> bool:
        """Is it for a Raspberry Pi 3, and not for a PC?"""
        return self.release.endswith("-arm64")


def kernel_of(name: str) -> Kernel:
    """A kernel of the lab by its role, line or release, or a release that KDIR= has built."""
    own = os.path.join(BUILD, name, "root", "lib", "modules", name)
    if os.path.isdir(own):
        with open(os.path.join(BUILD, name, "image"), encoding="utf-8") as text:
            return Kernel(name, text.read().strip(), own)
    folder = os.path.join(LAB, "kernels", name)
    if not os.path.isdir(folder):
        fail(f"no kernel '{name}' in {os.path.dirname(folder)}: run selftests/vm/setup first")
    folder = os.path.realpath(folder)
    release = os.path.basename(folder)
    return Kernel(release, os.path.join(folder, "boot", "vmlinuz-" + release),
                  os.path.join(folder, "usr", "lib", "modules", release))


def is_debug(line: str) -> bool:
    """Was this kernel built to catch bugs?  It comes with modules that test the core inside."""
    return os.path.exists(os.path.join(BUILD, line, "sluice-importer.ko"))


def natural(text: str) -> list[tuple[int, str]]:
    """A key to sort releases by: numbers in them count as numbers."""
    return [(int(part), "") if part.isdigit() else (0, part)
            for part in re.split(r"(\d+)", text)]


def stage_guest() -> None:
    """Copy the guest's scripts to the folder where the guest finds them."""
    folder = os.path.join(BUILD, "guest")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(os.path.join(TOP, "selftests/vm/guest"), os.path.join(folder, "main"))
    shutil.copy(os.path.join(TOP, "selftests/vm/demo"), os.path.join(folder, "demo"))
    shutil.copy(os.path.join(TOP, "selftests/vm/secureboot/guest"),
                os.path.join(folder, "secureboot"))
    shutil.copy(os.path.join(TOP, "Documentation/secure-boot.md"), folder)
    shutil.copy(os.path.join(TOP, "selftests/vm/packages-guest"), os.path.join(folder, "packages"))


def tell_saved(saved: str) -> None:
    """Tell a guest with a shell which folder of this machine its /out is."""
    folder = os.path.join(BUILD, "guest")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "saved"), "w", encoding="utf-8") as text:
        text.write(saved + "\n")
