"""Turn a `document` into GitHub-flavoured Markdown or one self-contained HTML page.

Nothing is computed here. The HTML page loads nothing: its style is inside, its figures are data
URIs, and its security policy forbids all else. Of the HTML in the Markdown, only plain inline tags
such as ``<sub>`` pass; any other tag is shown as text.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from nurecoil.presentation.comparison import TONES
from nurecoil.presentation.document import Block, Document, Figure, Table

if TYPE_CHECKING:
    from jinja2 import Environment
    from markdown_it import MarkdownIt

INLINE_TAGS = re.compile(r"</?(sub|sup|em|strong|b|i|code|br)\s*/?>", re.IGNORECASE)
LONG_CELL = 18  # a column with a longer cell is prose: it may wrap and takes the width that is left
LONG_TEXT = 60  # a column with a longer cell has lines of its own where a table's rows become cards


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("nurecoil.presentation", "templates"),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"inline": _inline, "block": _block, "plain": _plain, "cell": _cell, "line": _line}
    return environment


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    def only_inline_tags(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
        content: str = tokens[index].content
        parts = re.split(r"(<[^<>]*>)", content)
        return "".join(part if INLINE_TAGS.fullmatch(part) else str(escape(part)) for part in parts)

    parser = MarkdownIt("commonmark", {"html": True}).disable("image")  # an image would be loaded
    parser.add_render_rule("html_inline", only_inline_tags)
    parser.add_render_rule("html_block", only_inline_tags)
    return parser


def _inline(text: str) -> Markup:
    return Markup(_markdown().renderInline(_line(text)))


def _block(text: str) -> Markup:
    return Markup(_markdown().render(text))


def _plain(text: str) -> str:
    """Return Markdown without its marks, for attributes and the page's title."""
    return _inline(text).striptags()


def _line(text: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text).strip()  # a no-break space stays one


def _cell(text: str) -> str:
    r"""Return a cell in one line with its pipes escaped, those escaped already left alone.

    >>> print(_cell("|F|² is\n|F|²"), _cell(r"a \| b"))
    \|F\|² is \|F\|² a \| b
    """
    return re.sub(r"(\\.)|\|", lambda match: match[1] or r"\|", _line(text))


def _data_uri(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "svg+xml"
    return f"data:image/{kind};base64,{b64encode(image).decode('ascii')}"


def _identifiers(document: Document) -> list[str]:
    """Return one anchor a section, readable and distinct."""
    names: list[str] = []
    for section in document.sections:
        stem = re.sub(r"[\W_]+", "-", _plain(section.title).lower()).strip("-") or "section"
        others = (f"{stem}-{number}" for number in count(2))
        names.append(next(name for name in chain([stem], others) if name not in names))
    return names


def _columns(table: Table) -> list[dict[str, Any]]:
    """Return what a column looks like: its alignment, whether it is prose or verdicts."""
    columns = []
    for i, name in enumerate(table.columns):
        longest = max((len(_plain(row[i])) for row in table.rows), default=0)
        status = i == table.status_column
        align = "right" if i in table.right else "left"
        kind = "prose" if longest > LONG_CELL else "short"
        kind = "status" if status else f"{kind} long" if longest > LONG_TEXT else kind
        columns.append({"name": name, "align": align, "status": status, "class": f"{align} {kind}"})
    return columns


def _kind(block: str | Table | Figure) -> str:
    return type(block).__name__.lower()


def to_markdown(document: Document, image_path: Callable[[Figure], str]) -> str:
    """Return the report as GitHub-flavoured Markdown.

    `image_path` gives for a figure the path, relative to the Markdown file, of its image.

    >>> print(to_markdown(Document("Title", "subtitle", "Lead.", ()), lambda figure: figure.name))
    # Title
    <BLANKLINE>
    *subtitle*
    <BLANKLINE>
    Lead.
    """
    template = _environment().get_template("report.md.j2")
    text = template.render(document=document, image_path=image_path, columns=_columns, kind=_kind)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def to_html(document: Document, images: Mapping[str, bytes]) -> str:
    """Return the report as one HTML page that needs no network.

    It is for a wide screen, a phone and paper; `images` are by a figure's name the bytes of its PNG or SVG.

    >>> "<h1>Title</h1>" in to_html(Document("Title", "subtitle", "Lead.", ()), {})
    True
    """
    template = _environment().get_template("report.html.j2")
    return template.render(
        document=document,
        sections=list(zip(_identifiers(document), document.sections, strict=True)),
        columns=_columns,
        kind=_kind,
        tone=lambda verdict: TONES.get(_plain(verdict).lower(), "plain"),
        data_uri=lambda figure: _data_uri(images[figure.name]),
    )


def html_of(blocks: Iterable[Block]) -> str:
    """Return pairs and tables as HTML, for a notebook."""

    def line(tag: str, row: Iterable[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in row)}</tr>"

    parts = []
    for block in (block for block in blocks if block.rows):
        head = line("th", block.columns) if isinstance(block, Table) else ""
        rows = "".join(line("td", row) for row in block.rows)
        parts.append(f"<table><caption>{escape(block.title)}</caption>{head}{rows}</table>")
    return "\n".join(parts)
