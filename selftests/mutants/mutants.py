# SPDX-License-Identifier: MIT
"""Mutants: small bugs, kept outside of drivers/, to see whether the tests notice them.

A list (*.list) has one paragraph a mutant, of lines "KEY TEXT"; a line that begins
with white space continues the one before, and '#' begins a comment:

    name    what goes wrong; unique
    file    the source file
    in      the function in which the place is
    right   text that is there exactly once: an expression, or statements with their ';'
    wrong   what stands in its place in the mutant; for statements it may be empty
    tests   the programs that should notice it, the best one first

White space counts as one space.  A paragraph without a name sets defaults for
those below it.  'alone' in place of a text is a key, too: the guest ends after this
mutant, because it may have damaged memory.

apply() puts all of them into a copy of the sources, and the module parameter
'mutant' of sluice.ko chooses one by its number; 0 is none.
"""
import glob
import os
import re

FOLDER = os.path.dirname(os.path.realpath(__file__))
KEYS = ("name", "file", "in", "right", "wrong", "tests", "alone")

# Appended to a file of the core.
DEFINITION = """
unsigned int sluice_mutant;
module_param_named(mutant, sluice_mutant, uint, 0444);
EXPORT_SYMBOL_GPL(sluice_mutant);
"""
HOME = "drivers/core/module.c"
# Included before all else in each file.
INCLUDED = """/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __ASSEMBLY__
extern unsigned int sluice_mutant;
#define SLUICE_MUTANT(number) (sluice_mutant == (number))
#endif
"""
HEADER = "drivers/core/mutant.h"


class Wrong(Exception):
    """A list that cannot be used; the text is for people."""


class Mutant:
    """One bug: see the keys above."""

    def __init__(self, number, where, fields):
        self.number, self.where = number, where
        for key in ("name", "file", "in", "right", "tests"):
            if not fields.get(key):
                raise Wrong(f"{where}: a mutant has no '{key}'")
        self.name, self.file, self.function = fields["name"], fields["file"], fields["in"]
        self.right, self.wrong = fields["right"], fields.get("wrong", "")
        self.tests, self.alone = fields["tests"].split(), "alone" in fields
        self.list = os.path.basename(where).partition(".")[0]
        self.statement = self.right.endswith((";", "}"))
        if not self.statement and not self.wrong:
            raise Wrong(f"{where}: '{self.name}' has nothing in place of an expression")
        self.inner = []	# those whose place is inside this one's

    def find(self, text):
        """Where in the file's text the place is."""
        function = re.search(rf"^\w[^;{{}}]*\b{self.function}\([^;{{}}]*\)\s*\n\{{.*?^\}}", text, re.M | re.S)
        if not function:
            raise Wrong(f"{self.where}: '{self.name}': {self.file} has no function {self.function}() "
                        "any more: change the mutant as the source has changed, or remove it")
        words = r"\s+".join(re.escape(word) for word in self.right.split())
        found = list(re.finditer(words, function.group()))
        if len(found) != 1:
            times = f"{len(found)} times" if found else "nowhere"
            raise Wrong(f"{self.where}: '{self.name}': {self.function}() in {self.file} has "
                        f"'{self.right}' {times}, and should have it once: change the mutant as "
                        "the source has changed, or remove it")
        return tuple(function.start() + at for at in found[0].span())

    def choose(self, right):
        """Source text that is @right or wrong, by the parameter."""
        # one line: compilers' messages keep their line numbers
        if self.statement:
            return f"{{ if (SLUICE_MUTANT({self.number})) {{ {self.wrong} }} else {{ {right} }} }}"
        return f"(SLUICE_MUTANT({self.number}) ? ({self.wrong}) : ({right}))"


def paragraphs(path):
    """(line number, fields) of each paragraph of a list."""
    fields, last, began = {}, None, 0
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate([*lines, "\n"], 1):
            line = line.rstrip()
            if line.startswith("#"):
                continue
            if not line:
                if fields:
                    yield began, fields
                fields, last = {}, None
                continue
            if line[0].isspace():
                if last is None:
                    raise Wrong(f"{path}:{number}: there is no line to continue")
                fields[last] += " " + line.strip()
                continue
            last, _, text = line.partition(" ")
            if last not in KEYS:
                raise Wrong(f"{path}:{number}: '{last}' is none of {', '.join(KEYS)}")
            if last in fields:
                raise Wrong(f"{path}:{number}: a second '{last}' in one mutant")
            began = began if fields else number
            fields[last] = text.strip()


def load(folder=FOLDER):
    """All mutants of all lists, numbered from 1."""
    mutants, names = [], {}
    for path in sorted(glob.glob(os.path.join(folder, "*.list"))):
        defaults = {}
        for number, fields in paragraphs(path):
            where = f"{os.path.basename(path)}:{number}"
            if "name" not in fields:
                defaults.update(fields)
                continue
            mutant = Mutant(len(mutants) + 1, where, {**defaults, **fields})
            if mutant.name in names:
                raise Wrong(f"{where}: '{mutant.name}' is the name of another, at {names[mutant.name]}")
            names[mutant.name] = where
            mutants.append(mutant)
    return mutants


def chosen(mutants, word):
    """Those of that name, or of that list; all without a word."""
    found = [mutant for mutant in mutants if word in ("", mutant.name, mutant.list)]
    if not found:
        raise Wrong(f"no mutant and no list of mutants is called '{word}': see selftests/mutants/*.list")
    return found


def mutate(text, mutants):
    """The text of one file with all its mutants in it."""
    places = sorted(((*mutant.find(text), mutant) for mutant in mutants),
                    key=lambda place: (place[0], -place[1], place[2].number))

    def region(start, end):
        out = []
        while places and places[0][0] < end:
            first, last, mutant = places.pop(0)
            if last > end:
                raise Wrong(f"{mutant.where}: '{mutant.name}' begins inside of another's place "
                            "and ends outside of it")
            out += [text[start:first], mutant.choose(region(first, last))]
            start = last
        return "".join(out) + text[start:end]

    return region(0, len(text))


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def sources(top, mutants):
    """{name: text} of each file that differs from the one in the tree."""
    by_file = {}
    for mutant in mutants:
        if not os.path.exists(os.path.join(top, mutant.file)):
            raise Wrong(f"{mutant.where}: '{mutant.name}': there is no file {mutant.file} any more")
        by_file.setdefault(mutant.file, []).append(mutant)
    texts = {name: mutate(read(os.path.join(top, name)), some) for name, some in by_file.items()}
    texts[HOME] = texts.get(HOME) or read(os.path.join(top, HOME))
    texts[HOME] += DEFINITION
    texts["Kbuild"] = read(os.path.join(top, "Kbuild")) + f"\nccflags-y += -include $(src)/{HEADER}\n"
    texts[HEADER] = INCLUDED
    return texts


def apply(top, target):
    """Put all mutants into a copy of the tree."""
    for name, text in sources(top, load()).items():
        with open(os.path.join(target, name), "w", encoding="utf-8") as out:
            out.write(text)
