# SPDX-License-Identifier: MIT
"""A failure of the command itself, and programs that the package runs."""
from __future__ import annotations

import subprocess


class Problem(Exception):
    """A failure of the command itself; its text is one sentence for the user."""


def output(*command: str, text: str | None = None) -> str:
    """What a program prints; a Problem with its first message if it fails."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        said = [line for line in said if "error" in line] or said or [str(done.returncode)]
        raise Problem(f"{command[0]} fails: {said[0]}")
    return done.stdout
