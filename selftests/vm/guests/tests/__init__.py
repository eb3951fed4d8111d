# SPDX-License-Identifier: MIT
"""Tests of all that needs no guest.  They boot nothing, and need no network.

local     a checkout with kernels that are only names
test_*    the tests, each named after the promise that it holds
"""
