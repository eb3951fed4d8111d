# SPDX-License-Identifier: MIT
"""The settings of the site: 'make docs' copies the documents beside this file, and runs Sphinx."""
import os

# Sphinx names its settings
# pylint: disable=invalid-name
project = "Sluice"
author = "The Sluice authors"
copyright = "The Sluice authors"	# pylint: disable=redefined-builtin
release = os.environ.get("SLUICE_VERSION", "")
html_title = f"Sluice {release}".strip()

extensions = ["myst_parser"]
root_doc = "index"
highlight_language = "none"
suppress_warnings: list[str] = []

# the anchors of headings, as code hosts make them
myst_heading_anchors = 6
myst_enable_extensions: list[str] = []

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["sluice.css"]
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
# a browser does not let a page of a file:// load another page to show a part of it
html_show_search_summary = False
pygments_style = "friendly"
pygments_dark_style = "monokai"

# names that are no part of Sluice: the kernel's, and those of C
nitpick_ignore_regex = [
    (r"c:.*", r"(?!.*(sluice|SLUICE)).*"),
    # a struct without a definition, and a constant without a comment
    (r"c:identifier", "sluice_engine|sluice_stream|SLUICE_NAME_LEN|SLUICE_MAX_PLANES"),
]
