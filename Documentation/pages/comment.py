# SPDX-License-Identifier: MIT
"""The comments of a header: tables in them, and the functions that they describe.

A comment is a kernel-doc comment with one addition: a table of rows, each with a tab, a word, tabs
and a text.  A row goes on in lines that begin with more tabs.

     * Errors:
     *
     *	-ENOENT		there is no such device
     *	-EACCES		the caller may not open the node.  Only root may,
     *			until a udev rule says otherwise
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

KERNEL_DOC = re.compile(r"^/\*\*\n(.*?)\n \*/\n([^;]*;)?", re.M | re.S)
ROW = re.compile(r"^\t(\S[^\t]*)\t+(\S.*)$")
MORE = re.compile(r"^\t\t+(\S.*)$")
HEAD = re.compile(r"^(\w+)(?:\(\))? - (.+)$")
ERRORS = re.compile(r"^Errors(?: of (.+))?:$")
ARGUMENT = re.compile(r"^@(\w+): (.+)$")


class Problem(Exception):
    """A sentence for the author of a document or a comment."""


class Row(NamedTuple):
    """A row of a table."""

    word: str
    text: str


class Function(NamedTuple):
    """A function and its comment."""

    name: str
    purpose: str
    prototype: str
    arguments: list[Row]
    # paragraphs and tables of the text
    text: list[str | list[Row]]
    result: str
    errors: list[Row]
    # the function that returns these errors, if it is another
    refuses: str


def lines_of(comment: str) -> list[str]:
    """The lines of a comment, without the stars."""
    return [re.sub(r"^ \*( |(?=\t)|$)", "", line) for line in comment.split("\n")]


def blocks_of(lines: Sequence[str]) -> Iterator[str | list[Row]]:
    """The paragraphs and the tables of these lines."""
    paragraph: list[str] = []
    table: list[Row] = []
    for line in [*lines, ""]:
        row, more = ROW.match(line), MORE.match(line)
        if row and not paragraph:
            table.append(Row(row.group(1).strip(), row.group(2)))
        elif more and table:
            table[-1] = Row(table[-1].word, f"{table[-1].text} {more.group(1)}")
        elif line.strip():
            if table:
                yield table
                table = []
            paragraph.append(line.strip())
        else:
            if table:
                yield table
                table = []
            if paragraph:
                yield " ".join(paragraph)
                paragraph = []


def function_of(comment: str, prototype: str) -> Function:
    """The function that a comment describes."""
    lines = lines_of(comment)
    head = HEAD.match(lines[0])
    if not head:
        raise Problem(f"'{lines[0]}' is not of the form 'NAME - what it does'")
    name, arguments = head.group(1), []
    rest = lines[1:]
    while rest and (found := ARGUMENT.match(rest[0])):
        words = [found.group(2)]
        rest = rest[1:]
        while rest and rest[0].startswith("\t"):
            words.append(rest[0].strip())
            rest = rest[1:]
        arguments.append(Row(found.group(1), " ".join(words)))
    text: list[str | list[Row]] = []
    errors: list[Row] = []
    result = refuses = ""
    expected = False
    for block in blocks_of(rest):
        if expected:
            if not isinstance(block, list):
                raise Problem(f"{name}: no table follows 'Errors:'")
            errors, expected = block, False
        elif isinstance(block, str) and (found := ERRORS.match(block)):
            refuses, expected = found.group(1) or "", True
        elif isinstance(block, str) and block.startswith("Return: "):
            result = block.removeprefix("Return: ")
        else:
            text.append(block)
    # a function that returns no errno may have no errors at all
    if "errno" in result and not errors:
        raise Problem(f"{name}: the comment has no table 'Errors:'")
    if bool(result) == prototype.startswith("void "):
        raise Problem(f"{name}: a function has a line 'Return:' if it returns something, and only then")
    if errors and bool(result) == bool(refuses):
        raise Problem(f"{name}: the table of a function that returns nothing is 'Errors of FUNCTION:'")
    return Function(name, head.group(2), re.sub(r"\s+", " ", prototype), arguments, text, result, errors,
                    refuses)


def functions_of(header: str) -> list[Function]:
    """The functions of a header, each of which must have a comment."""
    found = []
    for comment, prototype in KERNEL_DOC.findall(header):
        if "(" in prototype:
            found.append(function_of(comment, prototype))
    names = {function.name for function in found}
    for name in re.findall(r"^[a-z].*?\b(\w+)\((?!\*)", re.sub(r"/\*.*?\*/", "", header, flags=re.S), re.M):
        if name not in names:
            raise Problem(f"{name}() has no comment")
    return found


def listed(header: str) -> str:
    """A header whose comments have lists in place of tables, as reStructuredText shows them best."""
    def replace(match: re.Match[str]) -> str:
        result: list[str] = []
        table = False
        for line in match.group().split("\n"):
            row = re.match(r"^ \*\t(\S[^\t]*)\t+(\S.*)$", line)
            more = re.match(r"^ \*\t\t+(\S.*)$", line)
            if row and (table or result[-1] == " *"):
                line, table = f" * - ``{row.group(1).strip()}``: {row.group(2)}", True
            elif more and table:
                line = f" *   {more.group(1)}"
            else:
                table = False
            result.append(line)
        # a word that ends in "_" is a reference for reStructuredText
        return re.sub(r"\b(\w+_)(?![\w*])", r"``\1``", "\n".join(result))
    return re.sub(r"^\t*/\*\*\n.*?\*/", replace, header, flags=re.M | re.S)
