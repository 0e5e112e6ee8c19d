"""The result of a scan as a netCDF-4 file, written piece by piece and read with xarray.

The same content gives the same bytes: nothing is compressed, HDF5 keeps no times, and no attribute says when,
where or in how many attempts the file was made.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nurecoil.errors import NurecoilError
from nurecoil.scans.grid import Axis, Grid
from nurecoil.scans.work import Table

Hyperslab = tuple[slice, ...]


@dataclass(frozen=True)
class Summary:
    """The lowest χ², the number of its point, whether χ² is flat, and how many points did not converge."""

    minimum: float
    best: int
    flat: bool
    not_converged: int


def require_netcdf() -> None:
    """Refuse to begin what could not be written."""
    try:
        import netCDF4  # noqa: F401
    except ImportError:
        raise NurecoilError("netCDF files need netCDF4: pip install 'nurecoil[scan]'") from None


def write_netcdf(
    path: Path,
    grid: Grid,
    columns: np.dtype[np.void],
    tables: Iterator[Table],
    summary: Summary,
    identity: Mapping[str, object],
    attributes: Mapping[str, str],
) -> None:
    """Write all tables, in their order, as the variables of a file.

    Parameters
    ----------
    columns
        "chi2", which is written as `delta_chi2`, "converged", and others by their names.
    tables
        The columns at all points in C order, in pieces of any size.
    summary, identity, attributes
        What is written as attributes of the file, the first two for `read_attribute`.
    """
    from netCDF4 import Dataset

    with Dataset(path, "w", format="NETCDF4") as file:
        for name, text in attributes.items():
            file.setncattr(name, text)
        file.setncattr("best_fit", _json(grid.point(summary.best)))
        file.setncattr("chi2_minimum", summary.minimum)
        file.setncattr("points_not_converged", np.int64(summary.not_converged))
        file.setncattr("summary", _json(vars(summary)))
        file.setncattr("identity", _json(identity))
        for axis in grid.axes:
            _write_axis(file, axis)
        variables = {name: _variable(file, grid, name) for name in columns.names or ()}
        first = 0
        for table in tables:
            last = first + len(table)
            for where, rows in hyperslabs(grid.shape, first, last):
                for name, variable in variables.items():
                    values = table[name][rows]
                    shape = tuple(part.stop - part.start for part in where)
                    variable[where] = _stored(name, values, summary).reshape(shape)
            first = last


def hyperslabs(shape: Sequence[int], first: int, last: int) -> Iterator[tuple[Hyperslab, slice]]:
    """Yield the boxes that together are the points `first` to `last` (excluded), and their rows from 0.

    >>> [where for where, _ in hyperslabs((3, 4), 2, 9)]
    [(slice(0, 1, None), slice(2, 4, None)), (slice(1, 2, None), slice(0, 4, None)),
     (slice(2, 3, None), slice(0, 1, None))]
    """
    at = first
    while at < last:
        # along the first axis on which whole rows begin here and fit, as many of these as it has
        sizes = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        axis = next(axis for axis, size in enumerate(sizes) if at % size == 0 and at + size <= last)
        index = [int(number) for number in np.unravel_index(at, shape)]
        count = min(shape[axis] - index[axis], (last - at) // sizes[axis])
        single = [slice(number, number + 1) for number in index[:axis]]
        where = (*single, slice(index[axis], index[axis] + count), *(slice(0, n) for n in shape[axis + 1 :]))
        size = count * sizes[axis]
        yield where, slice(at - first, at - first + size)
        at += size


def read_attribute(path: Path, name: str) -> dict[str, Any]:
    """Return what a finished scan found, "summary", or what decided its numbers, "identity"."""
    from netCDF4 import Dataset

    try:
        with Dataset(path) as file:
            found: dict[str, Any] = json.loads(file.getncattr(name))
            return found
    except (OSError, AttributeError):
        raise NurecoilError(f"{path} exists, and is no scan of nurecoil: give another output") from None


def _write_axis(file: Any, axis: Axis) -> None:
    points = axis.ticks.points
    file.createDimension(axis.name, points)
    variable = file.createVariable(axis.name, "f8", (axis.name,), contiguous=True, fill_value=False)
    variable.setncatts(dict(axis.attributes))
    variable[:] = axis.ticks.at(np.arange(points))


def _variable(file: Any, grid: Grid, name: str) -> Any:
    names = tuple(axis.name for axis in grid.axes)
    kind = "i1" if name == "converged" else "f8"
    stored = "delta_chi2" if name == "chi2" else name
    variable = file.createVariable(stored, kind, names, contiguous=True, fill_value=False)
    variable.setncatts(_DESCRIPTIONS.get(name, {"long_name": f"{name} at its best at each point"}))
    return variable


_DESCRIPTIONS = {
    "chi2": {"long_name": "chi2 above its minimum on the grid, nuisance parameters profiled", "units": "1"},
    "converged": {"long_name": "whether the nuisance parameters converged", "dtype": "bool"},
}


def _stored(name: str, values: NDArray[Any], summary: Summary) -> NDArray[Any]:
    if name == "chi2":
        return np.asarray(values - summary.minimum)
    return values.astype("i1") if name == "converged" else values


def _json(tree: object) -> str:
    return json.dumps(tree, ensure_ascii=False)
