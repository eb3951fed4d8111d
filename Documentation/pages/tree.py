# SPDX-License-Identifier: MIT
"""The sources of the site: a copy of the documents, in which each link leads to a page of the site.

The tables of Documentation/index.md under Tutorials, How-to, Reference and Explanation say where a
page belongs.  A page that no table has is a how-to page.
"""
from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable

LINK = re.compile(r"\[([^][]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
PARTS = ("Tutorials", "How-to", "Reference", "Explanation")
ROW = re.compile(r"^\| \[[^]]*\]\(([^)#]+)(?:#[^)]*)?\)", re.M)
# a man page that another man page names
MANUAL = re.compile(r"<b>([\w-]+)</b>\((\d)\)")
# files that are another page of the site
PAGES = {
    "README.md": "index.md",
    "uapi/linux/sluice.h": "api/uapi.md",
    "userspace/lib/sluice.h": "api/library.md",
    "drivers/core/sluice.h": "api/driver.md",
}
# a function of the library may have the name of a struct of the UAPI
SPACES = {"library": ".. c:namespace:: libsluice\n\n"}
HEADERS = [
    ("uapi", "uapi/linux/sluice.h", "The header linux/sluice.h",
     "Structs and ioctls.  The [page about the UAPI](../Documentation/uapi.md) sorts them by subject."),
    ("library", "userspace/lib/sluice.h", "The header sluice.h of the library",
     "Functions of libsluice.  Each also has a [man page](../man/index.md)."),
    ("driver", "drivers/core/sluice.h", "The header sluice.h for device drivers",
     "What a device driver calls, and what it provides.  "
     "[Writing a device driver](../Documentation/driver.md) explains it."),
]


def read(path: str) -> str:
    """The text of a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path: str, text: str) -> None:
    """Make a file, and its folder."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def title_of(text: str) -> str:
    """The first heading of a document."""
    found = re.search(r"^# (.+)$", text, re.M)
    return found.group(1) if found else ""


def place_of(target: str) -> str:
    """The source in the site for a file of the tree."""
    man = re.fullmatch(r"userspace/(?:tools|lib)/([\w-]+\.\d)", target)
    return f"man/{man.group(1)}.md" if man else PAGES.get(target, target)


def linked(text: str, page: str, use: Callable[[str], str]) -> str:
    """A document with the links of the site.

    use() is called for each file that the document links to, and returns its title.  A link whose
    text is only the name of the file gets the title as its text.
    """
    def replace(match: re.Match[str]) -> str:
        words, target, anchor = match.groups()
        if re.match(r"\w+:", target):
            return match.group()
        path = os.path.normpath(os.path.join(os.path.dirname(page), target))
        title = use(path)
        if words == os.path.basename(target) and title:
            words = title
        path = os.path.relpath(place_of(path), os.path.dirname(place_of(page)) or ".")
        return f"[{words}]({path}{anchor or ''})"
    return LINK.sub(replace, text)


def parts_of(index: str, pages: Iterable[str]) -> dict[str, list[str]]:
    """The pages of each part, in the order of the tables of the index."""
    parts: dict[str, list[str]] = {}
    for part in PARTS:
        section = re.search(rf"^## {part}\n(.*?)(?=^## |\Z)", index, re.M | re.S)
        rows = ROW.findall(section.group(1)) if section else []
        parts[part] = [row for row in rows if row.endswith(".md") and row in pages]
    known = {page for names in parts.values() for page in names}
    parts["How-to"] += sorted(set(pages) - known - {"index.md"})
    return parts


def toctree(caption: str, pages: Iterable[str]) -> str:
    """A list of pages for the side of the site."""
    return "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])


def stage(top: str, out: str, man: dict[str, str], api: dict[str, str]) -> None:
    """Make the sources in a folder.

    man has the HTML of each man page, such as sluicectl.1; api has what kernel-doc printed for
    each header.
    """
    files: set[str] = set()
    os.makedirs(os.path.join(out, "api"), exist_ok=True)
    folder = os.path.join(top, "Documentation")

    def use(file: str) -> str:
        files.add(file)
        path = os.path.join(top, file)
        return title_of(read(path)) if file.endswith(".md") and os.path.isfile(path) else ""

    names = sorted(name for name in os.listdir(folder) if name.endswith(".md"))
    roots = sorted(name for name in os.listdir(top) if name.endswith(".md"))
    for page in [*roots, *(f"Documentation/{name}" for name in names)]:
        text = linked(read(os.path.join(top, page)), page, use)
        if page == "README.md":
            text += "\n" + side(read(os.path.join(folder, "index.md")), names, roots)
        write(os.path.join(out, place_of(page)), text)
    for file in sorted(files):
        source = os.path.join(top, file)
        if os.path.isfile(source) and place_of(file) == file and not file.endswith(".md"):
            os.makedirs(os.path.dirname(os.path.join(out, file)), exist_ok=True)
            shutil.copy(source, os.path.join(out, file))
    for name, html in man.items():
        html = MANUAL.sub(lambda found: f'<a href="{found[1]}.{found[2]}.html">{found[0]}</a>'
                          if f"{found[1]}.{found[2]}" in man else found[0], html)
        heading = re.sub(r"\.(\d)$", r"(\1)", name)
        write(os.path.join(out, "man", f"{name}.md"),
              f"# {heading}\n\n```{{raw}} html\n{html}\n```\n")
    write(os.path.join(out, "man", "index.md"), man_index(man))
    for name, header, title, text in HEADERS:
        shutil.copy(os.path.join(top, header), os.path.join(out, "api", f"{name}.h"))
        write(os.path.join(out, "api", f"{name}.md"), f"# {title}\n\n{text}\n"
              f"The file itself: [{os.path.basename(header)}]({name}.h).\n\n"
              f"````{{eval-rst}}\n{SPACES.get(name, '')}{api[name]}\n````\n")


def man_index(man: Iterable[str]) -> str:
    """The page that lists all man pages."""
    text = "# Man pages\n"
    for section, what in (("1", "The command sluicectl"), ("3", "The library libsluice")):
        names = [name for name in sorted(man) if name.endswith(f".{section}")]
        text += f"\n## {what}\n" + "".join(
            ["\n```{toctree}\n:maxdepth: 1\n\n", *(name + ".md\n" for name in names), "```\n"])
    return text


def side(index: str, names: Iterable[str], roots: Iterable[str]) -> str:
    """The side of the site: each part and its pages."""
    text = ""
    for part, pages in parts_of(index, list(names)).items():
        entries = [f"Documentation/{page}" for page in pages]
        if part == "Reference":
            entries = ["Documentation/index.md", *entries, "man/index.md",
                       *(f"api/{name}.md" for name, *_ in HEADERS)]
        text += toctree(part, entries)
    return text + toctree("Project", [name for name in roots if name != "README.md"])
