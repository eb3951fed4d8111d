# SPDX-License-Identifier: MIT
"""Tests of all parts that need no guest.  They boot no kernel, and need no network.

local     a checkout with empty kernels
test_*    the tests, each named after the promise that it holds
"""
