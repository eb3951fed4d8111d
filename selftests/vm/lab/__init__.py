# SPDX-License-Identifier: MIT
"""The lab's own software: a Debian root file system, and kernels by their role.

tell      messages, progress, and errors with a remedy
cache     the folder of the cache: locks, space, folders that appear whole or not at all
archive   Debian packages, through this machine's apt with a state of its own
kernels   the kernel for each role, and its files
sources   kernel sources, and the test harness in them
root      root file systems
__main__  the command
tests/    tests of all failures, with an archive on this machine

Each module uses only those above it.
"""
