# SPDX-License-Identifier: MIT
"""The demo, in one guest: the table of the pipeline and a picture of the guest's screen.

On failure, it prints the reasons, and where the logs are.
"""
from __future__ import annotations

import os
import threading
import time

from . import log, places
from .guest import Guest
from .judge import SAID_LINES


class Progress:
    """Prints the guest's lines, and a sign of progress while there are none."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()
        self.stage = "booting"
        self.wrong: list[str] = []
        self.ended = threading.Event()
        self.watch = threading.Thread(target=self.still, daemon=True)

    def __enter__(self) -> Progress:
        self.watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.watch.join()

    @property
    def seconds(self) -> str:
        """Seconds since the start."""
        return f"{time.monotonic() - self.began:.0f} s"

    def say(self, text: str) -> None:
        """Print a line at once."""
        self.last = time.monotonic()
        print(text, flush=True)

    def still(self) -> None:
        """Print that the guest is at work, because an emulated machine is slow."""
        while not self.ended.wait(1):
            if time.monotonic() - self.last > 8:
                self.say(f"    still {self.stage}, {self.seconds} after the start")

    def line(self, text: str) -> None:
        """Take a line from the guest."""
        if text.startswith("! "):
            self.wrong.append(text[2:])
        elif text.startswith("Bail out!"):
            self.wrong.append(text)
        elif text == "# guest up":
            self.stage = "preparing the GPU"
            self.say(f"    booted in {self.seconds}; looking for a GPU and a display")
        elif not text.startswith("# "):
            self.stage = "at work"
            self.say(text)


def reasons(status: int | None, picture: bool, progress: Progress) -> list[str]:
    """The reasons why the demo has failed."""
    if status is None:
        return [*progress.wrong, f"The guest did not reach its end. It was {progress.stage}."]
    if status == 0 and not picture:
        return [*progress.wrong, "There is no picture of the guest's screen."]
    if status and not progress.wrong:
        return [f"The pipeline ended with status {status}."]
    return progress.wrong


def demo(line: str) -> int:
    """The command."""
    places.stage_guest()
    details = os.environ.get("V", "0") not in ("", "0")
    guest = Guest(line, "demo", settings=["verbose=1"] if details else [])
    os.makedirs(os.path.dirname(guest.picture), exist_ok=True)
    if os.path.exists(guest.picture):
        os.unlink(guest.picture)
    progress = Progress()
    print(f"==> {guest.release}: booting a virtual machine", flush=True)
    with progress:
        status = guest.run(progress.line)
    trouble, picture = guest.trouble(), os.path.exists(guest.picture)
    if status == 0 and not trouble and picture:
        print(f"\nThe guest's screen: {os.path.relpath(guest.picture)}")
        if not details:
            print("make demo V=1 shows the details.")
        return 0
    print("\nThe demo failed.")
    for text in reasons(status, picture, progress)[-SAID_LINES:]:
        print("    " + text)
    for report in trouble[:3]:
        print("    kernel: " + report[0] + "\n" + log.excerpt(report), end="")
    print(f"Logs: {os.path.relpath(guest.tap_log)}\n      {os.path.relpath(guest.kernel_log)}")
    return 1
