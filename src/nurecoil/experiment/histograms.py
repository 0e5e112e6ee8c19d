"""Counts and shapes from data files: columns of numbers, binned on named axes."""

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MAYBE_DECIMAL = re.compile(r"\s*[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?\s*")  # no blank behind the comma
_NAME = re.compile(r"(?!(?i:nan|inf|infinity)$)[A-Za-z_].*")  # of a column
_SEPARATORS = {";": "semicolons", ",": "commas", "\t": "tabs"}


def read_columns(path: Path, last: int | None = None) -> tuple[Array, str]:
    """Return the numbers of a text file, shape (rows, columns), and its SHA-256; # begins a comment.

    A first line of names alone, the headings of the columns, is read over; one may be empty, as of an index.

    One separator parts the cells of all lines: a semicolon if there is any, else a comma, else a tab, else
    blanks. A decimal comma or an empty cell is thus never read as another number. Only where commas part all
    cells and no number has a point, some commas may be decimal: two readings, "1,5,30" as 1.5 and 30. They
    differ in the number of columns. So what is used decides, if the number of the last column that is used
    is given: another reading is refused for if it leaves enough columns, and changes one that is used.

    Raises
    ------
    NurecoilError
        If the file cannot be read, is not UTF-8 text, or no table of finite numbers: with the line.
    """
    try:
        content = path.read_bytes()
        return _table(content.decode("utf-8-sig").splitlines(), last), hashlib.sha256(content).hexdigest()
    except OSError as error:
        raise NurecoilError(f"cannot read the data file {path}: {error.strerror}") from None
    except ValueError as error:
        raise NurecoilError(f"the data file {path} is not a table of numbers: {error}") from None


def _table(lines: Sequence[str], last: int | None) -> Array:
    kept = [(n, line.partition("#")[0].rstrip().lstrip(" ")) for n, line in enumerate(lines, start=1)]
    kept = [(n, line) for n, line in kept if line]
    if not kept:
        raise NurecoilError("it has no line of numbers")
    text = [line for _, line in kept]
    separator = next((s for s in _SEPARATORS if any(s in line for line in text)), " ")
    names = [name.strip() for name in text[0].split(None if separator == " " else separator)]
    if len(text) > 1 and any(names) and all(not name or _NAME.fullmatch(name) for name in names):
        kept, text = kept[1:], text[1:]
    try:
        table = np.loadtxt(text, delimiter=None if separator == " " else separator, ndmin=2)
        sound = np.isfinite(table).all() and all(map(str.isascii, text))
    except ValueError:
        sound = False
    if not sound:
        raise NurecoilError(next(_problems(kept, separator)))
    if separator == "," and last is not None and table.shape[1] > last + 1 and "." not in "".join(text):
        _refuse_decimal_commas(kept, last)
    return table


def _refuse_decimal_commas(lines: Sequence[tuple[int, str]], last: int) -> None:
    """Refuse lines in which a comma, the same one in all, may be decimal up to the last column used."""
    rows = [line.split(",") for _, line in lines]
    for i in range(last + 1):
        pairs = [f"{row[i]},{row[i + 1]}" for row in rows]
        if all(map(_MAYBE_DECIMAL.fullmatch, pairs)):
            raise NurecoilError(
                f"'{pairs[0].strip()}' in line {lines[0][0]} may be one number or two, as of"
                f" {len(rows[0])} columns none after column {last} (from 0) is used: write decimals with a"
                " point, part columns by semicolons or blanks, or leave out those that are not used"
            )


def _problems(lines: Sequence[tuple[int, str]], separator: str) -> Iterator[str]:
    """Say which cell of numbered lines is no number, and which line has another number of cells."""
    columns = None
    for n, line in lines:
        cells = [cell.strip() for cell in line.split(separator) if cell or separator != " "]
        for cell in cells:
            if not (_NUMBER.fullmatch(cell) and math.isfinite(float(cell))):
                what, between = repr(cell) if cell else "an empty cell", _SEPARATORS.get(separator, "blanks")
                yield (
                    f"{what} in line {n} is no finite number; cells are parted by {between} in the whole"
                    " file, and decimals follow a point"
                )
        columns = columns or len(cells)
        if len(cells) != columns:
            yield f"line {n} has {len(cells)} cells, those before it {columns}"


def histogram(
    table: Array,
    columns: Mapping[str, int],
    edges: Mapping[str, Sequence[float]],
    weight: int | None = None,
    efficiencies: Mapping[str, Callable[[Array], Array]] | None = None,
) -> Array:
    """Return the rows of a table binned on the axes of `columns`, in the order of `edges`.

    The rows are events, or bin centres with their counts in the column `weight`; those outside of the edges
    are left out. `efficiencies` are a factor for each row, from its position on an axis.
    """
    names = [name for name in edges if name in columns]
    require_columns(table, *columns.values(), *([] if weight is None else [weight]))
    weights = np.ones(len(table)) if weight is None else table[:, weight].copy()
    for name, efficiency in (efficiencies or {}).items():
        weights *= efficiency(table[:, columns[name]])
    positions = [table[:, columns[name]] for name in names]
    inside = np.ones(len(table), dtype=bool)
    for name, position in zip(names, positions, strict=True):  # the last edge is outside, as the others
        inside &= (position >= edges[name][0]) & (position < edges[name][-1])
    counts, _ = np.histogramdd(
        [position[inside] for position in positions],
        [np.asarray(edges[name], dtype=float) for name in names],
        weights=weights[inside],
    )
    return counts


def require_columns(table: Array, *columns: int) -> None:
    """Refuse a table that lacks one of the columns."""
    if table.shape[1] <= max(columns):
        raise NurecoilError(f"column {max(columns)} is asked for, but there are {table.shape[1]} (from 0)")


def require_one_row_each(
    table: Array, columns: Mapping[str, int], edges: Mapping[str, Sequence[float]]
) -> None:
    """Refuse a table of counts with two rows at one position, or with none in some bin."""
    names = [name for name in edges if name in columns]
    positions = table[:, [columns[name] for name in names]]
    _, first, times = np.unique(positions, axis=0, return_index=True, return_counts=True)
    if (times > 1).any():
        row = int(first[times > 1].min())
        shown = ", ".join(f"{x:g}" for x in positions[row])
        raise NurecoilError(f"the position {shown} stands in {int(times.max())} rows, first in row {row + 1}")
    rows = histogram(table, columns, edges)
    if (rows == 0).any():
        empty = zip(names, map(int, np.unravel_index(int(np.argmin(rows)), rows.shape)), strict=True)
        shown = " x ".join(f"{edges[name][i]:g} to {edges[name][i + 1]:g}" for name, i in empty)
        raise NurecoilError(f"there is no row in the bin {shown}; a bin without counts needs a row with 0")


def exponential(edges: Sequence[float], rate: float) -> Array:
    """Return the integrals of e^{-rate·x} over bins, up to a factor."""
    steps = np.asarray(edges, dtype=float)
    if rate == 0:
        return np.diff(steps)
    steps = steps - (steps[0] if rate > 0 else steps[-1])  # so that none overflows, and not all vanish
    return np.diff(-np.expm1(-rate * steps) / rate)


def mirrored(nominal: Array, up: Array) -> Array:
    """Return the shape at -1 of a variation that is given at +1 only: its mirror in the logarithm, s²/up.

    So ln(shape) is linear in the pull, and χ² has one valley in it. A bin that the variation fills or empties
    is left as it is.
    """
    changed = (nominal > 0) & (up > 0)
    return nominal * np.where(changed, nominal, 1.0) / np.where(changed, up, 1.0)
