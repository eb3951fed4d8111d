# SPDX-License-Identifier: MIT
"""The commands of small pages, the test that runs them, and pages that are refused."""
from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unittest

from ..comment import Problem
from ..howto import page_of, write_pages

TEST = os.path.join(os.path.dirname(__file__), "..", "..", "..", "selftests", "howto.sh")
PAGE = """# Page

```c build/x.c
int x;
```

```console host
$ cc -c build/x.c
```

```console
# cat <<END
> 17 apples [a]*
> END
5 apples  [a]*
# false    # fails
# x=it\\'s
# echo $x; echo more
...
more
```

```console unrun it needs a card
# reboot
```

text


"""


class Parse(unittest.TestCase):
    """The blocks of a page."""

    def test_a_page_has_files_and_commands(self) -> None:
        page = page_of("p", PAGE)
        self.assertEqual(page.files, {"build/x.c": "int x;\n"})
        self.assertEqual([command.text for command in page.host], ["cc -c build/x.c"])
        self.assertEqual([command.number for command in page.guest], [12, 16, 17, 18])
        self.assertEqual(page.guest[0].text, "cat <<END\n17 apples [a]*\nEND")
        self.assertEqual(page.guest[0].output, ["5 apples  [a]*"])
        self.assertEqual([command.fails for command in page.guest], [False, True, False, False])

    def refused(self, text: str, words: str) -> None:
        """A page is refused with these words."""
        with self.assertRaisesRegex(Problem, words):
            page_of("p", text)

    def test_blocks_that_no_test_runs_are_refused(self) -> None:
        self.refused("text:\n\n    make all\n", "p:3: this block has no fence")
        self.refused("```sh\nmake\n```\n", "p:1: no test runs a block of sh")
        self.refused("```console unrun\n# make\n```\n", "'unrun' is neither")
        self.refused("```console guest\n# make\n```\n", "'guest' is neither")

    def test_commands_without_a_prompt_are_refused(self) -> None:
        self.refused("```console\nmake\n```\n", "p:2: a command of this block begins with '# '")
        self.refused("```console host\n# make\n```\n", "begins with '\\$ '")
        self.refused("```console\n```\n", "has no command")


class Run(unittest.TestCase):
    """The test, with pages of this machine."""

    def run_page(self, text: str) -> subprocess.CompletedProcess[str]:
        """The output of the test for one page."""
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "build"))
            with open(os.path.join(folder, "page.md"), "w", encoding="utf-8") as file:
                file.write(text)
            write_pages(folder, [os.path.join(folder, "page.md")], os.path.join(folder, "lib", "howto"))
            shutil.copy(TEST, folder)
            with open(os.path.join(folder, "howto.sh"), encoding="utf-8") as file:
                script = file.read().replace("cd /root ", f"cd {folder} ").replace("/sluice/user", folder)
            with open(os.path.join(folder, "howto.sh"), "w", encoding="utf-8") as file:
                file.write(script)
            return subprocess.run(["bash", os.path.join(folder, "howto.sh")], capture_output=True,
                                  text=True, check=False)

    def test_a_page_passes(self) -> None:
        done = self.run_page(PAGE)
        self.assertEqual(done.stdout.splitlines(), [
            "TAP version 13", "1..4", "ok 1 page.md:12 cat <<END", "ok 2 page.md:16 false",
            "ok 3 page.md:17 x=it\\'s", "ok 4 page.md:18 echo $x; echo more"])
        self.assertEqual(done.returncode, 0)

    def assert_fails(self, block: str, words: str) -> None:
        """A page with this block fails with these words."""
        done = self.run_page(f"```console\n{block}\n```\n")
        self.assertIn("not ok 1 ", done.stdout)
        self.assertIn(words, done.stdout)
        self.assertEqual(done.returncode, 1)

    def test_other_output_is_found(self) -> None:
        self.assert_fails("# echo apples\npears", "# the page shows other output:\n# apples\n")
        self.assert_fails("# echo 'apples; pears'\napples", "other output")
        self.assert_fails("# echo soft0\nedu0", "other output")
        self.assert_fails("# true\n...\napples", "other output")

    def test_another_status_is_found(self) -> None:
        self.assert_fails("# false", "# its status is 1:")
        self.assert_fails("# true    # fails", "# it succeeded:")

    def test_a_line_of_dots_stands_for_any_number_of_lines(self) -> None:
        for printed in ("b", "a\\nb", "a\\na\\nb", "b\\nc", "a\\na\\nb\\nc\\nd"):
            done = self.run_page(f"```console\n# printf '{printed}\\n'\n...\nb\n...\n```\n")
            self.assertEqual(done.returncode, 0, printed + done.stdout)
        for printed in ("a", "ab\\ncb", ""):
            done = self.run_page(f"```console\n# printf '{printed}\\n'\nb\n...\n```\n")
            self.assertEqual(done.returncode, 1, printed)

    def test_numbers_may_differ(self) -> None:
        done = self.run_page("```console\n# echo 'frame   7: 0x1f bytes, 00ff at 1.5 s'\n"
                             "frame 123: 0xdead1 bytes, 12 at 20.25 s\n```\n")
        self.assertIn("ok 1 ", done.stdout)
        self.assertEqual(done.returncode, 0)
