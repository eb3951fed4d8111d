# SPDX-License-Identifier: MIT
"""Tests of the readers in this package.  The rules are proved by prove.py, with a compiler."""
