# SPDX-License-Identifier: MIT
"""The commands of how-to pages, for the test selftests/howto.sh.

The fence of a block says where it runs:

    ```console                  root in a guest of the lab: each command begins with "# "
    ```console host             the lab's root file system, in the folder of the tree, when the
                                tests are compiled: each command begins with "$ "
    ```console unrun REASON     not run, for this reason
    ```c build/NAME.c           the lab writes the block to this file before the commands run

A line "> " continues a command.  Other lines are the output of the command above.  The test
compares them: "..." stands for any text, a line "..." for any number of lines, and a number for any
number.  Output that the page does not show is not compared.  A command that ends with the comment
"# fails" must fail; any other must succeed.

A page with such a block must have all its commands in such blocks.
"""
from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .comment import Problem

FENCE = re.compile(r"^```(.*)$")
FILE = re.compile(r"^c (build/[\w.-]+\.c)$")
FAILS = re.compile(r"\s+# fails$")
PROMPTS = {"": "# ", "host": "$ "}


class Block(NamedTuple):
    """A fenced block: the number of its first line, the words behind its fence, and its lines."""

    number: int
    info: str
    lines: list[str]


class Command(NamedTuple):
    """A command: its line in the page, its text, and the output that the page shows."""

    number: int
    text: str
    output: list[str]
    fails: bool


class Page(NamedTuple):
    """What a test needs of a page."""

    files: dict[str, str]
    host: list[Command]
    guest: list[Command]


def blocks_of(name: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page, which may have no other blocks."""
    block: Block | None = None
    before = ""
    for number, line in enumerate(text.split("\n"), 1):
        fence = FENCE.match(line)
        if block and fence:
            yield block
            block = None
        elif block:
            block.lines.append(line)
        elif fence:
            block = Block(number + 1, fence.group(1).strip(), [])
        elif line.startswith("    ") and not before:
            raise Problem(f"{name}:{number}: this block has no fence, so no test runs it: write ```console")
        before = line.strip() if not line.startswith("    ") else ""


def commands_of(name: str, block: Block, prompt: str) -> Iterator[Command]:
    """The commands of a block."""
    command: Command | None = None
    for number, line in enumerate(block.lines, block.number):
        if line.startswith(prompt):
            if command:
                yield command
            text = line.removeprefix(prompt)
            command = Command(number, FAILS.sub("", text), [], bool(FAILS.search(text)))
        elif command is None:
            raise Problem(f"{name}:{number}: a command of this block begins with '{prompt}'")
        elif line.startswith("> ") and not command.output:
            command = command._replace(text=f"{command.text}\n{line[2:]}")
        else:
            command.output.append(line)
    if command is None:
        raise Problem(f"{name}:{block.number}: this block has no command")
    yield command


def page_of(name: str, text: str) -> Page:
    """The files and the commands of a page."""
    page = Page({}, [], [])
    for block in blocks_of(name, text):
        if found := FILE.match(block.info):
            page.files[found.group(1)] = "\n".join(block.lines) + "\n"
            continue
        kind, _, more = block.info.partition(" ")
        if kind in ("sh", "shell", "bash"):
            raise Problem(f"{name}:{block.number - 1}: no test runs a block of {kind}: write ```console")
        if kind != "console":
            continue
        if more == "unrun" or more.split(" ")[0] not in ("", "host", "unrun"):
            raise Problem(f"{name}:{block.number - 1}: '{more}' is neither 'host' nor 'unrun REASON'")
        if more in PROMPTS:
            (page.host if more else page.guest).extend(commands_of(name, block, PROMPTS[more]))
    return page


def quoted(text: str) -> str:
    """A word for a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def script_of(commands: Sequence[Command]) -> str:
    """The host's commands: the first that fails ends the script."""
    return "".join(["set -e\n", *(f"{command.text}\n" for command in commands)])


def write_pages(top: str, pages: Sequence[str], out: str) -> None:
    """Write each page's files to the tree, and its commands to OUT, as howto.sh reads them.

    OUT/PAGE.host has the host's commands.  OUT/PAGE.guest has a line for each command of the
    guest: howto NAME FAILS COMMAND OUTPUT.
    """
    os.makedirs(out, exist_ok=True)
    for name in os.listdir(out):
        os.unlink(os.path.join(out, name))
    for path in pages:
        with open(path, encoding="utf-8") as file:
            page = page_of(os.path.relpath(path, top), file.read())
        for name, text in page.files.items():
            with open(os.path.join(top, name), "w", encoding="utf-8") as file:
                file.write(text)
        name = os.path.basename(path).removesuffix(".md")
        with open(os.path.join(out, f"{name}.host"), "w", encoding="utf-8") as file:
            file.write(script_of(page.host))
        with open(os.path.join(out, f"{name}.guest"), "w", encoding="utf-8") as file:
            for command in page.guest:
                words = (f"{name}.md:{command.number}", "fails" if command.fails else "succeeds",
                         command.text, "\n".join(command.output).strip("\n"))
                file.write(f"howto {' '.join(map(quoted, words))}\n")
