# SPDX-License-Identifier: MIT
"""Tests of the programs for the documents."""
