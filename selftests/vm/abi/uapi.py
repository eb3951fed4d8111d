# SPDX-License-Identifier: MIT
"""The UAPI headers as text, one line for each thing that a program is compiled with.

    value NAME NUMBER                   a macro or an enumerator
    macro NAME(ARGUMENTS) TEXT          a macro with arguments
    ioctl NAME DIRECTION TYPE NUMBER STRUCT
    struct NAME SIZE
    field STRUCT PATH OFFSET SIZE TYPE

The compiler computes all numbers.  The text of the last release is in uapi/abi/.
"""
from __future__ import annotations

import os
import re
import tempfile
from typing import NamedTuple

from .finding import Problem, output

HEADERS = ("linux/sluice.h", "linux/sluice_soft.h")
BASELINE = "uapi/abi/uapi.txt"
HEAD = """# SPDX-License-Identifier: MIT
# The UAPI of the last release.  'selftests/vm/interfaces renew' writes this file at a release;
# 'make gates' compares the headers with it.
"""
# Its number grows with each addition.
VERSION = "SLUICE_UAPI_VERSION"
# Fields without a meaning yet: others may take their bytes.
UNUSED = re.compile(r"(^|\.)(reserved|pad)\d*$")


class Field(NamedTuple):
    """A member of a struct.  The members of an anonymous struct or union have its parent's path."""

    path: str
    type: str


def fields(body: str) -> list[Field]:
    """The members of a struct, from the text between its braces."""
    found = []
    at = 0
    while match := re.compile(r"\s*(?:(struct|union)\s*\{|([^;{}]+);)").match(body, at):
        at = match.end()
        if match[2]:
            name = re.fullmatch(r"(\w[\w\s]*?)\s+(\w+)((?:\[[^\]]*\])*)", match[2].strip())
            if not name:
                raise Problem(f"cannot read the member '{match[2].strip()}' of a UAPI struct")
            found.append(Field(name[2], " ".join(name[1].split()) + ("[]" if name[3] else "")))
            continue
        depth, start = 1, at
        while depth:
            brace = re.compile(r"[{}]").search(body, at)
            if not brace:
                raise Problem("a brace of a UAPI struct is not closed")
            depth += 1 if brace[0] == "{" else -1
            at = brace.end()
        inner = body[start:at - 1]
        name = re.compile(r"\s*(\w*)\s*;").match(body, at)
        if not name:
            raise Problem("cannot read a nested struct of the UAPI")
        at = name.end()
        if name[1]:
            found.append(Field(name[1], match[1]))
        found += [Field(f"{name[1]}.{path}" if name[1] else path, kind)
                  for path, kind in fields(inner)]
    if body[at:].strip():
        raise Problem(f"cannot read '{body[at:].strip()[:40]}' in a UAPI struct")
    return found


def describe(include: str) -> str:
    """The text for the headers below a folder."""
    text = "".join(f"#include <{header}>\n" for header in HEADERS)
    gcc = ("gcc", "-std=gnu11", "-Wall", "-Werror", f"-I{include}", "-xc", "-")
    macros = {}
    for line in output(*gcc, "-E", "-dM", text=text).splitlines():
        match = re.match(r"#define (SLUICE_\w+)(\([^)]*\))? ?(.*)", line)
        if match:
            macros[match[1]] = (match[2] or "", match[3].strip())
    expanded = "".join(line + "\n" for line in output(*gcc, "-E", text=text).splitlines()
                       if not line.startswith("#"))
    structs = {name: fields(body) for name, body in
               re.findall(r"\bstruct (sluice_\w+) \{(.*?)^\};", expanded, re.S | re.M)}
    values = [name for name, (arguments, _) in macros.items() if not arguments]
    for body in re.findall(r"\benum \w+ \{(.*?)\};", expanded, re.S):
        values += re.findall(r"\bSLUICE_\w+", body)
    # a program prints the numbers
    lines = [f'printf("value {name} %lld\\n", (long long)({name}));' for name in values
             if "_IO" not in macros.get(name, ("", ""))[1]]
    for name, members in structs.items():
        lines.append(f'printf("struct {name} %zu\\n", sizeof(struct {name}));')
        for path, kind in members:
            member = f"((struct {name} *)0)->{path}"
            lines.append(f'printf("field {name} {path} %zu %zu {kind}\\n", '
                         f"__builtin_offsetof(struct {name}, {path}), sizeof({member}));")
    for name, (arguments, body) in macros.items():
        if "_IO" in body and not arguments:
            struct = re.search(r"struct (\w+)", body)
            if not struct:
                raise Problem(f"{name} names no struct")
            lines.append(f'printf("ioctl {name} %d 0x%02x 0x%02x {struct[1]}\\n", '
                         f"(int)_IOC_DIR({name}), (int)_IOC_TYPE({name}), (int)_IOC_NR({name}));")
    text += "#include <stdio.h>\n#include <linux/ioctl.h>\nint main(void)\n{\n\t" \
        + "\n\t".join(lines) + "\n\treturn 0;\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "numbers")
        output(*gcc[:-1], "-", "-o", program, text=text)
        said = output(program).splitlines()
    said += [f"macro {name}{arguments} {body}" for name, (arguments, body) in macros.items()
             if arguments]
    # the members of a struct stay in their order
    order = {"value": 0, "macro": 1, "ioctl": 2, "struct": 3, "field": 3}
    said.sort(key=lambda line: (order[line.split()[0]], line.split()[1]))
    return HEAD + "\n".join(said) + "\n"


