"""Pairs and tables as text, no wider than the terminal. What costs time to import comes in when used."""

import html
import io
import re
import shutil
from collections.abc import Iterable, Sequence
from itertools import product
from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from nurecoil.presentation.document import Block, Table

WIDE = 140  # columns of a terminal that has room for prose in a table
NARROWEST = 40  # columns; in a narrower terminal lines are broken by it, not by us
LONG = 20  # characters: longer words may be broken behind an underscore where there is no room for them
_TAGS = {"<sub>": "_", "<sup>": "^", "<br>": " "}
_COLOURS = {"good": "green", "fair": "yellow", "bad": "red"}


def console(stderr: bool = False, file: IO[str] | None = None, width: int | None = None) -> "Console":
    """Return a terminal that prints text as it is: no markup, no emoji, no guessed colours."""
    from rich.console import Console

    width = width or max(shutil.get_terminal_size().columns, NARROWEST)  # COLUMNS=0 counts as not set
    return Console(file=file, stderr=stderr, markup=False, emoji=False, highlight=False, width=width)


def plain(markdown: str) -> str:
    """Return short Markdown as text for a terminal.

    >>> plain("*m*<sub>Z′</sub> > **1.4** TeV, 10<sup>−11</sup>")
    'm_Z′ > 1.4 TeV, 10^−11'
    """
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parseInline(" ".join(markdown.split()))[0].children or ()
    texts = (_TAGS.get(t.content, "") if t.type == "html_inline" else t.content for t in tokens)
    return html.unescape("".join(texts))


def draw(blocks: "Iterable[Block]", terminal: "Console | None" = None) -> None:
    """Print blocks, an empty line between them; a table without rows is left out."""
    from nurecoil.presentation.document import Pairs

    terminal = terminal or console()
    for number, block in enumerate(block for block in blocks if block.rows):
        if number:
            terminal.print()
        if isinstance(block, Pairs):
            _draw_pairs(block.title, block.rows, terminal)
        else:
            print_table(block.title, block.columns, block.rows, block.right, block.whole, terminal)
            if block.caption:
                terminal.print(_text(block.caption))


def text_of(blocks: "Iterable[Block]", width: int = 100) -> str:
    """Return blocks as text."""
    out = io.StringIO()
    draw(blocks, console(file=out, width=width))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str | tuple[str, str]]],
    right: Sequence[int] = (),
    whole: Sequence[int] = (),
    terminal: "Console | None" = None,
) -> None:
    """Print a table, if it has rows; where a word would be broken, each row as a block instead.

    A cell may be (text, colour). Columns numbered in `right` hold numbers; these and those in `whole` are
    never wrapped. Long names of others may be broken behind underscores.
    """
    from rich import box
    from rich.table import Table as Grid

    terminal = terminal or console()
    cells = [[_text(*cell) if isinstance(cell, tuple) else _text(cell) for cell in row] for row in rows]
    if not cells:
        return
    by_column = [[_text(name), *(row[number] for row in cells)] for number, name in enumerate(columns)]
    for longest, padding in product((terminal.width, LONG), (1, 0)):
        if widths := _widths(by_column, (*right, *whole), padding + 1, terminal.width, longest):
            break
    else:
        _draw_rows(title, columns, cells, terminal)
        return
    table = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, padding, 0, 0))
    for number, name in enumerate(columns):
        side: Literal["right", "left"] = "right" if number in right else "left"
        table.add_column(_text(name), justify=side, width=widths[number])
    for texts in cells:
        table.add_row(*(_text(_folded(t.plain, w), str(t.style)) for t, w in zip(texts, widths, strict=True)))
    terminal.print(_text(title, "bold"))
    terminal.print(table)


def _folded(text: str, width: int) -> str:
    """Return a text whose words are broken, behind underscores, where they are wider than a column."""

    def fold(word: re.Match[str]) -> str:
        lines = [""]
        for piece in re.findall("[^_]*_|[^_]+", word[0]):
            if lines[-1] and len(lines[-1] + piece) > width:
                lines.append("")
            lines[-1] += piece
        return "\n".join(lines)

    return re.sub(r"\S+", fold, text)


