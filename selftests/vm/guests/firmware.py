# SPDX-License-Identifier: MIT
"""The disk and the variables of a guest with Secure Boot.

selftests/vm/secureboot/prepare makes the keys and the variables.  The disk has one file system of
the firmware, with Debian's signed boot loaders and kernel, and the initramfs of any other guest:

    \\EFI\\BOOT\\BOOTX64.EFI     shim; the firmware starts it because Microsoft has signed it
    \\EFI\\BOOT\\grubx64.efi     GRUB; shim starts it, and the kernel, because Debian has signed them
    \\EFI\\BOOT\\mmx64.efi       shim's program for keys of the machine's owner
    \\EFI\\debian\\grub.cfg      where Debian's GRUB looks for its commands
"""
from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess

from . import machine, places
from .machine import Files, Firmware, Kind
from .places import Kernel

MEBIBYTE = 1 << 20
LOADERS = {"shim.efi": "EFI/BOOT/BOOTX64.EFI", "grub.efi": "EFI/BOOT/grubx64.efi",
           "mok-manager.efi": "EFI/BOOT/mmx64.efi"}


def folder_of(kernel: Kernel) -> str:
    """The folder that selftests/vm/secureboot/prepare fills for a kernel."""
    return os.path.join(places.BUILD, "secureboot", kernel.release)


def prepare(line: str) -> None:
    """Make the keys and the variables for a kernel, anew."""
    subprocess.run([os.path.join(places.TOP, "selftests/vm/secureboot/prepare"), line], check=True)


def commands(arguments: str) -> str:
    """The commands for GRUB.  A word with a special character is quoted."""
    words = " ".join(word if word.replace("=", "").replace("_", "").replace(".", "").isalnum()
                     else "'" + word.replace("'", "'\\''") + "'" for word in arguments.split())
    return f"set timeout=0\nlinux /vmlinuz {words}\ninitrd /initramfs\nboot\n"


def tree(kernel: Kernel, files: Files, arguments: str, target: str) -> None:
    """Put the files of the disk into a folder."""
    for name, place in LOADERS.items():
        os.makedirs(os.path.dirname(os.path.join(target, place)), exist_ok=True)
        shutil.copyfile(os.path.join(folder_of(kernel), name), os.path.join(target, place))
    shutil.copyfile(kernel.image, os.path.join(target, "vmlinuz"))
    shutil.copyfile(files.initramfs, os.path.join(target, "initramfs"))
    os.makedirs(os.path.join(target, "EFI/debian"))
    with open(os.path.join(target, "EFI/debian/grub.cfg"), "w", encoding="utf-8") as out:
        out.write(commands(arguments))


def size_of(folder: str) -> int:
    """The size for a disk with these files, in MiB.

    The firmware takes a file system with fewer than 65525 clusters for FAT16, so it must be large.
    """
    content = sum(os.path.getsize(os.path.join(path, name))
                  for path, _, names in os.walk(folder) for name in names)
    return max(64, content // MEBIBYTE + 16)


def make_disk(kernel: Kernel, files: Files, arguments: str) -> str:
    """Make the disk; returns its path."""
    top = folder_of(kernel)
    content = os.path.join(top, "disk")
    shutil.rmtree(content, ignore_errors=True)
    os.mkdir(content)
    tree(kernel, files, arguments, content)
    disk = content + ".img"
    with open(disk, "wb") as image:
        image.truncate(size_of(content) * MEBIBYTE)
    # in the workshop, which has the programs for this file system
    subprocess.run([os.path.join(places.TOP, "selftests/vm/build"), "in-workshop", "sh", "-ec",
                    'cd "$1" && mformat -i disk.img -F -c 1 :: && mcopy -i disk.img -s disk/* ::',
                    "disk", os.path.join("/src/build/secureboot", kernel.release)], check=True)
    shutil.rmtree(content)
    return disk


def add(kind: Kind, kernel: Kernel, files: Files, temp: str) -> Files:
    """Files of a guest that boots with Secure Boot, from those of another guest.

    The firmware knows the owner's key, except in the part "enrol".  The guest's root is the workshop, with the programs that a user needs for keys.  The guest's own
    variables are in TEMP, because the firmware writes to them.
    """
    top = folder_of(kernel)
    variables = shutil.copy(os.path.join(top, kind.part or "variables") + ".fd", temp)
    disk = make_disk(kernel, files, machine.kernel_arguments(kind, kernel))
    return dataclasses.replace(files, root=places.WORKSHOP, firmware=Firmware(
        code=os.path.join(top, "code.fd"), variables=variables, disk=disk))
