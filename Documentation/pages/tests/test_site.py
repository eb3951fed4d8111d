# SPDX-License-Identifier: MIT
"""The sources of a small site, and the check of its links."""
from __future__ import annotations

import os
import tempfile
import unittest

from .. import links, tree

INDEX = """# All

## Tutorials

| read | to |
|---|---|
| [a.md](a.md) | learn |

## Reference

| read | to |
|---|---|
| [b.md](b.md#x) | look up |
| [tool(1)](../userspace/tools/tool.1) | look up |
"""
FILES = {
    "README.md": "# Top\n\n[a.md](Documentation/a.md#x) [pic](x.png) [web](https://example.org/x.md)\n",
    "Documentation/index.md": INDEX,
    "Documentation/a.md": "# First\n\n[back](../README.md) [b.md](b.md) [tool](../userspace/tools/tool.1)"
                          " [h](../uapi/linux/sluice.h) [none](none.md)\n",
    "Documentation/b.md": "# Second\n",
    "Documentation/c.md": "# Third\n",
    "x.png": "picture",
    "uapi/linux/sluice.h": "", "userspace/lib/sluice.h": "", "drivers/core/sluice.h": "",
}


class Stage(unittest.TestCase):
    """The copy of a tree."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top, self.out = os.path.join(folder.name, "top"), os.path.join(folder.name, "out")
        for name, text in FILES.items():
            tree.write(os.path.join(self.top, name), text)
        tree.stage(self.top, self.out, {"tool.1": "<b>tool</b>(1) <b>none</b>(3)"},
                   {"uapi": "", "library": "", "driver": ""})

    def read(self, name: str) -> str:
        """A source of the site."""
        return tree.read(os.path.join(self.out, name))

    def test_links_lead_to_pages_of_the_site(self) -> None:
        text = self.read("Documentation/a.md")
        self.assertIn("[back](../index.md)", text)
        self.assertIn("[tool](../man/tool.1.md)", text)
        self.assertIn("[h](../api/uapi.md)", text)

    def test_a_link_has_the_title_as_text(self) -> None:
        self.assertIn("[First](Documentation/a.md#x)", self.read("index.md"))
        self.assertIn("[Second](b.md)", self.read("Documentation/a.md"))

    def test_other_links_stay(self) -> None:
        self.assertIn("[web](https://example.org/x.md)", self.read("index.md"))
        self.assertEqual(self.read("x.png"), "picture")

    def test_the_index_orders_the_pages_and_others_are_how_to(self) -> None:
        parts = tree.parts_of(INDEX, ["a.md", "b.md", "c.md", "index.md"])
        self.assertEqual(parts, {"Tutorials": ["a.md"], "How-to": ["c.md"], "Reference": ["b.md"],
                                 "Explanation": []})

    def test_a_man_page_links_to_others(self) -> None:
        self.assertIn('<a href="tool.1.html"><b>tool</b>(1)</a> <b>none</b>(3)', self.read("man/tool.1.md"))


class Links(unittest.TestCase):
    """The check of a finished site."""

    def findings(self, **pages: str) -> list[str]:
        """What the check says of these pages."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in pages.items():
                tree.write(os.path.join(folder, name.replace("_", ".")), text)
            return links.findings(folder)

    def test_links_that_work_are_accepted(self) -> None:
        self.assertEqual(self.findings(
            a_html='<a href="b.html#x%20y"></a><a href="#here"></a><p id="here"><a href="https://x.org/">',
            b_html='<h1 id="x y"><img src="c.png"><link rel="stylesheet" href="d.css?v=1">',
            c_png="", d_css="p { background: url(c.png) }"), [])

    def test_links_that_lead_nowhere_are_found(self) -> None:
        self.assertEqual(self.findings(a_html='<a href="b.html"><a href="c.html#x"><a href="#y"><img src="z.png">',
                                       c_html=""),
                         ["a.html: there is no b.html", "a.html: c.html has no place 'x'",
                          "a.html: the page has no place 'y'", "a.html: there is no z.png"])

    def test_files_of_a_network_are_found(self) -> None:
        self.assertEqual(self.findings(
            a_html='<script src="https://x.org/x.js"></script><link rel="stylesheet" href="//x.org/x.css">',
            b_css='@import "https://x.org/font.css"; p { background: url("//x.org/y.png") }'),
            ["b.css: loads https://x.org/font.css, which is not in the site",
             "b.css: loads //x.org/y.png, which is not in the site",
             "a.html: loads https://x.org/x.js, which is not in the site",
             "a.html: loads //x.org/x.css, which is not in the site"])
