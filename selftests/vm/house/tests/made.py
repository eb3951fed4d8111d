# SPDX-License-Identifier: MIT
"""A made-up tree."""
from __future__ import annotations

import contextlib
import io
import os
import tempfile
import unittest
from unittest import mock

from .. import __main__ as command
from .. import objects, plan, rules
from ..finding import Finding
from ..tree import Tree

# in two parts, because it is not this file's licence
SPDX = "/* SPDX-" "License-Identifier: GPL-2.0-only */"
SLUICE_H = f"""{SPDX}
/* The interface for device drivers. */
void sluice_engine_done(void);
"""
FLOORS = """[sluice] drivers/core
 1  sluice:
 2  slot: slot cursor
 2  fence: fence
 3  job: job
[sluice] drivers/core/compat: compat
 1  mm:
[sluice-soft] drivers/devices: soft
 1  pattern: pattern
 2  soft:
"""


def c(text: str, head: str = "Owns something.") -> str:
    """A file with a head comment."""
    return f"{SPDX}\n/* {head} */\n{text}"


class TreeTest(unittest.TestCase):
    """A test with a tree of its own, in which no rule is broken."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="sluice-floors-")
        self.addCleanup(folder.cleanup)
        self.top = folder.name
        self.write({
            plan.NAME: FLOORS,
            "drivers/core/sluice.h": SLUICE_H,
            "drivers/core/slot.h": c("struct sluice_slot;\n"
                                     "void sluice_slot_get(struct sluice_slot *slot);\n"),
            "drivers/core/slot.c": c('#include "slot.h"\n'
                                     "void sluice_slot_get(struct sluice_slot *slot)\n{\n}\n"),
            "drivers/core/fence.h": c("void sluice_fence_end(void);\n"),
            "drivers/core/fence.c": c('#include "fence.h"\nvoid sluice_fence_end(void)\n{\n}\n'),
            "drivers/core/job.h": c('#include "slot.h"\nvoid sluice_job_end(void);\n'),
            "drivers/core/job.c": c('#include "job.h"\n'
                                    "void sluice_job_end(void)\n{\n\tsluice_slot_get(NULL);\n}\n"),
            "drivers/core/compat/mm.h": c("#ifndef SLUICE_HAVE_X\n#define vm_flags_set(x)\n#endif\n"),
        })

    def write(self, files: dict[str, str]) -> None:
        """Write files, by their paths from the top."""
        for path, text in files.items():
            path = os.path.join(self.top, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

    def append(self, path: str, text: str) -> None:
        """Add lines to a file."""
        with open(os.path.join(self.top, path), "a", encoding="utf-8") as file:
            file.write(text)

    def plan(self) -> plan.Plan:
        """Write drivers/floors."""
        return plan.read(Tree(self.top).text(plan.NAME))

    def found(self, nm: str = "") -> list[Finding]:
        """The findings, if nm prints this about the objects."""
        return rules.check(self.plan(), Tree(self.top), [objects.read(nm)])

    def assert_finds(self, kind: str, place: str, *words: str, nm: str = "") -> None:
        """There is exactly one finding, of this kind, at FILE:LINE, with these words."""
        found = self.found(nm)
        self.assertEqual([each.kind for each in found], [kind], "\n".join(map(str, found)))
        self.assertTrue(str(found[0]).startswith(f"{place}: "), found[0])
        for word in words:
            self.assertIn(word, found[0].text)

    def assert_fine(self, nm: str = "") -> None:
        """There is no finding."""
        self.assertEqual(list(map(str, self.found(nm))), [])

    def run_command(self, *arguments: str) -> tuple[int, str]:
        """Run the command on this tree; returns its status and what it printed."""
        printed = io.StringIO()
        with mock.patch.object(command, "TOP", self.top), mock.patch("sys.argv", ["floors", *arguments]), \
                contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            status = command.main()
        return status, printed.getvalue()
