# SPDX-License-Identifier: MIT
"""The interfaces that are compiled into other people's programs and device drivers.

    uapi.py     the UAPI headers as text, and the rules by which this text may grow
    library.py  libsluice.so: its symbols, and abidiff with the last release
    modules.py  the functions of drivers/core/sluice.h and their namespace
    prove.py    breaks each rule once, in a copy, and expects the finding
"""
