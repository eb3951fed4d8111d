# SPDX-License-Identifier: MIT
"""The links of the finished site: each leads to a file and a place in it, and none needs a network.

A link that a reader clicks may lead to another site.  A file that a page loads by itself, such as
a script or a font, must be part of the site.
"""
from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from urllib.parse import unquote

LOADED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}
URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


class Page(HTMLParser):
    """The links of a page, those that it loads by itself, and the places that others may name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.places.update(filter(None, (values.get("id"), values.get("name") if tag == "a" else None)))
        for name, value in values.items():
            if (tag, name) in LOADED and values.get("rel") not in ("index", "search", "next", "prev"):
                self.loaded.append(value)
            elif (tag, name) == ("a", "href") or tag == "link" and name == "href":
                self.links.append(value)


def findings(site: str) -> list[str]:
    """One sentence for each link that does not work."""
    pages: dict[str, Page] = {}
    result = []
    for folder, _, names in os.walk(site):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(".html"):
                with open(path, encoding="utf-8") as file:
                    pages[path] = Page(file.read())
            elif name.endswith(".css"):
                here = os.path.relpath(path, site)
                with open(path, encoding="utf-8") as file:
                    result += [f"{here}: loads {first or second}, which is not in the site"
                               for first, second in URL.findall(file.read())
                               if re.match(r"(\w+:)?//", first or second)]
    for path, page in sorted(pages.items()):
        here = os.path.relpath(path, site)
        for link in page.loaded:
            if re.match(r"(\w+:)?//", link):
                result.append(f"{here}: loads {link}, which is not in the site")
        for link in page.links + page.loaded:
            if re.match(r"\w+:|//", link):
                continue
            target, _, place = link.partition("#")
            there = os.path.normpath(os.path.join(os.path.dirname(path), unquote(target.partition("?")[0])))
            if not target:
                there = path
            if not os.path.isfile(there):
                result.append(f"{here}: there is no {link}")
            elif place and there in pages and unquote(place) not in pages[there].places:
                result.append(f"{here}: {target or 'the page'} has no place '{place}'")
    return result
