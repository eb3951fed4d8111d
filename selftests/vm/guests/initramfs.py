# SPDX-License-Identifier: MIT
"""The first root file system of a guest: busybox, modules, selftests/vm/init.

A PC's guest then changes to its root over 9p.  The guest for arm64 has no disk and no 9p:
this file system has all that it needs.
"""
from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable

from . import places
from .places import Kernel

# The modules that a PC's guest needs to reach its root; their dependencies are added.
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
# The kernel's own modules that the tests on arm64 need.
ARM64_MODULES = ("vgem",)
# Folders that init fills or uses as mount points.
FOLDERS = ("bin", "dev", "proc", "sys", "modules")
# Commands that unpack a compressed module.
READERS = {".xz": ("xz", "-dc"), ".zst": ("zstd", "-qdc")}


def module_name(path: str) -> str:
    """The name of the module in a file: virtio-rng.ko.xz is virtio_rng."""
    return os.path.basename(path).split(".")[0].replace("-", "_")


def in_order_of_loading(dep: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Files of modules and of their dependencies, from the lines of a modules.dep.

    Modules that are built into the kernel have no line there, and are left out.
    """
    lines: dict[str, tuple[str, list[str]]] = {}
    for text in dep:
        path, _, needs = text.partition(":")
        lines[module_name(path)] = (path, needs.split())
    order: list[str] = []

    def add(path: str) -> None:
        for needed in reversed(lines[module_name(path)][1]):
            if needed not in order:
                add(needed)
        if path not in order:
            order.append(path)

    for name in wanted:
        if name in lines:
            add(lines[name][0])
    return order


def unpack(source: str, target: str) -> None:
    """Copy a module, and unpack it."""
    reader = READERS.get(os.path.splitext(source)[1], ("cat",))
    with open(target, "wb") as out:
        subprocess.run([*reader, source], check=True, stdout=out)


def archive(folder: str, target: str) -> None:
    """Make a folder an initramfs.  The kernel's own initramfs has /dev/console."""
    names = sorted(os.path.relpath(os.path.join(path, name), folder)
                   for path, folders, files in os.walk(folder) for name in folders + files)
    made = subprocess.run(["cpio", "--create", "--format=newc", "--owner=+0:+0", "--quiet", "--null"],
                          input="\0".join([*names, ""]).encode(), cwd=folder, check=True,
                          stdout=subprocess.PIPE)
    with gzip.open(target, "wb", compresslevel=1) as out:
        out.write(made.stdout)


def files_of(kernel: Kernel) -> list[tuple[str, str]]:
    """(name, source) of all files except the kernel's modules."""
    files = [("init", os.path.join(places.TOP, "selftests/vm/init"))]
    if not kernel.arm64:
        return [*files, ("bin/busybox", os.path.join(places.ROOT, "usr/bin/busybox"))]
    tests = os.path.join(places.BUILD, "user-arm64/tests")
    ours = os.path.join(places.BUILD, kernel.release)
    return [*files,
            ("bin/busybox", os.path.join(places.ARM64, "usr/bin/busybox")),
            ("bin/bash", os.path.join(places.ARM64, "usr/bin/bash-static")),
            ("sluice/guest/main", os.path.join(places.BUILD, "guest/main")),
            *((f"sluice/user/{name}", os.path.join(places.BUILD, "user-arm64", name))
              for name in ("tools/sluicectl", "bench/bench")),
            *((f"sluice/{kernel.release}/{name}", os.path.join(ours, name))
              for name in sorted(os.listdir(ours)) if name.endswith(".ko")),
            *((f"sluice/user/tests/{name}", os.path.join(tests, name))
              for name in sorted(os.listdir(tests)))]


def make(kernel: Kernel, target: str) -> None:
    """Make the initramfs of a kernel's guest, as a file."""
    with tempfile.TemporaryDirectory(prefix="sluice-initramfs-") as folder:
        for name in FOLDERS:
            os.mkdir(os.path.join(folder, name))
        for name, source in files_of(kernel):
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copyfile(source, path)
            os.chmod(path, 0o755)
        with open(os.path.join(kernel.modules, "modules.dep"), encoding="utf-8") as dep:
            modules = in_order_of_loading(dep, ARM64_MODULES if kernel.arm64 else MODULES)
        with open(os.path.join(folder, "modules/list"), "w", encoding="utf-8") as out:
            for path in modules:
                name = os.path.basename(path).split(".")[0] + ".ko"
                unpack(os.path.join(kernel.modules, path), os.path.join(folder, "modules", name))
                out.write(name + "\n")
        archive(folder, target)