def _widths(
    columns: "Sequence[Sequence[Text]]", whole: Sequence[int], gap: int, across: int, longest_word: int
) -> list[int]:
    """Return the width of each column; none if their words, up to the longest, do not fit the terminal."""
    lengths = [sorted(max(map(cell_len, t.plain.split("\n"))) for t in column) for column in columns]
    longest = [column[-1] for column in lengths]
    folded = ([_folded(text.plain, longest_word) for text in column] for column in columns)
    words = [max((cell_len(w) for text in column for w in text.split()), default=0) for column in folded]
    widths = [  # names of columns may wrap, the cells of some columns may not
        max(words[i], *(cell_len(text.plain) for text in column[1:])) if i in whole else words[i]
        for i, column in enumerate(columns)
    ]
    room = across - gap * len(columns) - 1
    if sum(widths) > room:
        return []
    usual = [column[3 * len(column) // 4] for column in lengths]
    for wanted in (usual, longest):  # what room is left goes first to making most rows one line high
        more = [max(0, b - a) for a, b in zip(widths, wanted, strict=True)]
        share = min(1.0, (room - sum(widths)) / (sum(more) or 1))
        widths = [a + int(share * b) for a, b in zip(widths, more, strict=True)]
    return widths


def _draw_rows(
    title: str, columns: Sequence[str], rows: "Sequence[Sequence[Text]]", terminal: "Console"
) -> None:
    """Print each row as lines of its own, the first cell as their heading, of what the title says."""
    from rich.padding import Padding

    by = "" if columns[0] == "name" else f", by {columns[0]}"
    terminal.print(_text(title + by, "bold"), _text(""), sep="\n")
    for row in rows:
        terminal.print(row[0])
        for name, text in zip(columns[1:], row[1:], strict=True):
            if text.plain.strip():
                terminal.print(Padding(_text(f"{name}: ").append_text(text), (0, 0, 0, 2)))
        terminal.print()


def _draw_pairs(title: str, rows: Sequence[tuple[str, str]], terminal: "Console") -> None:
    """Print names and values below one another; a value has its own line where names leave little room."""
    from rich.padding import Padding
    from rich.table import Table as Grid

    terminal.print(_text(title, "bold"))
    if 2 * max(cell_len(name) for name, _ in rows) > terminal.width - 12:
        for name, value in rows:
            depth = 2 + len(name) - len(name.lstrip())
            apart = cell_len(name) + cell_len(value) + 4 > terminal.width
            terminal.print(_text(f"  {name}" if apart else f"  {name}  {value}"))
            if apart:
                terminal.print(Padding(_text(value), (0, 0, 0, depth + 4)))
        return
    table = Grid.grid(padding=(0, 2, 0, 0))
    for name, value in rows:
        table.add_row(_text(f"  {name}"), _text(value))
    terminal.print(table)


def print_document_table(table: "Table") -> None:
    """Print a table of a report, verdicts in their colours, its prose only where there is room."""
    from nurecoil.presentation.comparison import TONES

    left_out = table.prose if console().width < WIDE else ()
    kept = [number for number, name in enumerate(table.columns) if name not in left_out]

    def cell(text: str, number: int) -> str | tuple[str, str]:
        return (text, _COLOURS.get(TONES.get(text, ""), "")) if number == table.status_column else text

    rows = [[cell(plain(row[number]), number) for number in kept] for row in table.rows]
    columns = [plain(table.columns[number]) for number in kept]
    whole = [kept.index(n) for n in kept if n == table.status_column]
    print_table(plain(table.title), columns, rows, whole=whole)
    if left_out:
        where = f"In the report, or in a terminal of {WIDE} columns"
        console().print(_text(f"{where}: {', '.join(map(plain, left_out))}.\n"))


def print_prose(markdown: str) -> None:
    """Print a paragraph, its lines broken where the terminal ends."""
    console().print(_text(plain(markdown)))


def cell_len(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    from rich import cells

    return cells.cell_len(text)


def _text(text: str, style: str = "") -> "Text":
    from rich.text import Text

    return Text(text, style=style)
