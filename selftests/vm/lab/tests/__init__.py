# SPDX-License-Identifier: MIT
"""Tests of the set-up, against an archive on this machine.  They need no network.

local     an archive of small packages, the HTTP server that serves it, and its faults
drive     the command, with that archive in place of Debian's
fakes/    programs that come first in PATH: mmdebstrap, sudo, apt-get, ...
test_*    the tests, each named after the promise that it holds
__main__  runs these tests and those of the package guests
"""
