"""Scans: a function on a grid of any size, on one core or a cluster, into one file.

This package sees no physics: it is given a function of points. It computes chunks wherever an executor of
`concurrent.futures` runs them, keeps what is finished, and goes on from there after being killed.

- `grid`: axes, and points that are generated as they are needed;
- `work`: what travels to a worker, and `threads`, the one that it may use;
- `checkpoint`: finished chunks on disk;
- `netcdf`: the result as a file;
- `running`: from beginning to end;
- `executors`: processes, Dask, MPI.
"""

from nurecoil.scans.grid import Axis, Grid, Listed, Spaced
from nurecoil.scans.running import Outcome, run
from nurecoil.scans.threads import OneThread

__all__ = ["Axis", "Grid", "Listed", "OneThread", "Outcome", "Spaced", "run"]
