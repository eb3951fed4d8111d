# SPDX-License-Identifier: MIT
"""Each rule is broken once, in a copy of the headers and the library; each must give a finding.

A change that is allowed must give none.
"""
from __future__ import annotations

import glob
import os
import shutil
import tempfile
from typing import NamedTuple

from . import library, uapi
from .finding import Problem, output

UAPI = "uapi/linux/sluice.h"
CODE = "userspace/lib/sluice.c"
SOURCES = "userspace/lib/*.c"
HEADER = "userspace/lib/sluice.h"
MAP = "userspace/lib/libsluice.map"


class Change(NamedTuple):
    """A change of a file; and a part of the finding that it must give, or None if it is allowed."""

    name: str
    edits: tuple[tuple[str, str, str], ...]	# file, text, other text
    finding: str | None


def one(name: str, file: str, old: str, new: str, finding: str | None) -> Change:
    """A change of one place."""
    return Change(name, ((file, old, new),), finding)


# a larger number, whatever the number is now
GROWN = (UAPI, "#define SLUICE_UAPI_VERSION\t", "#define SLUICE_UAPI_VERSION\t9")

OF_UAPI = (
    one("a flag has another value", UAPI, "SLUICE_MEM_HUGE\t\t(1U << 7)", "SLUICE_MEM_HUGE\t\t(1U << 9)",
        "SLUICE_MEM_HUGE changed"),
    one("a flag is removed", UAPI, "#define SLUICE_FD_RDONLY\t(1U << 1)\n", "",
        "SLUICE_FD_RDONLY was removed"),
    one("an enumerator is inserted", UAPI, "\tSLUICE_OP_COPY = 1,", "\tSLUICE_OP_NEW = 1,\n\tSLUICE_OP_COPY = 2,",
        "SLUICE_OP_COPY changed"),
    one("an ioctl has another number", UAPI, "SLUICE_IOCTL_BASE, 0x27,", "SLUICE_IOCTL_BASE, 0x28,",
        "SLUICE_IOCTL_ACK changed"),
    one("an ioctl has another direction", UAPI, "SLUICE_IOCTL_ACK\t\t_IOW(", "SLUICE_IOCTL_ACK\t\t_IOWR(",
        "SLUICE_IOCTL_ACK changed"),
    one("an ioctl is removed", UAPI, "#define SLUICE_IOCTL_ACK", "#define IGNORED",
        "SLUICE_IOCTL_ACK was removed"),
    Change("two ioctls have one number", (GROWN, (
        UAPI, "#define SLUICE_IOCTL_ACK",
        "#define SLUICE_IOCTL_NEW _IOW(SLUICE_IOCTL_BASE, 0x27, struct sluice_ack)\n"
        "#define SLUICE_IOCTL_ACK")), "have the same number 0x27"),
    one("a macro with arguments has another text", UAPI, "((__u64)(bar) << 40)", "((__u64)(bar) << 41)",
        "SLUICE_MMAP_BAR(bar) changed"),
    one("a member is removed", UAPI, "\t__u32 dma_bits;\n\t__u64 open_limit;", "\t__u32 none;\n\t__u64 open_limit;",
        "the member dma_bits of struct sluice_info was removed"),
    one("a member is inserted", UAPI, "\t__u32 num_interrupts;\n",
        "\t__u32 num_lines;\n\t__u32 num_interrupts;\n\t__u32 reserved;\n",
        "the member num_interrupts of struct sluice_info changed"),
    one("a member has another sign", UAPI, "\t__u32 op_align;\n\t__u32 dma_bits;",
        "\t__s32 op_align;\n\t__u32 dma_bits;", "the member op_align of struct sluice_info changed"),
    one("two members are exchanged", UAPI, "\t__u64 user_limit;\n\t__u64 user_bytes;",
        "\t__u64 user_bytes;\n\t__u64 user_limit;", "the member user_limit of struct sluice_info changed"),
    one("a struct is removed", UAPI, "struct sluice_uring_submit {", "struct sluice_other {",
        "struct sluice_uring_submit was removed"),
    one("a struct grows without a version", UAPI, "\t__u64 total_bytes;\n", "\t__u64 total_bytes;\n\t__u64 more;\n",
        "SLUICE_UAPI_VERSION is still"),
    one("the version shrinks", UAPI, "#define SLUICE_UAPI_VERSION\t", "#define SLUICE_UAPI_VERSION\t0 * ",
        "SLUICE_UAPI_VERSION changed"),
    Change("allowed: a struct grows at its end", (GROWN, (
        UAPI, "\t__u64 total_bytes;\n", "\t__u64 total_bytes;\n\t__u64 more;\n")), None),
    Change("allowed: a reserved member gets a name", (GROWN, (
        UAPI, "\t__u32 field;\n\t__u32 reserved;\n};", "\t__u32 field;\n\t__u32 colour;\n};")), None),
    Change("allowed: a new flag", (GROWN, (
        UAPI, "#define SLUICE_FD_RDONLY", "#define SLUICE_FD_NEW (1U << 2)\n#define SLUICE_FD_RDONLY")),
        None),
)

# a function that the library exports under another name, with a version
VERSION = '__attribute__((visibility("default"), symver("%s"))) '

