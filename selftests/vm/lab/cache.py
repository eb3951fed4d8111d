# SPDX-License-Identifier: MIT
"""The cache: one folder for all checkouts of a user.

    apt/        lists of the archive, for the lab alone
    debs/       packages that were fetched and not unpacked yet
    roots/      root file systems, by the checksum of their packages
    kernels/    unpacked kernel packages, by release
    headers/    headers alone, by release
    sources/    kernel sources, by version
    builds/     kernels that were built here, by configuration (selftests/vm/kernel)
    used/       times of the last use of folders that belong to root
    found.json  the release for each role

A folder gets its final name only when it is complete, so it can be trusted even after a crash.
The lock guards all changes.  At the end of a set-up, folders that have not been used for
UNUSED_DAYS are removed.
"""
import contextlib
import errno
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from .tell import Problem, as_root, say

UNUSED_DAYS = 14
KINDS = ("roots", "kernels", "headers", "sources", "builds")


class Cache:
    """The folder and its lock."""

    def __init__(self, path):
        self.path = path
        self._lock = None

    @classmethod
    def of_user(cls):
        """The cache that the environment names."""
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        return cls(os.path.abspath(os.environ.get("SLUICE_CACHE") or os.path.join(base, "sluice")))

    def at(self, *names):
        """A path in the cache."""
        return os.path.join(self.path, *names)

    def lock(self):
        """Wait until no other set-up changes the cache; held until the process ends."""
        if self._lock:
            return
        try:
            os.makedirs(self.path, exist_ok=True)
            # kept open: the lock is held until the process ends
            self._lock = open(self.at("lock"), "a+", encoding="utf-8")  # pylint: disable=R1732
        except OSError as error:
            raise Problem(f"cannot write to the cache {self.path} ({error.strerror}): "
                          "set SLUICE_CACHE to a folder of your own") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            say(f"another set-up is at work (process {self._lock.read().strip() or 'unknown'}): "
                "waiting for it to end")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        self._remove_leftovers()

    def _remove_leftovers(self):
        """Remove the leftovers of a set-up that was killed, and the cache of an older version."""
        for kind in KINDS:
            folder = self.at(kind)
            for name in os.listdir(folder) if os.path.isdir(folder) else []:
                if ".new." in name:
                    self.remove(os.path.join(folder, name))
        if os.path.exists(self.at("root.stamp")):
            say("removing the cache of an earlier version")
            for path in [self.at(name) for name in ("root", "root.new", "arm64", "arm64.new")] + [
                    path for kind in ("debug", "kcsan", "linux-source", "fetch")
                    for path in glob.glob(self.at("kernels", kind + "*"))]:
                self.remove(path)
            for name in ("arm64.stamp", "setup.log", "setup-arm64.log", "root.stamp"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.at(name))

    @staticmethod
    def remove(path):
        """Remove a file or a folder that may belong to root.

        If this is interrupted, no half-removed folder must have this name.
        """
        if os.path.islink(path) or os.path.isfile(path):
            with contextlib.suppress(PermissionError):
                os.unlink(path)
        if os.path.isdir(path) and ".new." not in os.path.basename(path):
            gone = f"{path}.new.removed-{os.getpid()}"
            try:
                os.rename(path, gone)
            except PermissionError:
                subprocess.run(as_root(["mv", "-T", path, gone]), check=True)
            path = gone
        shutil.rmtree(path, ignore_errors=True)
        if os.path.lexists(path):
            subprocess.run(as_root(["rm", "-rf", "--one-file-system", path]), check=False)

    def remove_unused(self, used):
        """Remove roots, kernels, sources and builds that have not been used lately."""
        oldest = time.time() - UNUSED_DAYS * 86400
        for kind in KINDS:
            folder = self.at(kind)
            for name in os.listdir(folder) if os.path.isdir(folder) else []:
                path = os.path.join(folder, name)
                times = [os.stat(each).st_mtime for each in (path, self._stamp(path)) if os.path.exists(each)]
                if path not in used and times and max(times) < oldest:
                    self.remove(path)
                    self.remove(self._stamp(path))

    def _stamp(self, path):
        """The file whose time is that of the last use, for a folder that belongs to root."""
        return self.at("used", os.path.relpath(path, self.path).replace("/", "-"))

    def used(self, path):
        """Record that a folder is in use."""
        try:
            os.utime(path)
        except PermissionError:
            os.makedirs(self.at("used"), exist_ok=True)
            with open(self._stamp(path), "w", encoding="utf-8"):
                os.utime(self._stamp(path))

    @contextlib.contextmanager
    def folder(self, kind, name, belongs_to_root=False):
        """Make a new folder KIND/NAME: the block fills a temporary path, which is renamed
        afterwards.  If the block fails, nothing has changed.
        """
        os.makedirs(self.at(kind), exist_ok=True)
        path = tempfile.mkdtemp(prefix=name + ".new.", dir=self.at(kind))
        os.chmod(path, 0o755)
        try:
            yield path
            # write the contents before the name: otherwise a crash could leave an empty folder
            subprocess.run(["sync", "-f", path], check=False)
            self.remove(self.at(kind, name))
            if belongs_to_root:
                subprocess.run(as_root(["mv", "-T", path, self.at(kind, name)]), check=True)
            else:
                os.rename(path, self.at(kind, name))
            # unpacking has changed the folder's time
            self.used(self.at(kind, name))
        except BaseException:
            # a second Ctrl-C must not leave the folder
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            self.remove(path)
            signal.signal(signal.SIGINT, before)
            raise

    def need_space(self, megabytes, why):
        """Fail early if the disk has not enough room."""
        os.makedirs(self.path, exist_ok=True)
        free = shutil.disk_usage(self.path).free >> 20
        if free < megabytes:
            raise Problem(f"{why} needs {megabytes} MB in {self.path}, where {free} MB are free: "
                          "make room, or set SLUICE_CACHE to a folder on another disk")

    def full(self):
        """The error for a disk that has filled up."""
        return Problem(f"the disk of {self.path} is full: make room, or set SLUICE_CACHE to a "
                       "folder on another disk; nothing half-made was kept")

    def run(self, what, command, **more):
        """Run a program that writes to the cache; the Problem names WHAT it does."""
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False,
                                env={**os.environ, "LC_ALL": "C",
                                     "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}, **more)
        # tar has two messages for it
        if result.returncode and re.search("No space left|Wrote only", result.stderr):
            raise self.full()
        if result.returncode:
            raise Problem(f"cannot {what} ({' '.join(result.stderr.split())[-200:]}): run it again")

    def read(self, name):
        """A JSON file of the cache; {} if it does not exist or cannot be read."""
        try:
            with open(self.at(name), encoding="utf-8") as file:
                content = json.load(file)
                return content if isinstance(content, dict) else {}
        except (OSError, ValueError):
            return {}

    def write(self, name, content):
        """Replace a JSON file of the cache, whole or not at all."""
        try:
            with open(self.at(name + ".new"), "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1, sort_keys=True)
                file.write("\n")
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise self.full() from error
            raise
        os.rename(self.at(name + ".new"), self.at(name))
