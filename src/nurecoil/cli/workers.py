"""Where a command computes: in this process, in others, on a Dask cluster, or on the ranks of MPI."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from nurecoil.errors import NurecoilError

if TYPE_CHECKING:
    from concurrent.futures import Executor

WORKERS = (
    click.Option(
        ["--workers"], type=int, metavar="N", help="Worker processes.", show_default="compute in this one"
    ),
    click.Option(["--dask"], metavar="ADDRESS", help="Address of a Dask scheduler."),
    click.Option(["--mpi"], is_flag=True, help="Use the ranks of MPI."),
)


@contextmanager
def executor(workers: int | None, dask: str | None, mpi: bool) -> "Iterator[tuple[Executor | None, bool]]":
    """Yield where to compute, and whether this process is itself a worker, whose work is then done."""
    from nurecoil.scans import executors

    if sum([workers is not None, dask is not None, mpi]) > 1:
        raise NurecoilError("--workers, --dask and --mpi exclude one another: give one of them")
    if workers is not None:
        with executors.processes(workers) as pool:
            yield pool, False
    elif dask is not None:
        with executors.dask_cluster(dask) as (pool, count):
            if not count:
                print(f"The Dask scheduler has no workers yet: waiting for them at {dask}", file=sys.stderr)
            yield pool, False
    elif mpi:
        with executors.mpi_ranks() as ranks:
            yield ranks, ranks is None
    else:
        yield None, False
