"""The documentation: `nox -s docs`; while you write, `sphinx-build -j auto -nW docs docs/_build/html`."""

import os
import re
import sys
from functools import partialmethod
from pathlib import Path
from typing import Annotated, get_args, get_origin

from nbclient import NotebookClient
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.labels import BaseLabelStyle

import nurecoil

sys.path.insert(0, str(Path(__file__).parent))
import make_reference

project = "nurecoil"
author = "The nurecoil developers"
copyright = author
version = release = nurecoil.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
]
exclude_patterns = ["_build", "gallery/README.md", "**/.ipynb_checkpoints"]
default_role = "py:obj"

# What is written in pages and in docstrings must lead somewhere. Types in signatures need not: those of other
# packages cannot be asked for them offline, and those inside of ours have no page.
nitpicky = True
nitpick_ignore_regex = [("py:(class|obj)", ".*")]
linkcheck_anchors = False

html_theme = "furo"
html_title = f"nurecoil {version}"
html_static_path = ["_static"]
html_css_files = ["nurecoil.css"]
html_show_copyright = False

myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

nb_execution_mode = "cache"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 300
NotebookClient.__init__ = partialmethod(NotebookClient.__init__, coalesce_streams=True)  # %%sh prints pieces
os.environ |= {"COLUMNS": "86", "NO_COLOR": "1"}  # of commands in notebooks
os.environ.pop("NURECOIL_DATA", None)  # pages are the same wherever they are built

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_use_rtype = False
copybutton_prompt_text = r">>> |\.\.\. |\$ |In \[\d*\]: | {2,5}\.\.\.: "
copybutton_prompt_is_regexp = True

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "keys"
bibtex_reference_style = "author_year"


class _Keys(BaseLabelStyle):
    """Labels of references that are their keys, as results name them."""

    def format_labels(self, entries):
        return (entry.key for entry in entries)


class _WithKeys(PlainStyle):
    default_label_style = _Keys


register_plugin("pybtex.style.formatting", "keys", _WithKeys)

# A key of references.bib in a page or a docstring, Hoferichter:2020osn, becomes a link to its entry.
KEY = re.compile(r"(?<![\w`:/])[A-Z][A-Za-z+-]+:[12]\d{3}(?:[a-z]{2,3})?\b(?!`)")


def linked(text: str, role: str) -> str:
    """Return a text whose keys, but those in code, are citations."""
    parts = re.split(r"(^```.*?^```|`[^`\n]*`|^---$.*?^---$)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(KEY.sub(role, each) if i % 2 == 0 else each for i, each in enumerate(parts))


def setup(app):
    """Write the tables, and link keys."""
    make_reference.write()

    def page(app, name, source):
        source[0] = linked(source[0], r"{cite:t}`\g<0>`")

    def docstring(app, what, name, of, options, lines):
        text = "\n".join(lines)
        if ".. math::" not in text:
            text = re.sub(r"(?<!\S)\|(?=\S)", r"\|", text)  # |g|² is no substitution
        lines[:] = linked(text, r":cite:t:`\g<0>`").split("\n")

    def annotations(app, of, bound):
        """Leave out what annotations of verbs tell the command line."""
        for name, hint in getattr(of, "__annotations__", {}).items():
            if get_origin(hint) is Annotated:
                of.__annotations__[name] = get_args(hint)[0]

    app.connect("autodoc-before-process-signature", annotations)
    app.connect("source-read", page)
    app.connect("autodoc-process-docstring", docstring)
