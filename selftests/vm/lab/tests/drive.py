# SPDX-License-Identifier: MIT
"""The command, with a local archive in place of Debian's, and with a small root.

    python3 -m lab.tests.drive SETTINGS [ARGUMENT...]
"""
import json
import shutil
import sys
import types

from .. import __main__ as command
from .. import root
from ..archive import Archive


class LocalArchive(Archive):
    """Debian's archive, without signatures.

    ABSENT are suites that the server does not have.  apt reports this only for a suite whose
    signature it checks, so these suites are not marked as trusted.
    """

    def __init__(self, cache, absent=(), timeout=30):
        super().__init__(cache)
        self.absent, self.timeout, self.retry_seconds = set(absent), timeout, 0

    def _apt(self, suites, arches):
        asked = set(self.with_updates(suites)) - self._missing
        self.options = "" if asked & self.absent else "trusted=yes"
        return [*super()._apt(suites, arches), "-o", f"Acquire::http::Timeout={self.timeout}"]


def main():
    """Take the settings, which are a JSON file, and run the command."""
    with open(sys.argv.pop(1), encoding="utf-8") as file:
        settings = json.load(file)
    packages = tuple(settings["packages"])
    root.have_root.__defaults__ = (packages, 1)
    command.COMPILERS = list(packages)
    command.Archive = lambda cache: LocalArchive(cache, settings.get("absent", ()))
    # the tests do not depend on the disk of this machine
    shutil.disk_usage = lambda _path: types.SimpleNamespace(free=1 << 40)
    return command.main()


if __name__ == "__main__":
    sys.exit(main())