OF_LIBRARY = (
    Change("a function is removed", (
        (HEADER, "int sluice_fence_merge(int a, int b);", ""), (MAP, "\tsluice_fence_merge;\n", "")),
        "sluice_fence_merge"),
    Change("a parameter has another type", (
        (HEADER, "int sluice_fence_merge(int a, int b);", "int sluice_fence_merge(int a, long b);"),
        (CODE, "int sluice_fence_merge(int a, int b)", "int sluice_fence_merge(int a, long b)")),
        "sluice_fence_merge"),
    Change("a parameter is added", (
        (HEADER, "int sluice_fence_merge(int a, int b);", "int sluice_fence_merge(int a, int b, int c);"),
        (CODE, "int sluice_fence_merge(int a, int b)\n{",
         "int sluice_fence_merge(int a, int b, int c)\n{\n\ta += c * 0;\n")), "sluice_fence_merge"),
    Change("a function has another version", (
        (MAP, "LIBSLUICE_0.1 {", "LIBSLUICE_0.2 {"),), "LIBSLUICE_0.1"),
    one("a struct grows: programs have less room for it", UAPI, "\t__u64 total_bytes;\n",
        "\t__u64 total_bytes;\n\t__u64 more;\n", "sluice_info"),
    one("a function is declared, and hidden", MAP, "\tsluice_fence_merge;\n", "",
        "does not export it: add it"),
    Change("a function is exported, and not declared", (
        (MAP, "\tsluice_fence_merge;\n", "\tsluice_fence_merge;\n\tsluice_secret;\n"),
        (CODE, "int sluice_fence_merge(int a, int b)\n",
         "int sluice_secret(void);\n__attribute__((visibility(\"default\"))) int sluice_secret(void)\n"
         "{\n\treturn 0;\n}\n\nint sluice_fence_merge(int a, int b)\n")), "exports sluice_secret, and"),
    Change("allowed: a function is added", (
        (HEADER, "int sluice_fence_merge(int a, int b);",
         "int sluice_fence_merge(int a, int b);\nint sluice_new(void);"),
        (MAP, "\tsluice_fence_merge;\n", "\tsluice_fence_merge;\n\tsluice_new;\n"),
        (CODE, "int sluice_fence_merge(int a, int b)\n",
         "int sluice_new(void)\n{\n\treturn 0;\n}\n\nint sluice_fence_merge(int a, int b)\n")), None),
    Change("allowed: a function has a new version, and the old one stays for older programs", (
        (MAP, "local:\n\t*;\n};\n",
         "local:\n\t*;\n};\n\nLIBSLUICE_9 {\nglobal:\n\tsluice_fence_merge;\n} LIBSLUICE_0.1;\n"),
        (CODE, "int sluice_fence_merge(int a, int b)\n",
         VERSION % "sluice_fence_merge@@LIBSLUICE_9" + "int sluice_merge_9(int a, int b);\n"
         "int sluice_merge_9(int a, int b)\n{\n\treturn a + b;\n}\n\n" +
         VERSION % "sluice_fence_merge@LIBSLUICE_0.1" + "int sluice_merge_1(int a, int b);\n"
         "int sluice_merge_1(int a, int b)\n")), None),
)


def changed(top: str, folder: str, change: Change) -> None:
    """A copy of the files that count, with a change in them."""
    for part in ("uapi", "userspace/lib"):
        shutil.copytree(os.path.join(top, part), os.path.join(folder, part))
    for file, old, new in change.edits:
        path = os.path.join(folder, file)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if text.count(old) != 1:
            raise Problem(f"'{change.name}' has no place any more in {file}: change it in abi/prove.py")
        with open(path, "w", encoding="utf-8") as source:
            source.write(text.replace(old, new))


def findings_of_uapi(top: str, folder: str) -> list[str]:
    """What the rules of the UAPI say about a copy, compared with the tree as it is."""
    return uapi.compare(uapi.describe(os.path.join(top, "uapi")),
                        uapi.describe(os.path.join(folder, "uapi")))


def compiled(folder: str) -> str:
    """The shared object of a copy."""
    shared = os.path.join(folder, "libsluice.so")
    output("gcc", "-std=gnu11", "-O1", "-g", "-fPIC", "-fvisibility=hidden", "-D_GNU_SOURCE",
           "-I" + os.path.join(folder, "userspace/lib"), "-I" + os.path.join(folder, "uapi"),
           "-shared", "-Wl,-soname,libsluice.so.0",
           "-Wl,--version-script," + os.path.join(folder, MAP),
           "-o", shared, *sorted(source for source in glob.glob(os.path.join(folder, SOURCES))
                                 if not source.endswith("/examples.c")))
    return shared


def findings_of_library(folder: str, baseline: str) -> list[str]:
    """What the rules of the library say about a copy."""
    shared = compiled(folder)
    with open(os.path.join(folder, HEADER), encoding="utf-8") as file:
        found = library.check_symbols(file.read(), library.exported(shared))
    return found + library.compare(baseline, shared)


def prove(top: str) -> list[str]:
    """The rules that do not find what they are for, and those that find too much."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        same = os.path.join(folder, "same")
        changed(top, same, Change("nothing", (), None))
        baseline = os.path.join(folder, "baseline.xml")
        with open(baseline, "w", encoding="utf-8") as file:
            file.write(library.describe(compiled(same)))
        for number, change in enumerate((*OF_UAPI, *OF_LIBRARY)):
            copy = os.path.join(folder, str(number))
            changed(top, copy, change)
            found = findings_of_uapi(top, copy) if change in OF_UAPI \
                else findings_of_library(copy, baseline)
            if change.finding is None and found:
                wrong.append(f"'{change.name}' is refused: {found[0]}")
            elif change.finding is not None and not any(change.finding in line for line in found):
                wrong.append(f"'{change.name}' is not found" + (f", but: {found[0]}" if found else ""))
    return wrong
