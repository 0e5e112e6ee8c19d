"""A scan from its beginning, or from where it was killed, to its file."""

import math
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nurecoil.errors import NurecoilError
from nurecoil.progress import in_steps, tell
from nurecoil.scans import checkpoint as saved
from nurecoil.scans.checkpoint import Checkpoint
from nurecoil.scans.grid import Grid
from nurecoil.scans.netcdf import Summary, read_attribute, require_netcdf, write_netcdf
from nurecoil.scans.work import Evaluate, Table, Work, compute, fill, seconds_per_block

_CHUNK_BYTES = 32_000_000  # at most in a chunk
_BYTES_IN_FLIGHT = 512_000_000  # at most in chunks that are sent out
_IN_FLIGHT = 256  # at most chunks that are sent out
_MOST_CHUNKS = 10_000  # of a scan, which are so many files
_MOST_POINTS = 10**12
_SUFFIXES = (".nc", ".nc4", ".h5", ".hdf5")  # netCDF-4 is HDF5
_PROBES = 16  # points that tell whether a scan that is resumed computes the same


@dataclass(frozen=True)
class Outcome:
    """What a scan found, in how many chunks it was computed, and how many of those were there from before."""

    summary: Summary
    chunks: int
    resumed: int


def run(
    evaluate: Evaluate,
    grid: Grid,
    output: Path,
    *,
    identity: Mapping[str, object],
    attributes: Mapping[str, str],
    extra: tuple[str, ...] = (),
    executor: Executor | None = None,
    restart: bool = False,
    seconds: float = 0.5,
) -> Outcome:
    """Evaluate a function on a grid and write the result to a netCDF-4 file.

    A scan that was killed is resumed, see `nurecoil.verbs.scan`.

    Parameters
    ----------
    evaluate : callable
        From points (P, N), in the axes' units, to columns (P,): "chi2", "converged", and those of `extra`.
        It must be picklable.
    identity, attributes : mapping
        What decides the numbers: a scan under another identity is not resumed. What is to be written into
        the file besides.
    extra : tuple of str
        Names of more columns of numbers to keep.
    seconds : float
        Of work in a chunk, roughly: with half a second, sending it to a worker and back costs nothing.

    Raises
    ------
    NurecoilError
        If χ² is not a number somewhere, if the output cannot be written or belongs to another scan, and if
        workers were lost.
    """
    from threadpoolctl import threadpool_limits

    require_netcdf()
    if grid.size > _MOST_POINTS:
        raise NurecoilError(f"a scan of {grid.size:.3g} points is not allowed: at most {_MOST_POINTS:.0e}")
    require_place(output)
    work, folder = Work.of(evaluate, grid, extra), output.with_name(output.name + ".partial")
    try:
        whole = {
            "grid": {axis.name: axis.ticks.description() for axis in grid.axes},
            **identity,
            "columns": list(work.columns.names or ()),
            "versions": dict(work.versions),
            "probe": _probe(work, evaluate),
        }
        # not before the probe, which loads what there is to be limited
        with saved.locked(folder), threadpool_limits(limits=1):
            return _run(
                _Task(work, output, folder, _ThisProcess() if executor is None else executor),
                whole,
                attributes,
                restart,
                seconds,
            )
    except OSError as error:
        raise NurecoilError(f"cannot write to '{output}': {error.strerror or error}") from error


@dataclass(frozen=True)
class _Task:
    """What is computed where."""

    work: Work
    output: Path
    folder: Path
    executor: Executor


def _run(
    task: _Task, identity: Mapping[str, object], attributes: Mapping[str, str], restart: bool, seconds: float
) -> Outcome:
    work, output, folder = task.work, task.output, task.folder
    manifest = None if restart else saved.read_manifest(folder)
    if manifest is None:
        if output.exists() and not restart:
            return _finished(task, identity)
        saved.clear(folder)
        _require_space(output, work)
        manifest = {"identity": dict(identity), "chunk": _points_per_chunk(task, seconds)}
        saved.write_manifest(folder, manifest)
    first = manifest["identity"]  # its probe, where this one is rounded otherwise
    saved.require_same(folder, first, identity, "finish that one with its own command")
    chunks = Checkpoint(folder, work.columns, work.grid.size, manifest["chunk"])
    found = _compute_missing(task, chunks)
    summary = _summary(chunks)
    unfinished = folder / "result.writing"
    write_netcdf(unfinished, work.grid, work.columns, chunks.tables(), summary, first, attributes)
    saved.finish(unfinished, output)
    saved.clear(folder)
    return Outcome(summary, chunks.count, found)


def _compute_missing(task: _Task, chunks: Checkpoint) -> int:
    """Compute and keep the chunks that are missing; return how many were there."""
    missing = [chunk for chunk in range(chunks.count) if chunks.read(chunk) is None]
    found = chunks.count - len(missing)
    points = chunks.size - sum(len(chunks.rows(chunk)) for chunk in missing)
    if found:
        tell(f"resumed: {found} of {chunks.count} chunks were there")
    with in_steps(chunks.size - points) as begin:
        for chunk, table in _sent_out(task, chunks, iter(missing)):
            chunks.write(chunk, table)
            points += len(table)
            begin("", len(table))
            begin(f"{points} of {chunks.size} points", 0.0)
    return found


