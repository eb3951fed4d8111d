# SPDX-License-Identifier: MIT
"""What is read from headers and from builds, and what a comparison says."""
from __future__ import annotations

import os
import tempfile
import unittest
from unittest import mock

from .. import library, modules, uapi
from ..finding import Problem

TEXT = """# a comment
value SLUICE_UAPI_VERSION 6
value SLUICE_A 1
ioctl SLUICE_IOCTL_X 3 0xd5 0x01 sluice_x
struct sluice_x 16
field sluice_x a 0 8 __u64
field sluice_x reserved 8 8 __u64
"""
SYMVERS = "0x0\tsluice_one\tsluice\tEXPORT_SYMBOL_GPL\tSLUICE\n" \
    "0x0\tother\tvmlinux\tEXPORT_SYMBOL\t\n"


class Reading(unittest.TestCase):
    """The readers of headers."""

    def test_members_of_nested_structs_and_of_unnamed_unions_are_read(self) -> None:
        found = uapi.fields("\n\t__u32 a;\n\tunion {\n\t\t__u64 b;\n\t\tstruct {\n\t\t\tchar c[4];\n"
                            "\t\t} inner;\n\t};\n\tstruct sluice_y d;\n")
        self.assertEqual(found, [("a", "__u32"), ("b", "__u64"), ("inner", "struct"),
                                 ("inner.c", "char[]"), ("d", "struct sluice_y")])

    def test_a_member_that_cannot_be_read_is_refused(self) -> None:
        for text in ("__u32 a:3;", "void (*f)(int);", "__u32 a", "union { __u32 a;"):
            with self.subTest(text), self.assertRaises(Problem):
                uapi.fields(text)

    def test_a_line_of_an_unknown_kind_is_refused(self) -> None:
        with self.assertRaisesRegex(Problem, "unknown kind: 'union x'"):
            uapi.read("union x")

    def test_functions_are_declared_and_inline_ones_are_not(self) -> None:
        header = ('/* int sluice_no(void); */\n#define sluice_macro(x) sluice_none(x)\n'
                  'extern "C" {\nstruct sluice_x {\n\tint (*sluice_member)(int);\n};\n'
                  'int sluice_one(int (*sluice_f)(void));\nconst char *\nsluice_two(void);\n'
                  'static inline int sluice_inline(void)\n{\n\tif (1) { sluice_one(0); }\n'
                  '\treturn 0;\n}\nvoid sluice_three(void);\n}\n')
        self.assertEqual(library.declared(header), {"sluice_one", "sluice_two", "sluice_three"})


class Comparing(unittest.TestCase):
    """The rules, for texts that no compiler made."""

    def changed(self, *edits: tuple[str, str]) -> list[str]:
        """The findings after replacements in TEXT."""
        text = TEXT
        for old, new in edits:
            self.assertIn(old, text)
            text = text.replace(old, new)
        return uapi.compare(TEXT, text)

    def test_the_same_is_fine(self) -> None:
        self.assertEqual(self.changed(), [])

    def test_each_change_is_found(self) -> None:
        for old, new, finding in (
                ("value SLUICE_A 1\n", "", "the value SLUICE_A was removed"),
                ("SLUICE_A 1", "SLUICE_A 2", "the value SLUICE_A changed from 1 to 2"),
                ("VERSION 6", "VERSION 5", "the value SLUICE_UAPI_VERSION changed from 6 to 5"),
                ("0x01", "0x02", "the ioctl SLUICE_IOCTL_X changed"),
                ("sluice_x 16", "sluice_x 8", "struct sluice_x shrank from 16 to 8"),
                ("a 0 8 __u64", "a 8 8 __u64", "the member a of struct sluice_x changed"),
                ("a 0 8 __u64", "a 0 8 __s64", "the member a of struct sluice_x changed"),
                ("x a 0", "x b 0", "the member a of struct sluice_x was removed")):
            with self.subTest(finding):
                self.assertIn(finding, "\n".join(self.changed((old, new))))

    def test_a_reserved_member_and_the_end_are_free(self) -> None:
        self.assertEqual(self.changed(
            ("VERSION 6", "VERSION 7"), ("sluice_x 16", "sluice_x 24"),
            ("x reserved 8 8 __u64", "x b 8 8 __u64\nfield sluice_x c 16 8 __u64")), [])

    def test_growth_needs_a_version(self) -> None:
        self.assertRegex(self.changed(("value SLUICE_A 1", "value SLUICE_A 1\nvalue SLUICE_B 2"))[0],
                         "SLUICE_UAPI_VERSION is still 6")


class Symbols(unittest.TestCase):
    """The symbols of the library and of the modules."""

    HEADER = "int sluice_one(void);\n"

    def test_symbols_of_the_library_are_those_of_its_header(self) -> None:
        self.assertEqual(library.check_symbols(self.HEADER, {"sluice_one": "LIBSLUICE_0.1"}), [])
        for symbols, finding in (({}, "declares sluice_one"),
                                 ({"sluice_one": ""}, "has no version"),
                                 ({"sluice_one": "V", "x": "V"}, "exports x, and")):
            self.assertIn(finding, "\n".join(library.check_symbols(self.HEADER, symbols)))

    def test_symbols_of_modules_are_those_of_their_header_in_the_namespace(self) -> None:
        def check(symvers: str, header: str = self.HEADER) -> str:
            return "\n".join(modules.check(header, symvers, {"sluice_rare"}, "built"))
        self.assertEqual(check(SYMVERS), "")
        self.assertEqual(check(SYMVERS, self.HEADER + "int sluice_rare(void);\n"), "")
        self.assertIn("not as EXPORT_SYMBOL_GPL SLUICE", check(SYMVERS.replace("\tSLUICE\n", "\t\n")))
        self.assertIn("does not export it", check(SYMVERS, self.HEADER + "int sluice_two(void);\n"))
        self.assertIn("does not declare it", check(SYMVERS, ""))

    def test_only_the_named_builds_count_and_each_must_be_there(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for place, symvers in (("built", SYMVERS), ("old", "")):
                os.mkdir(os.path.join(folder, place))
                with open(os.path.join(folder, place, "Module.symvers"), "w", encoding="utf-8") as file:
                    file.write(symvers)
            for places, finding in ((["built"], ""),
                                    (["old"], "old: drivers/core/sluice.h declares"),
                                    (["built", "absent"], "absent: the modules are not built"),
                                    ([], "no build of the modules is named")):
                found = "\n".join(modules.check_builds(self.HEADER, folder, places, set()))
                with self.subTest(places):
                    self.assertTrue(found.startswith(finding) and bool(found) == bool(finding), found)

    def test_version_of_a_symbol_is_behind_one_or_two_signs(self) -> None:
        listing = "0000 T sluice_one@@V_2\n0000 T sluice_two@V_1\n0000 T bare\n0000 A V_1\n"
        with mock.patch.object(library, "output", return_value=listing):
            self.assertEqual(library.exported("x"), {"sluice_one": "V_2", "sluice_two": "V_1", "bare": ""})


if __name__ == "__main__":
    unittest.main()
