# SPDX-License-Identifier: MIT
"""Man pages of the functions of a header, and their examples.

An example is a function of a C file that is compiled and run by a test.  The first line of the
comment above it names the functions whose pages show it, and the rest says what it does:

    /* sluice_map sluice_cpu_begin: read the first word of a buffer */
"""
from __future__ import annotations

import os
import re
from collections.abc import Sequence

from .comment import Function, Problem, functions_of

EXAMPLE = re.compile(r"^/\*((?:(?: |\n \* )\w+)+):((?:(?!\*/).)*)\*/\n((?:[\w\t][^\n;]*\n)+?\{\n.*?^\}\n)",
                     re.M | re.S)
MENTION = re.compile(r"\b(sluice_\w+)\(\)")
WORD = re.compile(r"@(\w+)|\b(sluice_\w+|mmap|munmap|poll|close|open)\(\)")
SYSTEM = {"mmap": 2, "munmap": 2, "poll": 2, "close": 2, "open": 2}
WIDTH = 78


def escaped(text: str) -> str:
    """Text for roff: backslashes, minus signs, and dots at the beginning of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    # for HTML, mandoc puts an empty line before a line that begins with a space, and drops others
    return re.sub(r"^$", r"\\~", re.sub(r"^(?=[.' ])", r"\\&", text, flags=re.M), flags=re.M)


def marked(text: str) -> str:
    """A text of a comment: arguments in italics, functions in bold, a sentence a line."""
    def replace(match: re.Match[str]) -> str:
        argument, function = match.groups()
        if argument:
            return f"\\fI{argument}\\fP"
        return f"\\fB{function}\\fP({SYSTEM.get(function, 3)})"
    lines = re.sub(r"(?<=[.:])  +(?=[A-Z@])", "\n", escaped(text))
    return WORD.sub(replace, lines)


def prototype_lines(function: Function) -> str:
    """The prototype in bold, with the arguments in italics, in lines that a terminal can show."""
    head, _, rest = function.prototype.rstrip(";").partition("(")
    lines, line = [], f"{head}("
    parts = re.findall(r"(?:[^,()]|\([^()]*\))+", rest.removesuffix(")"))
    for number, part in enumerate(parts, 1):
        part = part.strip() + (", " if number < len(parts) else ");")
        if len(line) + len(part) > WIDTH:
            lines.append(line.rstrip())
            line = " " * (len(head) + 1)
        line += part
    lines.append(line)
    names = [argument.word for argument in function.arguments]
    text = escaped("\n".join(lines))
    for name in names:
        text = re.sub(rf"\b{name}\b(?=[,)\[])", rf"\\fI{name}\\fB", text)
    return "\n".join(f"\\fB{line}\\fP" for line in text.split("\n"))


def rows(table: Sequence[tuple[str, str]], font: str) -> str:
    """A table as a list of tagged paragraphs."""
    return "".join(f".TP\n.{font} {escaped(word)}\n{marked(text)}\n" for word, text in table)


def page_of(function: Function, example: tuple[str, str], date: str, version: str,
            names: Sequence[str]) -> str:
    """The page of one function."""
    what, code = example
    # REUSE-IgnoreStart
    text = [
        ".\\\" SPDX-License-Identifier: MIT",
        # REUSE-IgnoreEnd
        ".\\\" Made from the comments of sluice.h: change them, not this page.",
        f'.TH {function.name.upper()} 3 "{date}" "Sluice {version}" "Library Functions"',
        f".SH NAME\n{function.name} \\- {escaped(function.purpose)}",
        f".SH SYNOPSIS\n.nf\n.B #include <sluice.h>\n.PP\n{prototype_lines(function)}\n.fi",
        ".PP\nLink with\n.IR \\-lsluice .",
        ".SH DESCRIPTION\nThe arguments are:",
        rows(function.arguments, "I").rstrip("\n"),
    ]
    for block in function.text:
        if isinstance(block, str):
            text.append(f".PP\n{marked(block)}")
        else:
            text.append(rows(block, "B").rstrip("\n"))
    text.append(".SH RETURN VALUE")
    text.append(marked(function.result[0].upper() + function.result[1:]) if function.result else "None.")
    text.append(".SH ERRORS")
    if not function.result or not function.errors:
        text.append("This function cannot fail.")
    if function.refuses:
        text.append(f"The errors of {marked(function.refuses)} are:")
    if function.errors:
        text.append(rows(function.errors, "B").rstrip("\n"))
    text.append(".PP\nErrors that several functions have in common are in\n.BR libsluice (3).")
    text.append(f".SH EXAMPLE\n{marked(what[0].upper() + what[1:])}:\n.PP\n.nf")
    text.append(escaped(code.rstrip("\n").replace("\t", "        ")))
    text.append(".fi")
    mentioned = {name for block in function.text if isinstance(block, str) for name in MENTION.findall(block)}
    mentioned |= {name for name in names if re.search(rf"\b{name}\(", code)}
    others = sorted((mentioned & set(names)) - {function.name})
    text.append(".SH SEE ALSO\n" + "".join(f".BR {name} (3),\n" for name in others) + ".BR libsluice (3)")
    return "\n".join(text) + "\n"


def examples_of(code: str) -> dict[str, tuple[str, str]]:
    """The example of each function: what it does, and its code."""
    examples: dict[str, tuple[str, str]] = {}
    for names, what, body in EXAMPLE.findall(code):
        for name in names.replace("*", "").split():
            if name in examples:
                raise Problem(f"{name} has two examples")
            if not re.search(rf"\b{name}\(", body):
                raise Problem(f"the example of {name} does not call it")
            examples[name] = " ".join(what.replace("\n *", " ").split()), body
    return examples


def pages_of(header: str, code: str, date: str, version: str) -> dict[str, str]:
    """All pages of a header, by the names of their files."""
    functions = functions_of(header)
    examples = examples_of(code)
    names = [function.name for function in functions]
    for name in names:
        if name not in examples:
            raise Problem(f"{name} has no example")
    for name in examples:
        if name not in names:
            raise Problem(f"there is an example of {name}, but no such function")
    return {f"{function.name}.3": page_of(function, examples[function.name], date, version, names)
            for function in functions}


def write_pages(header: str, code: str, date: str, version: str, out: str) -> None:
    """Make all pages in a folder.  Pages of functions that no longer exist are removed."""
    with open(header, encoding="utf-8") as file, open(code, encoding="utf-8") as other:
        pages = pages_of(file.read(), other.read(), date, version)
    os.makedirs(out, exist_ok=True)
    for name in os.listdir(out):
        if re.fullmatch(r"sluice_\w+\.3", name) and name not in pages:
            os.unlink(os.path.join(out, name))
    for name, text in pages.items():
        with open(os.path.join(out, name), "w", encoding="utf-8") as page:
            page.write(text)
