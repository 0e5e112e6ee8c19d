"""What a command prints: tables, pairs, progress and JSON. What costs time to import comes in when used."""

import html
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from string import hexdigits
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Grid
    from rich.text import Text

    from nurecoil.parameters import Parameter, Value, Values
    from nurecoil.presentation.document import Table
    from nurecoil.progress import Report

WIDE = 140  # columns of a terminal that has room for prose in a table
NARROWEST = 40  # columns; in a narrower terminal lines are broken by it, not by us
SOON, SOON_IN_A_LOG = 1.0, 4.0  # seconds before anything is said of how far it is
BLINK, LONGEST_SILENCE = 0.2, 60.0  # seconds between two lines: of a terminal, and at most of a log
_CHECKSUM = 64  # hexadecimal digits of SHA-256
_TAGS = {"<sub>": "_", "<sup>": "^", "<br>": " "}
_COLOURS = {"good": "green", "fair": "yellow", "bad": "red"}


def console(stderr: bool = False) -> "Console":
    """Return a terminal that prints text as it is: no markup, no emoji, no guessed colours."""
    from rich.console import Console

    width = max(shutil.get_terminal_size().columns, NARROWEST)  # COLUMNS=0 counts as not set
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)


def print_json(result: Mapping[str, object]) -> None:
    """Print strict JSON; arrays become lists, and NaN and infinity, which JSON has not, null."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(_strict(result), indent=2, allow_nan=False, ensure_ascii=not utf8))


def _strict(value: object) -> object:
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(markdown: str) -> str:
    """Return short Markdown as text for a terminal.

    >>> plain("*m*<sub>Z′</sub> > **1.4** TeV, 10<sup>−11</sup>")
    'm_Z′ > 1.4 TeV, 10^−11'
    """
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parseInline(" ".join(markdown.split()))[0].children or ()
    texts = (_TAGS.get(t.content, "") if t.type == "html_inline" else t.content for t in tokens)
    return html.unescape("".join(texts))


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str | tuple[str, str]]],
    right: Sequence[int] = (),
    whole: Sequence[int] = (),
) -> None:
    """Print a table no wider than the terminal; where a word would be broken, each row as a block instead.

    One without rows is left out.
    A cell may be (text, colour). Columns numbered in `right` hold numbers; these and those in `whole` are
    never wrapped.
    """
    from rich import box
    from rich.table import Table as Grid

    cells = [[_text(*cell) if isinstance(cell, tuple) else _text(cell) for cell in row] for row in rows]
    if not cells:
        return
    by_column = [[_text(name), *(row[number] for row in cells)] for number, name in enumerate(columns)]
    for padding in (1, 0):
        if widths := _widths(by_column, (*right, *whole), padding + 1):
            break
    else:
        _print_blocks(title, columns, cells)
        return
    table = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, padding, 0, 0))
    for number, name in enumerate(columns):
        side: Literal["right", "left"] = "right" if number in right else "left"
        table.add_column(_text(name), justify=side, width=widths[number])
    for texts in cells:
        table.add_row(*texts)
    _print(title, table)


def _widths(columns: "Sequence[Sequence[Text]]", whole: Sequence[int], gap: int) -> list[int]:
    """Return the width of each column; none if their longest words do not fit the terminal."""
    lengths = [sorted(max(map(cell_len, t.plain.split("\n"))) for t in column) for column in columns]
    longest = [column[-1] for column in lengths]
    words = [max((cell_len(w) for t in column for w in t.plain.split()), default=0) for column in columns]
    widths = [  # names of columns may wrap, the cells of some columns may not
        max(words[i], *(cell_len(text.plain) for text in column[1:])) if i in whole else words[i]
        for i, column in enumerate(columns)
    ]
    room = console().width - gap * len(columns) - 1
    if sum(widths) > room:
        return []
    usual = [column[3 * len(column) // 4] for column in lengths]
    for wanted in (usual, longest):  # what room is left goes first to making most rows one line high
        more = [max(0, b - a) for a, b in zip(widths, wanted, strict=True)]
        share = min(1.0, (room - sum(widths)) / (sum(more) or 1))
        widths = [a + int(share * b) for a, b in zip(widths, more, strict=True)]
    return widths


def _print_blocks(title: str, columns: Sequence[str], rows: "Sequence[Sequence[Text]]") -> None:
    """Print each row as lines of its own, the first cell as their heading."""
    from rich.padding import Padding

    terminal = console()
    terminal.print(_text(title, "bold"), _text(""), sep="\n")
    for row in rows:
        terminal.print(row[0])
        for name, text in zip(columns[1:], row[1:], strict=True):
            if text.plain.strip():
                terminal.print(Padding(_text(f"{name}: ").append_text(text), (0, 0, 0, 2)))
        terminal.print()


def print_pairs(title: str, rows: Iterable[tuple[str, str]]) -> None:
    """Print names and values below one another; a value has its own line where names leave little room."""
    from rich.padding import Padding
    from rich.table import Table as Grid

    rows = list(rows)
    terminal = console()
    if 2 * max((cell_len(name) for name, _ in rows), default=0) > terminal.width - 12:
        terminal.print(_text(title, "bold"))
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
    _print(title, table)


def print_document_table(table: "Table") -> None:
    """Print a table of a report, verdicts in their colours, its prose only where there is room."""
    from nurecoil.presentation.comparison import TONES

    left_out = [name for name in table.columns if name in table.prose and console().width < WIDE]
    kept = [number for number, name in enumerate(table.columns) if name not in left_out]

    def cell(text: str, number: int) -> str | tuple[str, str]:
        return (text, _COLOURS.get(TONES.get(text, ""), "")) if number == table.status_column else text

    rows = [[cell(plain(row[number]), number) for number in kept] for row in table.rows]
    columns = [plain(table.columns[number]) for number in kept]
    print_table(
        plain(table.title), columns, rows, whole=[kept.index(n) for n in kept if n == table.status_column]
    )
    if left_out:
        where = f"In the report, or in a terminal of {WIDE} columns"
        console().print(_text(f"{where}: {', '.join(map(plain, left_out))}.\n"))


def cell_len(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    from rich import cells

    return cells.cell_len(text)


def _print(title: str, body: "Grid") -> None:
    terminal = console()
    terminal.print(_text(title, "bold"))
    terminal.print(body)


def _text(text: str, style: str = "") -> "Text":
    from rich.text import Text

    return Text(text, style=style)


# --- progress -----------------------------------------------------------------------------------------


@dataclass
class Shown:
    """What a command says on stderr while it computes: in a terminal a line that is written over, else a line
    now and then; nothing of what ends soon.
    """

    name: str
    width: int = 0  # of the line that is to be written over
    lock: Lock = field(default_factory=Lock)

    def say(self, text: str) -> None:
        """Print a sentence at once."""
        self._write(f"{self.name}: {text}\n")

    @contextmanager
    def watch(self, report: "Report") -> Iterator[None]:
        """Show how far it is, by a thread: a step may last."""
        end = Event()
        thread = Thread(target=self._draw, args=(report, end), daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()
            self._write("")

    def _draw(self, report: "Report", end: Event) -> None:
        live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        begun, pause = time.monotonic(), SOON if live else SOON_IN_A_LOG
        while not end.wait(pause):
            line = f"{self.name}: {_how_far(report, begun)}"
            self._write(line[: shutil.get_terminal_size().columns - 1] if live else line + "\n")
            pause = BLINK if live else min(2 * pause, LONGEST_SILENCE)

    def _write(self, line: str) -> None:
        """Write over what is not to stay; that nobody reads on is no reason to stop."""
        with self.lock, suppress(OSError, ValueError):
            over = f"\r{'':{self.width}}\r" if self.width else ""
            self.width = 0 if line.endswith("\n") else cell_len(line)
            print(over + line, end="", file=sys.stderr, flush=True)


def _how_far(report: "Report", begun: float) -> str:
    """Return the share that is done, the time that the rest takes at this pace, and what is being done."""
    now, share = time.monotonic(), report.share
    if share > 0:
        text = f"{100 * share:.0f} %, {_duration((now - report.since) * (1 / share - 1))} left"
    else:
        text = f"{_duration(now - begun)} so far"
    return f"{text}, {plain(report.text)}" if report.text else text


def _duration(seconds: float) -> str:
    """Return a time in seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