def _finished(task: _Task, identity: Mapping[str, object]) -> Outcome:
    """Return the outcome of a scan that was finished before."""
    old = read_attribute(task.output, "identity")
    saved.require_same(task.output, old, identity, "give another output")
    tell("the file was there already, from the same scan")
    return Outcome(Summary(**read_attribute(task.output, "summary")), 0, 0)


def _summary(chunks: Checkpoint) -> Summary:
    """Return what is found on the whole grid; the first of several points that are as low is the best."""
    minimum, best, highest, bad = math.inf, 0, -math.inf, 0
    for chunk, table in enumerate(chunks.tables()):
        chi2 = table["chi2"]
        at = int(np.argmin(chi2))
        if chi2[at] < minimum:
            minimum, best = float(chi2[at]), chunks.rows(chunk)[at]
        highest = max(highest, float(chi2.max()))
        bad += int(np.count_nonzero(~table["converged"]))
    if math.isinf(minimum):
        raise NurecoilError("χ² is infinite at every point of the scan: no point is allowed")
    return Summary(minimum, best, highest == minimum, bad)


def _sent_out(task: _Task, chunks: Checkpoint, missing: Iterator[int]) -> Iterator[tuple[int, Table]]:
    """Yield chunks as they are finished, a bounded number of them being sent out at a time."""
    size = chunks.length * task.work.columns.itemsize
    limit = min(_IN_FLIGHT, max(2, _BYTES_IN_FLIGHT // size))
    if isinstance(task.executor, _ThisProcess):
        limit = 1
    sent: dict[Future[Table], int] = {}
    try:
        while True:
            with _lost_workers(task.folder):
                while len(sent) < limit and (chunk := next(missing, None)) is not None:
                    rows = chunks.rows(chunk)
                    sent[task.executor.submit(compute, task.work, rows.start, rows.stop)] = chunk
            if not sent:
                return
            for future in sorted(wait(sent, return_when=FIRST_COMPLETED).done, key=_failed):
                with _lost_workers(task.folder):
                    chunk, table = sent.pop(future), future.result()
                yield chunk, table
    finally:
        for future in sent:
            future.cancel()


def _failed(future: Future[Table]) -> bool:
    return future.cancelled() or future.exception() is not None


def _points_per_chunk(task: _Task, seconds: float) -> int:
    """Return a whole number of blocks: enough work to be worth sending, little enough to be kept at hand."""
    with _lost_workers(task.folder):
        per_block = task.executor.submit(seconds_per_block, task.work).result()
    block, size = task.work.grid.block, task.work.grid.size
    enough = max(seconds / per_block, size / _MOST_CHUNKS / block)
    most = max(1, _CHUNK_BYTES // (block * task.work.columns.itemsize))
    return min(math.ceil(enough), most) * block


def _probe(work: Work, evaluate: Evaluate) -> list[float | None]:
    """Return χ² at points that are spread over the grid; None where it is infinite."""
    numbers = np.unique(np.linspace(0, work.grid.size - 1, _PROBES).astype(np.int64))
    table = np.empty(len(numbers), work.columns)
    fill(table, evaluate, work.grid, numbers)
    return [x if math.isfinite(x) else None for x in table["chi2"].tolist()]


class _ThisProcess(Executor):
    """Computes what is submitted at once."""

    def submit(self, function, /, *arguments, **named):  # type: ignore[no-untyped-def]
        """Return a future that is done."""
        future: Future[object] = Future()
        future.set_result(function(*arguments, **named))
        return future


@contextmanager
def _lost_workers(folder: Path) -> Iterator[None]:
    """Say in one sentence that workers are gone, and that nothing else is."""
    try:
        yield
    except Exception as error:
        if isinstance(error, BrokenExecutor):
            what = "a worker process died (killed, or out of memory)"
        elif isinstance(error, CancelledError):
            what = "the scheduler is gone, or has cancelled the work"
        elif isinstance(error, ImportError):
            what = f"a worker lacks a module ({error})"
        elif type(error).__module__.startswith("distributed"):
            what = f"Dask gave up ({error})"
        elif isinstance(error, OSError):
            what = f"a worker failed ({error})"
        else:
            raise
        raise NurecoilError(
            f"{what}: finished chunks are kept in {folder}, and the same command goes on from there"
        ) from error


def require_place(output: Path) -> None:
    """Refuse an output that cannot be written before anything is computed."""
    folder = output.parent
    if not folder.is_dir():
        raise NurecoilError(f"cannot write to '{output}': there is no folder '{folder}'")
    if output.is_dir():
        raise NurecoilError(f"cannot write to '{output}': it is a directory, not a file")
    if output.suffix.lower() not in _SUFFIXES:
        raise NurecoilError(f"cannot write a scan to '{output}': the file must end in {', '.join(_SUFFIXES)}")
    if not os.access(folder, os.W_OK):
        raise NurecoilError(f"cannot write to '{output}': permission denied")


def _require_space(output: Path, work: Work) -> None:
    """Refuse more points than the disk can hold, once in chunks and once in the result."""
    needed, free = 2 * work.grid.size * work.columns.itemsize, shutil.disk_usage(output.parent).free
    if needed > free:
        raise NurecoilError(
            f"the scan needs {needed / 1e9:.3g} GB in '{output.parent}', where {free / 1e9:.3g} GB are free:"
            " ask for fewer points"
        )
