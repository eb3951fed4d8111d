# SPDX-License-Identifier: MIT
"""The lab's own software: a Debian root file system, and kernels by their role.

tell      messages, progress, and errors that say what to do
cache     the folder of the cache: locks, space, folders that appear whole or not at all
archive   Debian packages, through this machine's apt with a state of its own
kernels   which kernel has which role, and its files
root      root file systems
setup     the command

Each module uses only those above it.
"""
