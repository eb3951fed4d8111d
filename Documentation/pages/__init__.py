# SPDX-License-Identifier: MIT
"""The documents as a site and as man pages, and the commands of how-to pages as a test."""
