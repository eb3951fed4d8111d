# SPDX-License-Identifier: MIT
"""One QEMU, from its start to its end.

A guest writes to two serial ports: ttyS0 is the kernel's log, ttyS1 is TAP (or a shell).
"""
from __future__ import annotations

import array
import functools
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence

from . import firmware, initramfs, log, machine, places
from .machine import Files, Kind

GUEST_SECONDS = int(os.environ.get("SLUICE_GUEST_SECONDS", "2400"))
SILENT_SECONDS = int(os.environ.get("SLUICE_SILENT_SECONDS", "180"))

DONE = re.compile(r"# guest done (\d+)")
SCREENDUMP = re.compile(r"# screendump *(.*)")


@functools.cache
def audio_drivers() -> list[str]:
    """The audio drivers of this machine's QEMU."""
    return subprocess.run(["qemu-system-x86_64", "-audiodev", "help"], check=False,
                          capture_output=True, text=True).stdout.split()


def quoted(path: str) -> str:
    """A path between double quotes, for QEMU and ALSA."""
    return '"' + re.sub(r'(["\\])', r"\\\1", path) + '"'


def words_to_hear(folder: str) -> str:
    """Make a sound of words that count from 1 on; returns ALSA's configuration."""
    words, config = (os.path.join(folder, name) for name in ("words", "asound"))
    with open(words, "wb") as sound:
        array.array("I", range(1, 1 << 21)).tofile(sound)
    with open(config, "w", encoding="utf-8") as out:
        out.write(f'pcm.words {{ type file file "/dev/null" infile {quoted(words)} format "raw" '
                  'slave.pcm "null" }\npcm.null { type null }\n')
    return config


class Watchdog:
    """Ends a QEMU that takes too long, or prints nothing for too long."""

    def __init__(self, qemu: subprocess.Popen[bytes]) -> None:
        self.qemu = qemu
        self.deadline = time.monotonic() + GUEST_SECONDS
        self.heard = time.monotonic()
        threading.Thread(target=self.watch, daemon=True).start()

    def feed(self) -> None:
        """The guest has printed something."""
        self.heard = time.monotonic()

    def watch(self) -> None:
        """Wait for the end of QEMU, or make it end."""
        while self.qemu.poll() is None:
            now = time.monotonic()
            if now > self.deadline or now - self.heard > SILENT_SECONDS:
                self.qemu.kill()
                return
            time.sleep(0.5)


class Guest:
    """One QEMU with one kernel."""

    def __init__(self, line: str, mode: str, test: str = "", part: str = "",
                 settings: Sequence[str] = (), interactive: bool = False,
                 modules_at: str = "", root: str = "", plugin: str = "",
                 megabytes: int = 0) -> None:
        """MODULES_AT: a root folder with other modules for this kernel than its package has.
        ROOT: another root than that of the lab, which has its own modules of Sluice.
        PLUGIN: a plugin for QEMU.  MEGABYTES: the guest's memory, if not the usual.
        """
        self.kernel = places.kernel_of(line)
        if modules_at:
            self.kernel = self.kernel._replace(
                modules=os.path.join(modules_at, "lib", "modules", self.kernel.release))
        self.kind = Kind(mode, test, part, tuple(settings),
                         shutil.get_terminal_size() if interactive else None, megabytes)
        self.release = self.kernel.release
        self.name = "-".join(filter(None, (mode, self.release,
                                           "large" if self.kind.large else part)))
        built = "mutants" if mode == "mutants" else self.release
        if not root and not os.path.exists(os.path.join(places.BUILD, built, "sluice.ko")):
            places.fail(f"no modules for {self.release}: run 'make modules KERNEL={line}' first")
        os.makedirs(places.LOG, exist_ok=True)
        self.out = os.path.join(places.BUILD, "out", self.name)
        if interactive:
            # it has what a person has saved: keep that
            self.out = os.path.join(places.BUILD, "saved")
        else:
            shutil.rmtree(self.out, ignore_errors=True)
        os.makedirs(self.out, exist_ok=interactive)
        self.kernel_log = os.path.join(places.LOG, self.name + ".kernel")
        self.tap_log = os.path.join(places.LOG, self.name + ".tap")
        self.picture = os.path.join(places.BUILD, "demo", "screen.png")
        # removed with this object
        self.temp = tempfile.TemporaryDirectory(prefix="sluice-")
        self.env = dict(os.environ)
        self.files = Files(initramfs=os.path.join(self.temp.name, "initramfs"),
                           kernel_log=self.kernel_log,
                           monitor=os.path.join(self.temp.name, "monitor"),
                           root=root or places.ROOT, build=places.BUILD, out=self.out,
                           bar=os.path.join(self.temp.name, "bar") if interactive else "",
                           plugin=plugin)
        initramfs.make(self.kernel, self.files.initramfs)
        if mode == "secureboot":
            self.files = firmware.add(self.kind, self.kernel, self.files, self.temp.name)
        hears = self.kind.wired and not self.kernel.arm64 and "alsa" in audio_drivers()
        if hears:
            self.env["ALSA_CONFIG_PATH"] = words_to_hear(self.temp.name)
        self.command = machine.command(self.kind, self.kernel, self.files, hears)

    def interact(self) -> int:
        """Run to the end, on this terminal.  The guest's greeting names the folder for files."""
        places.tell_saved(self.out)
        return subprocess.run(self.command, check=False).returncode

    def monitor(self, command: str) -> None:
        """Have QEMU's monitor run a command to its end."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self.files.monitor)
            sock.settimeout(120)
            reader = sock.makefile("rb")
            sock.sendall(f"{command}\ninfo status\n".encode())
            while b"VM status" not in (line := reader.readline()):
                if not line:
                    raise ConnectionError(f"QEMU ended before its monitor had done '{command}'")

    def screendump(self, path: str) -> None:
        """Have QEMU save the guest's screen, as a PNG or a PPM."""
        self.monitor(f"screendump {quoted(path)}" + (" -f png" if path.endswith(".png") else ""))

    def run(self, on_line: Callable[[str], None]) -> int | None:
        """Run to the end, with each line of TAP for on_line().

        Returns the status that the guest reported at its end, or None without a report.
        """
        done = None
        with open(self.tap_log, "w", encoding="utf-8") as tap, \
             subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self.env) as qemu:
            assert qemu.stdin and qemu.stdout
            watchdog = Watchdog(qemu)
            for raw in qemu.stdout:
                watchdog.feed()
                text = raw.decode("utf-8", "replace").rstrip("\r\n")
                tap.write(text + "\n")
                tap.flush()
                if match := DONE.match(text):
                    done = int(match.group(1))
                    if self.kernel.arm64:
                        # this machine does not switch itself off
                        qemu.kill()
                if match := SCREENDUMP.match(text):
                    name = os.path.basename(match.group(1))
                    try:
                        self.screendump(os.path.join(self.out, name) if name else self.picture)
                        qemu.stdin.write(b"\n")
                        qemu.stdin.flush()
                    except ConnectionError as error:
                        # the guest is judged by what it has said so far
                        tap.write(f"# no picture: {error}\n")
                on_line(text)
        return done

    def trouble(self) -> list[log.Report]:
        """Reports of bugs, from the kernel's log and from kmemleak."""
        with open(self.kernel_log, encoding="utf-8", errors="replace") as text:
            found = [report for report in log.reports(text) if not log.foreign(report)]
        kmemleak = os.path.join(self.out, "kmemleak")
        if os.path.exists(kmemleak):
            with open(kmemleak, encoding="utf-8", errors="replace") as text:
                found += log.leaks(text)
        return found