class Text(NamedTuple):
    """A text of describe(), read."""

    values: dict[str, int]
    macros: dict[str, str]
    ioctls: dict[str, tuple[str, str, str, str]]
    structs: dict[str, int]
    members: dict[tuple[str, str], tuple[int, int, str]]


def read(text: str) -> Text:
    """The parts of a text."""
    into = Text({}, {}, {}, {}, {})
    for line in text.splitlines():
        kind, *words = line.split(" ")
        if not line or kind == "#":
            continue
        if kind == "value":
            into.values[words[0]] = int(words[1])
        elif kind == "macro":
            into.macros[words[0]] = " ".join(words[1:])
        elif kind == "ioctl":
            into.ioctls[words[0]] = (words[1], words[2], words[3], words[4])
        elif kind == "struct":
            into.structs[words[0]] = int(words[1])
        elif kind == "field":
            into.members[words[0], words[1]] = (int(words[2]), int(words[3]), " ".join(words[4:]))
        else:
            raise Problem(f"{BASELINE} has a line of an unknown kind: '{line}'")
    return into


def same_or_gone(kind: str, old: dict[str, int] | dict[str, str], new: dict[str, int] | dict[str, str]
                 ) -> list[str]:
    """Findings about names whose value must stay."""
    found = []
    for name, value in old.items():
        if name not in new:
            found.append(f"the {kind} {name} was removed")
        elif new[name] != value and not (name == VERSION and int(new[name]) > int(value)):
            found.append(f"the {kind} {name} changed from {value} to {new[name]}")
    return found


def compare(before: str, after: str) -> list[str]:
    """What the headers no longer promise; empty if they only grew."""
    old, new = read(before), read(after)
    found = same_or_gone("value", old.values, new.values)
    found += same_or_gone("macro", old.macros, new.macros)
    for name, call in old.ioctls.items():
        if name not in new.ioctls:
            found.append(f"the ioctl {name} was removed")
        elif new.ioctls[name] != call:
            found.append(f"the ioctl {name} changed from '{' '.join(call)}' to "
                         f"'{' '.join(new.ioctls[name])}'")
    numbers: dict[tuple[str, str], str] = {}
    for name, (_, kind, number, _) in new.ioctls.items():
        other = numbers.setdefault((kind, number), name)
        if other != name:
            found.append(f"the ioctls {other} and {name} have the same number {number}")
    for name, size in old.structs.items():
        if name not in new.structs:
            found.append(f"struct {name} was removed")
        elif new.structs[name] < size:
            found.append(f"struct {name} shrank from {size} to {new.structs[name]} bytes")
    found += members(old, new)
    if not found and before != after and new.values[VERSION] == old.values[VERSION]:
        grown = [set(mine) - set(theirs) for mine, theirs in zip(new, old)]
        if any(grown) or old.structs != new.structs:
            found.append(f"the UAPI grew, but {VERSION} is still {old.values[VERSION]}: increment it")
    return found


def members(old: Text, new: Text) -> list[str]:
    """Findings about members of structs."""
    found = []
    for (struct, path), (offset, size, kind) in old.members.items():
        if struct not in new.structs or UNUSED.search(path):
            continue
        if (struct, path) not in new.members:
            found.append(f"the member {path} of struct {struct} was removed")
            continue
        now = new.members[struct, path]
        if now != (offset, size, kind):
            found.append(f"the member {path} of struct {struct} changed from {size} bytes at {offset} "
                         f"({kind}) to {now[1]} bytes at {now[0]} ({now[2]})")
    for (struct, path), (offset, size, _) in new.members.items():
        if struct not in old.structs or (struct, path) in old.members:
            continue
        free = [old.members[key] for key in old.members if key[0] == struct and UNUSED.search(key[1])]
        if offset < old.structs[struct] and \
                not any(start <= offset and offset + size <= start + length
                        for start, length, _ in free):
            found.append(f"the member {path} of struct {struct} is new, and not at the struct's end")
    return found
