# SPDX-License-Identifier: MIT
"""Tests of the floors, with small made-up trees.  They need no compiler and no lab.

made      a made-up tree
test_*    the tests, each named after the promise that it holds
"""
