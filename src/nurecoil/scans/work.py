"""The work of a scan, as it travels to a worker: a function, a grid, and which of its points."""

import pickle
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nurecoil._version import __version__
from nurecoil.errors import NurecoilError
from nurecoil.scans.grid import Grid
from nurecoil.scans.threads import here, use_one_thread

Columns = Mapping[str, NDArray[Any]]
Evaluate = Callable[[NDArray[np.float64]], Columns]
Table: TypeAlias = NDArray[np.void]  # one record a point; its fields are the columns

_LONG_ENOUGH = 5.0  # seconds: who takes longer is not timed twice


def versions() -> dict[str, str]:
    """Return the versions that decide a number to its last bit, as far as versions can."""
    return {"nurecoil": __version__, "numpy": np.__version__}


@dataclass(frozen=True)
class Work:
    """A function to be evaluated on a grid.

    Attributes
    ----------
    pickled, extra
        The function: points (P, N) → columns (P,), "chi2", "converged" and numbers of these further names.
    home, versions
        Where the scan runs and with which versions; a worker with others is refused.
    """

    pickled: bytes
    grid: Grid
    extra: tuple[str, ...]
    home: tuple[str, int]
    versions: Mapping[str, str]

    @classmethod
    def of(cls, evaluate: Evaluate, grid: Grid, extra: tuple[str, ...] = ()) -> "Work":
        """Pack a function."""
        return cls(_pickled(evaluate), grid, extra, here(), versions())

    @property
    def columns(self) -> np.dtype[np.void]:
        """The names and types of the columns."""
        return np.dtype([("chi2", "<f8"), ("converged", "?"), *((name, "<f8") for name in self.extra)])


def compute(work: Work, first: int, last: int) -> Table:
    """Return the columns at the points numbered `first` to `last` (excluded), block by block.

    Where χ² is NaN or -inf, and on a worker with other versions, it is a NurecoilError.
    """
    evaluate = _ready(work)
    table = np.empty(last - first, work.columns)
    for begin in range(first, last, work.grid.block):
        end = min(begin + work.grid.block, last)
        fill(table[begin - first : end - first], evaluate, work.grid, np.arange(begin, end))
    return table


def fill(table: Table, evaluate: Evaluate, grid: Grid, numbers: NDArray[np.int64]) -> None:
    """Write the columns at the points of these numbers into a table, checked."""
    columns = evaluate(grid.select(numbers))
    for name in table.dtype.names or ():
        table[name] = columns[name]
    bad = np.isnan(table["chi2"]) | np.isneginf(table["chi2"])
    if bad.any():
        row = int(np.argmax(bad))
        at = ", ".join(
            f"{axis.name} = {grid.point(int(numbers[row]))[axis.name]!r} {axis.attributes.get('units', '')}"
            for axis in grid.axes
        )
        raise NurecoilError(f"χ² is {table['chi2'][row]} at {at.strip()}: it must be a number everywhere")


def seconds_per_block(work: Work) -> float:
    """Return how long one block takes, the shorter of two times: the first may have to get ready."""
    evaluate, last = _ready(work), min(work.grid.block, work.grid.size)
    times: list[float] = []
    while not times or (len(times) < 2 and times[0] < _LONG_ENOUGH):
        start = time.perf_counter()
        fill(np.empty(last, work.columns), evaluate, work.grid, np.arange(last))
        times.append(time.perf_counter() - start)
    return min(times)


def _pickled(evaluate: Evaluate) -> bytes:
    try:
        from cloudpickle import dumps  # also packs what a script or a notebook defines
    except ImportError:
        from pickle import dumps
    try:
        return bytes(dumps(evaluate))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NurecoilError(
            f"what is scanned cannot be sent to workers: {error}; define it in a module"
        ) from None


def _ready(work: Work) -> Evaluate:
    """Return the function, on a worker that has the right versions and uses one thread."""
    if here() != work.home:
        if versions() != work.versions:
            raise NurecoilError(
                f"the worker {platform.node()} has {_listed(versions())}, but the scan has"
                f" {_listed(work.versions)}: install the same versions everywhere"
            )
        use_one_thread()
    return _loaded(work.pickled)


def _listed(versions: Mapping[str, str]) -> str:
    return " and ".join(f"{name} {version}" for name, version in versions.items())


@lru_cache(maxsize=1)  # tasks of one scan bring the same function
def _loaded(pickled: bytes) -> Evaluate:
    evaluate: Evaluate = pickle.loads(pickled)
    return evaluate
