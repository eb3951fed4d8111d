# SPDX-License-Identifier: MIT
"""Messages, progress, and errors with a remedy."""
import contextlib
import os
import shutil
import sys
import threading
import time


class Problem(Exception):
    """A failure, whose text is one sentence for the user, with a remedy."""


def say(text):
    """Print a message on stderr."""
    mark = "\033[1m==>\033[0m" if sys.stderr.isatty() else "==>"
    print(f"{mark} {text}", file=sys.stderr, flush=True)


class Progress:
    """A count that is shown while it grows.

    On a terminal, one line is overwritten; elsewhere, a new line comes every ten seconds, so
    that a log stays short.
    """

    def __init__(self, what, total, unit):
        self.what, self.total, self.unit = what, total, unit
        self.shown, self.last = time.monotonic(), None
        self.terminal = sys.stderr.isatty()

    def show(self, done):
        """Show that DONE of the total has been reached, if the last time was long enough ago."""
        now = time.monotonic()
        if done == self.last or now - self.shown < (0.2 if self.terminal else 10):
            return
        self.shown, self.last = now, done
        text = f"    {self.what}: {done} of {self.total} {self.unit}"
        print(f"\r{text}\033[K" if self.terminal else text,
              end="" if self.terminal else "\n", file=sys.stderr, flush=True)

    def end(self):
        """End the terminal's line."""
        if self.terminal and self.last is not None:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def still(what):
    """Print every ten seconds that the block still runs."""
    ended, began = threading.Event(), time.monotonic()

    def watch():
        while not ended.wait(10):
            print(f"    {what}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def as_root(command):
    """The command, with sudo in front of it for an ordinary user."""
    if os.geteuid() == 0:
        return command
    if not shutil.which("sudo"):
        raise Problem("this step needs root: run make as root, or install sudo")
    return ["sudo", "--preserve-env=http_proxy,https_proxy,no_proxy,TMPDIR", *command]
