"""Counts and shapes from data files: columns of numbers, binned on named axes."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nurecoil.errors import NurecoilError

Array = NDArray[np.float64]


def read_columns(path: Path) -> Array:
    """Return the numbers of a text file, shape (rows, columns); commas or blanks part them, # comments.

    Raises
    ------
    NurecoilError
        If the file cannot be read, holds no numbers, or one that is not finite: with its row.
    """
    try:
        lines = path.read_text(encoding="utf-8").replace(",", " ").splitlines()
        with warnings.catch_warnings(action="error"):
            table = np.loadtxt(lines, ndmin=2)
    except OSError as error:
        raise NurecoilError(f"cannot read the data file {path}: {error.strerror}") from None
    except (ValueError, UserWarning) as error:
        raise NurecoilError(f"the data file {path} is not a table of numbers: {error}") from None
    bad = ~np.isfinite(table).all(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise NurecoilError(f"the data file {path} has a number that is not finite in row {row + 1}")
    return table


def histogram(
    table: Array,
    columns: Mapping[str, int],
    edges: Mapping[str, Sequence[float]],
    weight: int | None = None,
    efficiencies: Mapping[str, Callable[[Array], Array]] | None = None,
) -> Array:
    """Return the rows of a table binned on the axes of `columns`, in the order of `edges`.

    Parameters
    ----------
    table : ndarray, shape (rows, columns)
        Events, or bin centres with their counts.
    columns : mapping
        The column of each axis.
    edges : mapping
        The bin edges of each axis; rows outside are left out.
    weight : int, optional
        The column of the counts; each row counts one without it.
    efficiencies : mapping, optional
        A factor for each row, from its position on an axis.
    """
    names = [name for name in edges if name in columns]
    highest = max([*columns.values(), -1 if weight is None else weight])
    if table.shape[1] <= highest:
        raise NurecoilError(f"column {highest} is asked for, but there are {table.shape[1]} (from 0)")
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


def require_one_row_each(
    table: Array, columns: Mapping[str, int], edges: Mapping[str, Sequence[float]]
) -> None:
    """Refuse a table of counts with two rows at one position, or with none in some bin."""
    names = [name for name in edges if name in columns]
    positions = table[:, [columns[name] for name in names]]
    bins = [np.asarray(edges[name], dtype=float) for name in names]
    _, first, times = np.unique(positions, axis=0, return_index=True, return_counts=True)
    if (times > 1).any():
        row = int(first[times > 1].min())
        shown = ", ".join(f"{x:g}" for x in positions[row])
        raise NurecoilError(f"the position {shown} stands in {int(times.max())} rows, first in row {row + 1}")
    rows, _ = np.histogramdd(positions, bins)
    if (rows == 0).any():
        bin_ = np.unravel_index(int(np.argmin(rows)), rows.shape)
        shown = " x ".join(f"{e[i]:g} to {e[i + 1]:g}" for e, i in zip(bins, bin_, strict=True))
        raise NurecoilError(f"there is no row in the bin {shown}; a bin without counts needs a row with 0")


def exponential(edges: Sequence[float], rate: float) -> Array:
    """Return the integrals of e^{-rate·x} over bins, up to a factor."""
    steps = np.asarray(edges, dtype=float)
    if rate == 0:
        return np.diff(steps)
    return -np.diff(np.exp(-rate * steps)) / rate


def mirrored(nominal: Array, up: Array) -> Array:
    """Return the shape at -1 of a variation that is given at +1 only: its mirror in the logarithm, s²/up.

    So ln(shape) is linear in the pull, and χ² has one valley in it. A bin that the variation fills or empties is
    left as it is.
    """
    changed = (nominal > 0) & (up > 0)
    return nominal * np.where(changed, nominal, 1.0) / np.where(changed, up, 1.0)