# --- what a result rests on ---------------------------------------------------------------------------


def at_border(parameters: "Sequence[Parameter]", values: "Values") -> dict[str, dict[str, float | str]]:
    """Return each parameter's value and unit as a user writes them."""
    return {
        p.name: {"value": value if isinstance(value, str) else float(value) / p.inside, "unit": p.unit}
        for p in parameters
        if (value := values.get(p.name)) is not None
    }


def print_basis(
    parameters: "Sequence[Parameter]",
    values: "Values",
    notes: Sequence[str],
    conventions: Mapping[str, object],
) -> None:
    """Print what a result rests on: parameters, conventions, notes."""
    used = [(p.name, _shown(p, values[p.name])) for p in parameters if p.name in values]
    notes_shown = [("-", note) for note in notes]
    blocks = [("Parameters", used), ("Conventions", _lines(conventions)), ("Notes", notes_shown)]
    for title, rows in blocks:
        if rows:
            print()
            print_pairs(title, rows)


def _shown(parameter: "Parameter", value: "Value") -> str:
    return value if isinstance(value, str) else parameter.format(float(value))


def _lines(tree: Mapping[str, object], indent: str = "") -> list[tuple[str, str]]:
    """Return the names and values of nested mappings, one a line; the innermost are one, the nested last."""
    inner = {name: value for name, value in tree.items() if isinstance(value, Mapping)}
    lines = [(indent + name, _brief(value)) for name, value in tree.items() if name not in inner]
    for name, value in inner.items():
        if any(isinstance(part, Mapping) for part in value.values()):
            lines += [(indent + name, ""), *_lines(value, indent + "  ")]
        else:
            parts = (f"{part} {_brief(held)}" for part, held in value.items())
            lines.append((indent + name, ", ".join(parts)))
    return lines


def _brief(value: object) -> str:
    """Return a value for people: six digits of a number, the beginning of a checksum (all of it in JSON)."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return f"{text[:8]}…" if len(text) == _CHECKSUM and all(c in hexdigits for c in text) else text
