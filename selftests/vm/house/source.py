# SPDX-License-Identifier: MIT
"""A C file: its head comment, its includes, and the names that it defines.

This is no compiler.  It reads code in the kernel's style, with the last brace of a function in
the first column, and it reads both branches of an #if.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

HEAD = re.compile(r"\s*(?:(?:/\*|//) SPDX[^\n]*\n\s*)*/\*(?! SPDX)\*?(.*?)\*/", re.S)
# comments, strings, characters
OPAQUE = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)(?:[^\n\\]|\\.)*", re.M | re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)
# also inside another one
TYPE = re.compile(r"\b(struct|union|enum)\s+(\w+)\s*\{")
MACRO = re.compile(r"#[ \t]*define[ \t]+(\w+)")
TOKEN = re.compile(r"\w+|[^\w\s]")
WORD = re.compile(r"[A-Za-z_]\w*$")

# Macros that define a variable: the name is their first argument.
DEFINES = re.compile(r"(DEFINE_(?!EVENT|FREE|GUARD)\w+|LIST_HEAD|HLIST_HEAD|ATTRIBUTE_GROUPS)$")
# Macros that define or declare a variable of each CPU: the name is their last argument.
EACH_CPU = re.compile(r"(DEFINE|DECLARE)_PER_CPU")
# Macros whose argument is visible to userspace, so no rule of this source can change the name.
PARAMETER = re.compile(r"\bmodule_param(?:_array)?\s*\(\s*(\w+)")
ATTRIBUTE = re.compile(r"\b(?:DEVICE|BUS|DRIVER|CLASS)_ATTR_\w+\s*\(\s*(\w+)")
# Words with an argument, in front of or behind the name of a function.
ATTRIBUTES = re.compile(r"__(attribute__|printf|acquires|releases|must_hold|aligned|counted_by|malloc|"
                        r"section|alias|typeof|typeof__|typeof_unqual__|scanf|alloc_size|nonnull)$|typeof$")
KEYWORDS = frozenset("const volatile static extern inline signed unsigned struct union enum register".split())


class Name(NamedTuple):
    """A name that a file defines."""

    line: int
    kind: str	# function, struct, union, enum, typedef, variable or macro
    name: str
    public: bool	# other files can use its symbol


class Token(NamedTuple):
    """A word, a sign, or a pair of brackets with the text between them."""

    text: str	# for a pair, the two brackets
    line: int
    first: bool	# it is in the first column
    inside: tuple[str, ...] = ()


@dataclass
class Source:
    """The facts about a file that the rules need."""

    head: str = ""	# the text of the head comment
    includes: list[tuple[int, str]] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)	# functions and variables, without a definition
    foreign: set[str] = field(default_factory=set)	# names that are visible to userspace
    code: str = ""	# without comments and strings; each line has its number

    @property
    def sentence(self) -> str:
        """The first sentence of the head comment, without its full stop."""
        paragraph = self.head.partition("\n\n")[0]
        return re.split(r"\.(?=\s|$)", " ".join(paragraph.split()), maxsplit=1)[0].rstrip(":")

    def line_of(self, name: str) -> int:
        """The first line whose code has a name; 0 if none has."""
        match = re.search(rf"\b{re.escape(name)}\b", self.code)
        return line_at(self.code, match.start()) if match else 0


def line_at(text: str, place: int) -> int:
    """The number of the line in which a place is."""
    return text.count("\n", 0, place) + 1


def blank(text: str, keep: str = "") -> str:
    """As many empty lines as the text has lines."""
    return keep + "\n" * text.count("\n")


def tokens_of(code: str) -> Iterator[Token]:
    """The tokens outside of all brackets."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    stack: list[str] = []
    opened: Token | None = None
    inside: list[str] = []
    for match in TOKEN.finditer(code):
        text, first = match[0], match.start() == 0 or code[match.start() - 1] == "\n"
        if text in pairs:
            if not stack:
                opened, inside = Token(text + pairs[text], line_at(code, match.start()), first), []
            else:
                inside.append(text)
            stack.append(pairs[text])
        elif stack and (text == stack[-1] or (text == "}" and first)):
            # a brace in the first column closes all brackets that an #if has opened twice
            stack = [] if text == "}" and first else stack[:-1]
            if not stack and opened:
                yield opened._replace(inside=tuple(inside))
            elif stack:
                inside.append(text)
        elif stack:
            inside.append(text)
        elif text not in pairs.values():
            yield Token(text, line_at(code, match.start()), first)


def declarations_of(code: str) -> Iterator[list[Token]]:
    """The tokens of one declaration or definition after the other."""
    part: list[Token] = []
    for token in tokens_of(code):
        if is_call(part) and token.text not in ("{}", ";"):
            # a macro that stands for a whole definition, and has no semicolon
            yield part
            part = []
        if token.text == ";":
            yield part
            part = []
            continue
        part.append(token)
        if token.text == "{}" and is_body(part):
            yield part
            part = []
    yield part


