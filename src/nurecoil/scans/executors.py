"""Where the chunks of a scan are computed: processes of this machine, a Dask cluster, the ranks of MPI."""

import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from nurecoil.checks import require_whole
from nurecoil.errors import NurecoilError
from nurecoil.scans.threads import use_one_thread

_PATIENCE = 5  # seconds to reach a scheduler
_MOST_WORKERS = 1000


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """Yield worker processes of this machine; they end with this process, even if that is killed."""
    from multiprocessing import get_context

    require_whole("workers", workers, 1, _MOST_WORKERS)
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_prepare)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare() -> None:
    """Prepare a worker: one thread for numbers, and one that waits for the parent's end."""
    from threading import Thread

    use_one_thread()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is for the parent to explain
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    from multiprocessing import parent_process

    if parent := parent_process():
        parent.join()
        os._exit(1)


@contextmanager
def dask_cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """Yield the workers of a Dask cluster, such as "tcp://scheduler:8786", and how many there are now."""
    import logging

    if not re.fullmatch(r"([a-z]+://)?[^\s/:]+:\d+", address):
        raise NurecoilError(
            f"--dask '{address}' is no address of a scheduler: write it as tcp://scheduler:8786"
        )
    try:
        from distributed import Client
    except ImportError:
        raise NurecoilError("--dask needs Dask: pip install 'nurecoil[cluster]'") from None
    for name in [n for n in logging.root.manager.loggerDict if n.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is said in one sentence
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise NurecoilError(
            f"cannot reach a Dask scheduler at {address} within {_PATIENCE} s: {_first_line(error)}"
        ) from None
    with client:
        pool = client.get_executor(pure=False)
        try:
            yield pool, len(client.scheduler_info()["workers"])
        finally:
            pool.shutdown(wait=False)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def mpi_ranks() -> Iterator[Executor | None]:
    """Yield the other ranks of MPI as workers on rank 0, and None on those once there is no more to do."""
    try:
        from mpi4py import MPI
        from mpi4py.futures import MPICommExecutor
    except (ImportError, RuntimeError) as error:  # RuntimeError: there is mpi4py, but no MPI
        raise NurecoilError(
            f"--mpi needs mpi4py and an MPI library ({_first_line(error)}): pip install 'nurecoil[mpi]'"
        ) from None
    if MPI.COMM_WORLD.Get_size() < 2:
        raise NurecoilError("--mpi has no workers: start several ranks, mpiexec -n 8 nurecoil ... --mpi")
    executor: Any  # mpi4py's own Executor
    with MPICommExecutor(MPI.COMM_WORLD, root=0) as executor:
        yield executor
