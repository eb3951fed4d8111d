# SPDX-License-Identifier: MIT
"""Man pages from small headers, and headers that are refused."""
from __future__ import annotations

import os
import tempfile
import unittest

from ..comment import Problem, functions_of, listed
from ..man import pages_of, write_pages

HEADER = """/**
 * sluice_get - get a number
 * @device: fd of the device,
 *	not -1
 * @number: set to the number
 *
 * The number is .5 or more.  See sluice_put() for @number.
 *
 * Return: 0 or a negative errno.
 *
 * Errors:
 *
 *	-EINVAL		@device is -1, which
 *			is no fd
 *	-EADDRNOTAVAIL	there is no number
 */
int sluice_get(int device,
	       int (*number)[2]);

/**
 * sluice_put - fill in a number
 * @number: the number
 *
 * Errors of sluice_get():
 *
 *	-ERANGE		the number is too large
 */
void sluice_put(int *number);
"""
EXAMPLES = """/* sluice_get: get one \\number */
int one(int device,
	int *number)
{
	/* a comment */

	return sluice_get(device, number);
}

/*
 * sluice_put: put one, in a sentence
 * of two lines
 */
void two(void)
{
	sluice_put(sluice_get(1, NULL));
}
"""


def page(name: str, header: str = HEADER, examples: str = EXAMPLES) -> str:
    """One page."""
    return pages_of(header, examples, "2000-01-02", "1.2")[name]


class Functions(unittest.TestCase):
    """The parts of a comment."""

    def test_a_comment_has_its_parts(self) -> None:
        get, put = functions_of(HEADER)
        self.assertEqual(get.name, "sluice_get")
        self.assertEqual(get.arguments[0], ("device", "fd of the device, not -1"))
        self.assertEqual(get.errors, [("-EINVAL", "@device is -1, which is no fd"),
                                      ("-EADDRNOTAVAIL", "there is no number")])
        self.assertEqual(get.result, "0 or a negative errno.")
        self.assertEqual(put.refuses, "sluice_get()")

    def refused(self, old: str, new: str, words: str) -> None:
        """A header with a change is refused with these words."""
        self.assertIn(old, HEADER)
        with self.assertRaisesRegex(Problem, words):
            functions_of(HEADER.replace(old, new))

    def test_a_comment_without_errors_is_refused(self) -> None:
        self.refused("Errors:\n", "Mistakes:\n", "sluice_get.*no table 'Errors:'")

    def test_a_heading_without_a_table_is_refused(self) -> None:
        self.refused(" * Errors:\n *\n *\t-E", " * Errors:\n *\n * -E", "no table follows")

    def test_a_result_without_a_line_is_refused(self) -> None:
        self.refused(" * Return: 0", " * Result: 0", "Return:")

    def test_a_void_function_names_the_function_that_refuses(self) -> None:
        self.refused("Errors of sluice_get():", "Errors:", "Errors of FUNCTION")

    def test_a_function_without_a_comment_is_refused(self) -> None:
        with self.assertRaisesRegex(Problem, r"sluice_new\(\) has no comment"):
            functions_of(HEADER + "\nint sluice_new(int device);\n")

    def test_a_first_line_without_a_purpose_is_refused(self) -> None:
        self.refused("sluice_get - get a number", "sluice_get", "NAME - what it does")


class Pages(unittest.TestCase):
    """The text of a page."""

    def test_a_page_has_all_sections(self) -> None:
        text = page("sluice_get.3")
        at = [text.index(f".SH {name}\n") for name in (
            "NAME", "SYNOPSIS", "DESCRIPTION", "RETURN VALUE", "ERRORS", "EXAMPLE", "SEE ALSO")]
        self.assertEqual(at, sorted(at))
        self.assertIn('.TH SLUICE_GET 3 "2000-01-02" "Sluice 1.2"', text)
        self.assertIn("int (*\\fInumber\\fB)[2]);", text)

    def test_a_void_function_may_have_no_errors(self) -> None:
        start = HEADER.index(" *\n * Errors of")
        text = page("sluice_put.3", HEADER[:start] + HEADER[HEADER.index(" */\nvoid"):])
        self.assertIn(".SH RETURN VALUE\nNone.\n.SH ERRORS\nThis function cannot fail.\n.PP\n", text)

    def test_text_is_escaped(self) -> None:
        text = page("sluice_get.3")
        self.assertIn("Get one \\enumber", text)
        self.assertIn(".B \\-EINVAL\n\\fIdevice\\fP is \\-1, which is no fd\n", text)
        self.assertIn("The number is .5 or more.\nSee \\fBsluice_put\\fP(3) for \\fInumber\\fP.", text)

    def test_code_keeps_its_lines(self) -> None:
        self.assertIn("{\n\\&        /* a comment */\n\\~\n\\&        return sluice_get(device, number);\n}\n.fi",
                      page("sluice_get.3"))

    def test_a_page_names_the_others_that_it_uses(self) -> None:
        self.assertIn(".SH SEE ALSO\n.BR sluice_put (3),\n.BR libsluice (3)\n", page("sluice_get.3"))

    def test_a_function_that_returns_nothing_cannot_fail(self) -> None:
        self.assertIn("This function cannot fail.\nThe errors of \\fBsluice_get\\fP(3) are:\n.TP\n.B \\-ERANGE",
                      page("sluice_put.3"))

    def test_each_function_needs_an_example_that_calls_it(self) -> None:
        for old, new, words in (("/* sluice_get:", "/* sluice:", "does not call"),
                                ("return sluice_get(", "return sluice_put(", "does not call"),
                                (" sluice_put:", " sluice_get:", "two examples")):
            with self.assertRaisesRegex(Problem, words):
                page("sluice_get.3", examples=EXAMPLES.replace(old, new))
        with self.assertRaisesRegex(Problem, "sluice_put has no example"):
            page("sluice_get.3", examples=EXAMPLES.partition("/*\n")[0])

    def test_pages_of_removed_functions_are_removed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("sluice.h", HEADER), ("examples.c", EXAMPLES)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            out = os.path.join(folder, "man")
            os.mkdir(out)
            for name in ("sluice_old.3", "libsluice.3"):
                with open(os.path.join(out, name), "w", encoding="utf-8") as file:
                    file.write("")
            write_pages(os.path.join(folder, "sluice.h"), os.path.join(folder, "examples.c"), "", "", out)
            self.assertEqual(sorted(os.listdir(out)), ["libsluice.3", "sluice_get.3", "sluice_put.3"])


class Lists(unittest.TestCase):
    """Headers for kernel-doc."""

    def test_a_table_becomes_a_list(self) -> None:
        self.assertIn(" * - ``-EINVAL``: @device is -1, which\n *   is no fd\n * - ``-EADDRNOTAVAIL``: there",
                      listed(HEADER))

    def test_arguments_stay(self) -> None:
        self.assertIn(" * @device: fd of the device,\n *\tnot -1\n", listed(HEADER))
