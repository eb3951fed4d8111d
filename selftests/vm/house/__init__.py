# SPDX-License-Identifier: MIT
"""The floors of drivers/: the files that a file may use, and the beginnings of its names.

finding   one finding, and a failure of the command itself
plan      drivers/floors: modules, files, their floors and their nouns
source    a C file: its head comment, its includes, and the names that it defines
tree      the C files of a checkout
objects   the symbols that the objects of a build define and use
graph     circles
rules     the rules, and the findings about a tree
document  the picture and the table of files in design.md
__main__  the command
tests/    tests with small made-up trees; selftests/vm/lab-test runs them

Each module uses only those above it.
"""