def is_call(part: list[Token]) -> bool:
    """MACRO(...)?"""
    return len(part) == 2 and part[0].text.isupper() and part[1].text == "()"


def is_body(part: list[Token]) -> bool:
    """Is the last token the body of a function?"""
    words = [token.text for token in part]
    return "()" in words and "=" not in words and type_at(part) is None


def type_at(part: list[Token]) -> int | None:
    """The position of the braces of a struct, union or enum that is defined, or None."""
    for place, token in enumerate(part):
        if token.text == "=":
            return None
        if token.text == "{}":
            before = [each.text for each in part[max(0, place - 2):place]]
            return place if any(word in ("struct", "union", "enum") for word in before) else None
    return None


def name_of_function(part: list[Token]) -> Token | None:
    """The word in front of the arguments."""
    for word, arguments in zip(part, part[1:]):
        if arguments.text == "()" and WORD.match(word.text) and not ATTRIBUTES.match(word.text) \
                and word.text not in KEYWORDS:
            return word
    return None


def variables_of(part: list[Token], typed: bool = False) -> Iterator[Token]:
    """The names of a declaration of variables; a comma stands between two of them.

    The first word is their type, unless TYPED: then the type was in front of these tokens.
    """
    name: Token | None = None
    value, words = False, int(typed)
    for token in [*part, Token(",", 0, False)]:
        if token.text == ",":
            if name:
                yield name
            name, value = None, False
        elif token.text == "=":
            value = True
        elif not value and WORD.match(token.text) and token.text not in KEYWORDS:
            words += 1
            attribute = token.text.startswith("__") and not token.text.startswith("__sluice")
            if not attribute and words > 1:
                name = token


def read_part(part: list[Token], source: Source) -> None:
    """Record the names of one declaration or definition."""
    words = [token.text for token in part]
    if not part:
        return
    public = "static" not in words
    each_cpu = EACH_CPU.match(words[0] if public else words[1]) if len(words) > 1 else None
    if each_cpu and each_cpu[1] == "DECLARE":
        source.declared.add(part[1].inside[-1])
        return
    macro = next((token for token, arguments in zip(part, part[1:])
                  if arguments.text == "()" and DEFINES.match(token.text)), None)
    if macro:
        inside = part[part.index(macro) + 1].inside
        if inside:
            static = macro.text.endswith("ATTRIBUTE")
            source.names.append(Name(macro.line, "variable", inside[-1 if each_cpu else 0],
                                     public and not static))
        return
    if words[0] == "typedef":
        last = [token for token in part if WORD.match(token.text)][-1]
        pointer = next((token for token in part if token.text == "()" and "*" in token.inside), None)
        name = pointer.inside[-1] if pointer else last.text
        source.names.append(Name(last.line, "typedef", name, False))
        return
    braces = type_at(part)
    if braces is not None:
        source.names += [Name(token.line, "variable", token.text, public)
                         for token in variables_of(part[braces + 1:], typed=True)]
        return
    function = name_of_function(part) if "=" not in words else None
    if function and words[-1] == "{}":
        source.names.append(Name(function.line, "function", function.text, public))
    elif function and len(part) > 2:
        source.declared.add(function.text)
    elif not function and "extern" in words:
        source.declared.update(token.text for token in variables_of(part))
    elif not function:
        # struct NAME; declares no variable
        if len([word for word in words if WORD.match(word)]) > 2 or words[0] not in KEYWORDS:
            source.names += [Name(token.line, "variable", token.text, public)
                             for token in variables_of(part)]


def head_of(text: str) -> str:
    """The text of the comment at the head of a file."""
    match = HEAD.match(text)
    return "\n".join(re.sub(r"^\s*\* ?", "", line).strip() for line in match[1].splitlines()).strip() \
        if match else ""


def read(text: str) -> Source:
    """Read the text of a C file."""
    source = Source(head=head_of(text))
    source.foreign = set(PARAMETER.findall(text))
    for attribute in ATTRIBUTE.findall(text):
        source.foreign |= {attribute, f"{attribute}_show", f"{attribute}_store"}
    without = OPAQUE.sub(lambda match: blank(match[0]) if match[0][0] == "/" else match[0], text)
    source.includes = [(line_at(without, match.start(1)), match[1]) for match in INCLUDE.finditer(without)]
    source.code = OPAQUE.sub(lambda match: blank(match[0], '""'), without)
    for match in DIRECTIVE.finditer(source.code):
        macro = MACRO.match(match[0].lstrip())
        if macro:
            source.names.append(Name(line_at(source.code, match.start()), "macro", macro[1], False))
    code = DIRECTIVE.sub(lambda match: blank(match[0]), source.code)
    for match in TYPE.finditer(code):
        source.names.append(Name(line_at(code, match.start()), match[1], match[2], False))
    for part in declarations_of(code):
        read_part(part, source)
    return source
