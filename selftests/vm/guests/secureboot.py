# SPDX-License-Identifier: MIT
"""The tests with Secure Boot, one guest at a time.

A guest passes as the guests of check do: it reports its end, its programs have reached their plans
and have succeeded, and the kernel's log has no report of a bug.

The firmware of the last guest does not know the owner's key.  The guest asks for it with mokutil,
and starts again.  Then shim's MokManager runs before the kernel, and this program answers its
questions with the keyboard, as the owner of the machine would.
"""
from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Sequence

from . import firmware, places, report
from .check import without_twins
from .guest import Guest
from .judge import Judge

# Text on MokManager's screen, and the keys that answer it.  Each menu begins with its first entry.
# The guest has asked for no limit of time, so the screen with "Press any key" does not come.  An
# answer is at most two keys, because the keyboard keeps few of them on a busy machine.
ANSWERS: tuple[tuple[bytes, tuple[str, ...]], ...] = (
    # The firmware looks for a keyboard when a program wants a key for the first time, and loses
    # the keys that were pressed before.  This one has no effect, except that the menu is drawn
    # again.
    (b"Enroll MOK", ("up",)),
    (b"Enroll MOK", ("down", "ret")),	# below "Continue boot"
    (b"View key 0", ("down", "ret")),	# "Continue"
    (b"Enroll the key(s)?", ("down", "ret")),	# "Yes", below "No"
    (b"Password:", ("s", "ret")),
    (b"Reboot", ("ret",)),
)


AGAIN_SECONDS = 10	# after them, the first answer is repeated


class Owner:
    """Answers MokManager, whose screen is also on the first serial port."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.answered = 0
        self.pressed = 0.0	# time of the last answer
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> Owner:
        # the screens of an earlier guest
        if os.path.exists(self.guest.kernel_log):
            os.unlink(self.guest.kernel_log)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def press(self, keys: Iterable[str]) -> None:
        """Press keys."""
        for key in keys:
            self.guest.monitor(f"sendkey {key}")
        self.pressed = time.monotonic()

    def look(self, screen: bytes, seen: int) -> int:
        """Answer the questions on the screen after position SEEN; returns the new position."""
        while self.answered < len(ANSWERS):
            text, keys = ANSWERS[self.answered]
            found = screen.find(text, seen)
            if found < 0:
                break
            self.press(keys)
            self.answered += 1
            seen = found + len(text)
        if self.answered == 1 and time.monotonic() - self.pressed > AGAIN_SECONDS:
            self.press(ANSWERS[0][1])
        return seen

    def watch(self) -> None:
        """Look at the screen until the guest ends."""
        seen = 0
        with contextlib.suppress(OSError):	# QEMU has ended
            while not self.ended.wait(0.2):
                if os.path.exists(self.guest.kernel_log):
                    with open(self.guest.kernel_log, "rb") as log:
                        seen = self.look(log.read(), seen)


def secureboot_one(line: str, part: str) -> Judge:
    """One guest; returns its Judge."""
    firmware.prepare(line)
    guest = Guest(line, "secureboot", part=part)
    print(f"==> {guest.release}: booting with Secure Boot" + (f" ({part})" if part else ""),
          flush=True)
    judge = Judge("/".join(filter(None, (line, part))))
    if part:
        with Owner(guest) as owner:
            done = guest.run(judge.line)
        if owner.answered < len(ANSWERS):
            judge.bad(f"MokManager has not shown '{ANSWERS[owner.answered][0].decode()}'")
    else:
        done = guest.run(judge.line)
    judge.finish(done)
    judge.trouble(guest.trouble())
    judge.see(f"    logs: {guest.tap_log}\n          {guest.kernel_log}\n")
    return judge


def secureboot(lines: Sequence[str]) -> int:
    """The command: all kernels with a known key, and the first with a key that is enrolled."""
    places.stage_guest()
    lines = without_twins(lines)
    judges = [secureboot_one(line, part) for line, part in
              (*((line, "") for line in lines), (lines[0], "enrol"))]
    print(report.summary(judges), end="", flush=True)
    return report.status(judges)
