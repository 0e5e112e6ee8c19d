"""Scans: the same bytes, whatever happens and wherever they are computed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import xarray
from hypothesis import given
from hypothesis import strategies as st

from fake_scan import GRID, Bowl, bowl
from nurecoil import NurecoilError
from nurecoil.scans import Axis, Grid, Listed, OneThread, Spaced, executors, running, work
from nurecoil.scans.checkpoint import Checkpoint
from nurecoil.scans.netcdf import hyperslabs

CHUNKS = 5  # of the fake scan
SCRIPT = Path(__file__).with_name("fake_scan.py")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return the bytes of a scan that nothing disturbed."""
    output = tmp_path_factory.mktemp("scan") / "x.nc"
    bowl(output)
    return output.read_bytes()


def chunks_of(output):
    return sorted(output.with_name(output.name + ".partial").glob("*.chunk"))


def is_alone(output):
    """Return whether nothing is left beside an output."""
    return [path.name for path in output.parent.iterdir()] == [output.name]


class Stopped(Exception):
    pass


def after_each_chunk(act):
    """Return a context in which `act` is called with the number of finished chunks whenever one is kept."""
    write, kept = Checkpoint.write, []

    def write_and_act(checkpoint, chunk, table):
        write(checkpoint, chunk, table)
        kept.append(chunk)
        act(len(kept))

    return patch.object(Checkpoint, "write", write_and_act)


def stopped_after(chunks):
    """Return a context in which a scan is stopped after so many chunks."""

    def stop(kept):
        if kept == chunks:
            raise Stopped

    return after_each_chunk(stop)


@contextmanager
def begun(output, chunks=3, **more):
    """Leave a scan with so many chunks finished."""
    with pytest.raises(Stopped), stopped_after(chunks):
        bowl(output, **more)
    assert len(chunks_of(output)) == chunks
    assert not output.exists()
    yield output


# --- the grid -----------------------------------------------------------------------------------------


def test_points_are_those_of_a_mesh_in_c_order():
    axes = np.linspace(-2, 2, 13), np.geomspace(0.1, 10, 23)
    mesh = np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=1)
    assert GRID.points(0, GRID.size) == pytest.approx(mesh, rel=1e-14, abs=1e-15)
    assert GRID.points(100, 130).tolist() == GRID.points(0, GRID.size)[100:130].tolist()


@given(
    low=st.floats(1e-12, 1e3), factor=st.floats(1.001, 1e12), points=st.integers(2, 1000), log=st.booleans()
)
def test_a_range_holds_its_ends_and_nothing_beyond(low, factor, points, log):
    values = Spaced(low, low * factor, points, log).at(np.arange(points))
    assert (values[0], values[-1]) == (low, low * factor)
    assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize(
    ("size", "block"), [(1, 64), (2048, 64), (10_000, 256), (10**6, 16384), (10**9, 32768)]
)
def test_blocks_depend_on_the_size_alone(size, block):
    assert Grid((Axis("a", Spaced(0.0, 1.0, max(size, 2))),)).block == block


@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data())
def test_hyperslabs_are_the_points_between_once_each(shape, data):
    size = int(np.prod(shape))
    first, last = sorted(data.draw(st.tuples(st.integers(0, size), st.integers(0, size))))
    numbers = np.arange(size).reshape(shape)
    boxes = list(hyperslabs(shape, first, last))
    assert [n for box, _ in boxes for n in numbers[box].ravel()] == list(range(first, last))
    assert [n for _, rows in boxes for n in range(rows.start, rows.stop)] == list(range(last - first))
    assert len(boxes) <= 2 * len(shape) - 1


@pytest.mark.parametrize(
    ("axes", "text"),
    [
        (lambda: (), "at least one axis"),
        (lambda: (Axis("a", Listed((1.0,))), Axis("a", Listed((2.0,)))), "not all different"),
        (lambda: (Axis("a", Spaced(2.0, 1.0, 5)),), "low < high"),
        (lambda: (Axis("a", Spaced(1.0, float("nan"), 5)),), "low < high"),
        (lambda: (Axis("a", Spaced(0.0, 1.0, 5, log=True)),), "low = 0.0 is not allowed: it must be above 0"),
        (lambda: (Axis("a", Spaced(0.0, 1.0, 1)),), "points = 1 is not allowed"),
        (lambda: (Axis("a", Listed((2.0, 1.0))),), "ascending"),
    ],
)
def test_a_grid_that_is_none(axes, text):
    with pytest.raises(NurecoilError, match=text):
        Grid(axes())


# --- the file -----------------------------------------------------------------------------------------


def test_the_file_says_everything(tmp_path):
    outcome = bowl(tmp_path / "x.nc", extra=("extra",))
    assert is_alone(tmp_path / "x.nc")
    with xarray.open_dataset(tmp_path / "x.nc") as data:
        a, b = data.a, data.b
        chi2 = 3 + a**2 + np.log(b) ** 2
        assert data.delta_chi2.dims == ("a", "b")
        assert abs(data.delta_chi2 + data.chi2_minimum - chi2).max() < 1e-10
        assert (data.converged == (a > -2)).all()
        assert data.converged.dtype == bool
        assert abs(data.extra - a * b).max() == 0
        assert data.a.units == "TeV"
        assert data.points_not_converged == outcome.summary.not_converged == 23
        assert json.loads(data.best_fit) == pytest.approx({"a": 0, "b": 1}, abs=1e-12)
        assert data.chi2_minimum == outcome.summary.minimum == pytest.approx(3)
        identity = json.loads(data.identity)
    assert identity["model"] == "bowl"
    assert identity["versions"] == work.versions()
    assert identity["grid"]["b"] == {"low": 0.1, "high": 10, "points": 23, "spacing": "log"}


def test_the_length_of_chunks_changes_nothing(tmp_path, expected):
    outcome = bowl(tmp_path / "x.nc", seconds=60)
    assert outcome.chunks == 1
    assert (tmp_path / "x.nc").read_bytes() == expected


def test_a_chunk_is_as_much_work_as_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "seconds_per_block", lambda work: 0.1)
    assert bowl(tmp_path / "x.nc", seconds=0.19).chunks == 3  # of 2 blocks each, of 5


def test_workers_change_nothing(tmp_path, expected):
    with executors.processes(2) as pool:
        bowl(tmp_path / "x.nc", pool)
    assert (tmp_path / "x.nc").read_bytes() == expected


def test_threads_change_nothing(tmp_path, expected):
    with ThreadPoolExecutor(3) as pool:
        bowl(tmp_path / "x.nc", pool)
    assert (tmp_path / "x.nc").read_bytes() == expected


@dataclass(frozen=True)
class Threads:
    """χ² is the largest number of threads of any BLAS, with one that is loaded late."""

    def __call__(self, points):
        import scipy.linalg  # noqa: F401
        from threadpoolctl import threadpool_info

        threads = max(library["num_threads"] for library in threadpool_info())
        return {"chi2": np.full(len(points), float(threads)), "converged": np.ones(len(points), bool)}


@pytest.mark.parametrize("where", ["here", "processes"])
def test_each_worker_has_one_thread(tmp_path, where):
    if where == "here":
        outcome = bowl(tmp_path / "x.nc", evaluate=Threads())
    else:
        with executors.processes(1) as pool:
            outcome = bowl(tmp_path / "x.nc", pool, evaluate=Threads())
    assert outcome.summary.minimum == 1
    assert outcome.summary.flat


def numba_threads():
    """Return how many threads the loops of the fast engine have."""
    import numba

    return numba.get_num_threads()


def test_toys_on_any_worker_have_one_thread_of_numba():
    pytest.importorskip("numba")
    alone = OneThread(numba_threads)
    assert alone() == numba_threads()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # of no scan
        assert pool.submit(alone).result() == 1
        assert pool.submit(numba_threads).result() == 1
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # which has loaded numba before
        assert pool.submit(numba_threads).result() == numba_threads()
        assert pool.submit(alone).result() == 1


class Counting(ThreadPoolExecutor):
    """Remember how many chunks were sent out and not done, at most."""

    sent, most = (), 0

    def submit(self, function, /, *arguments):
        future = super().submit(function, *arguments)
        self.sent = [*(one for one in self.sent if not one.done()), future]
        self.most = max(self.most, len(self.sent))
        return future


def test_no_more_chunks_are_sent_out_than_fit_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_BYTES_IN_FLIGHT", 3 * GRID.block * 9)
    with Counting(1) as counting:
        bowl(tmp_path / "x.nc", counting, evaluate=Bowl(seconds=0.02))
    assert counting.most == 3


# --- killed and resumed -------------------------------------------------------------------------------


def test_killed_at_any_moment(tmp_path, expected):
    """Each system call that changes a file is the last one once; what was finished is not done again."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "sweep", tmp_path], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    blocks = [int(blocks) for blocks, _ in lines]
    assert {state for _, state in lines} == {"whole"}
    files = list(tmp_path.glob("*/x.nc"))
    assert len(files) == len(blocks) > 30
    assert {sha256(path.read_bytes()).digest() for path in files} == {sha256(expected).digest()}
    assert max(blocks) <= min(blocks) + 2  # the chunk in hand, or the trial
    assert all(sorted(p.name for p in path.parent.iterdir()) == ["log", "x.nc"] for path in files)


def test_killed_with_its_workers(tmp_path, expected):
    output = tmp_path / "x.nc"
    with subprocess.Popen([sys.executable, SCRIPT, "run", output, "2"], start_new_session=True) as process:
        wait_for(lambda: chunks_of(output))
        os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not group_lives(process.pid))
    found = len(chunks_of(output))
    assert 0 < found < CHUNKS
    assert bowl(output).resumed == found
    assert output.read_bytes() == expected
    assert is_alone(output)


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def group_lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("damage", ["cut", "flipped", "swapped", "empty", "gone"])
def test_a_damaged_chunk_is_computed_again(tmp_path, expected, damage):
    with begun(tmp_path / "x.nc") as output:
        first, second, _ = chunks_of(output)
        content = first.read_bytes()
        if damage == "cut":
            first.write_bytes(content[:-1])
        elif damage == "flipped":
            first.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
        elif damage == "swapped":
            first.write_bytes(second.read_bytes())
        elif damage == "empty":
            first.write_bytes(b"")
        else:
            first.unlink()
    assert bowl(output).resumed == 2
    assert output.read_bytes() == expected


def test_a_scan_resumes_with_the_chunks_it_began_with(tmp_path, expected):
    with begun(tmp_path / "x.nc") as output:
        assert bowl(output, seconds=60).chunks == CHUNKS
    assert output.read_bytes() == expected


@dataclass(frozen=True)
class Deeper(Bowl):
    """The same bowl after somebody edited it."""

    def __call__(self, points):
        columns = super().__call__(points)
        return {**columns, "chi2": columns["chi2"] * 1.001}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"identity": {"model": "cup"}}, "model was bowl and is cup"),
        ({"evaluate": Deeper()}, "χ² is not what it was at the same points"),
        ({"extra": ("extra",)}, "columns was"),
    ],
)
def test_other_conventions_are_refused(tmp_path, expected, change, text):
    with begun(tmp_path / "x.nc") as output:
        with pytest.raises(NurecoilError, match=f"{text}.* start afresh with --restart") as refusal:
            bowl(output, **change)
        assert "finish that one with its own command" in str(refusal.value)
        assert len(chunks_of(output)) == 3
        assert bowl(output, restart=True, **change).resumed == 0
    assert output.read_bytes() != expected


def test_other_versions_are_refused(tmp_path, monkeypatch):
    with begun(tmp_path / "x.nc") as output:
        monkeypatch.setattr(work, "versions", lambda: {"nurecoil": "9", "numpy": np.__version__})
        with pytest.raises(NurecoilError, match=r"versions\.nurecoil was .* and is 9"):
            bowl(output)


def test_another_rounding_is_the_same_scan(tmp_path):
    with begun(tmp_path / "x.nc") as output:
        manifest = output.with_name("x.nc.partial") / "manifest.json"
        content = json.loads(manifest.read_text())
        content["identity"]["probe"][0] *= 1 + 1e-14
        manifest.write_text(json.dumps(content))
        assert bowl(output).resumed == 3
    with xarray.open_dataset(output) as data:
        assert json.loads(data.identity) == content["identity"]


def test_a_finished_scan_is_not_done_again(tmp_path, expected):
    output, log = tmp_path / "x.nc", tmp_path / "log"
    first = bowl(output)
    again = bowl(output, evaluate=Bowl(log))
    assert replace(first, chunks=0) == again
    assert log.stat().st_size == 1  # the probe
    assert output.read_bytes() == expected
    with pytest.raises(NurecoilError, match=r"model was bowl and is cup.*give another output"):
        bowl(output, identity={"model": "cup"})
    assert output.read_bytes() == expected
    bowl(output, identity={"model": "cup"}, restart=True)
    assert output.read_bytes() != expected


def test_a_restart_keeps_the_old_file_until_the_new_one_is_whole(tmp_path, expected):
    bowl(tmp_path / "x.nc")
    with pytest.raises(Stopped), stopped_after(2):
        bowl(tmp_path / "x.nc", identity={"model": "cup"}, restart=True)
    assert (tmp_path / "x.nc").read_bytes() == expected
    assert bowl(tmp_path / "x.nc", identity={"model": "cup"}).resumed == 2
    assert (tmp_path / "x.nc").read_bytes() != expected


def test_two_scans_at_once_are_refused(tmp_path, expected):
    output, refused = tmp_path / "x.nc", []

    def try_another(kept):
        for restart in (False, True):
            with pytest.raises(NurecoilError, match="another scan is writing"):
                bowl(output, restart=restart)
            refused.append(kept)

    with after_each_chunk(try_another):
        bowl(output)
    assert refused == [chunk for chunk in range(1, CHUNKS + 1) for _ in range(2)]
    assert output.read_bytes() == expected
    assert is_alone(output)


def test_what_somebody_else_keeps_in_the_folder_stays(tmp_path):
    (tmp_path / "x.nc.partial").mkdir()
    (tmp_path / "x.nc.partial" / "notes.txt").write_text("mine")
    bowl(tmp_path / "x.nc")
    assert [path.name for path in (tmp_path / "x.nc.partial").iterdir()] == ["notes.txt"]


# --- clusters and lost workers ------------------------------------------------------------------------


@dataclass(frozen=True)
class Mortal(Bowl):
    """Kills its process at one block, until a file, if it is to make one, says that this has happened."""

    happened: Path | None = None
    home: int = 0

    def __call__(self, points):
        if os.getpid() != self.home and points[0, 0] > 1 and not (self.happened and self.happened.exists()):
            if self.happened:
                self.happened.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(points)


def test_a_killed_worker_of_a_pool(tmp_path, expected):
    mortal = Mortal(happened=tmp_path / "happened", home=os.getpid())
    output = tmp_path / "x.nc"
    with executors.processes(1) as pool, pytest.raises(NurecoilError) as refusal:
        bowl(output, pool, evaluate=mortal)
    assert str(refusal.value) == (
        "a worker process died (killed, or out of memory): finished chunks are kept in"
        f" {output}.partial, and the same command goes on from there"
    )
    found = len(chunks_of(output))
    assert 0 < found < CHUNKS
    assert bowl(output, evaluate=mortal).resumed == found
    assert output.read_bytes() == expected


class Losing(Executor):
    """Has lost its first chunk when all others are done."""

    def submit(self, function, /, *arguments):
        future = Future()
        if function is work.compute and arguments[1] == 0:
            future.set_exception(BrokenExecutor())
        else:
            future.set_result(function(*arguments))
        return future


def test_what_is_done_is_kept_when_a_worker_dies(tmp_path):
    with pytest.raises(NurecoilError, match="a worker process died"):
        bowl(tmp_path / "x.nc", Losing())
    assert len(chunks_of(tmp_path / "x.nc")) == CHUNKS - 1


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def test_a_killed_worker_of_dask(tmp_path, cluster, expected):
    mortal = Mortal(happened=tmp_path / "happened", home=os.getpid())
    with executors.dask_cluster(cluster.scheduler_address) as (pool, workers):
        assert workers == 2
        outcome = bowl(tmp_path / "x.nc", pool, evaluate=mortal)
    assert (tmp_path / "happened").exists()
    assert (outcome.chunks, outcome.resumed) == (CHUNKS, 0)
    assert (tmp_path / "x.nc").read_bytes() == expected


def test_a_worker_that_dies_of_every_chunk(tmp_path, cluster):
    mortal = Mortal(home=os.getpid())
    with (
        executors.dask_cluster(cluster.scheduler_address) as (pool, _),
        pytest.raises(NurecoilError, match=r"Dask gave up.*the same command goes on from there"),
    ):
        bowl(tmp_path / "x.nc", pool, evaluate=mortal)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://127.0.0.1:1", "cannot reach a Dask scheduler at tcp://127.0.0.1:1"),
        ("tcp://no-such-host.invalid:8786", "cannot reach a Dask scheduler at tcp://no-such-host"),
        ("nonsense://x", "--dask 'nonsense://x' is no address of a scheduler: write it as tcp://"),
    ],
)
def test_a_scheduler_out_of_reach(monkeypatch, address, message):
    monkeypatch.setattr(executors, "_PATIENCE", 0.2)
    with pytest.raises(NurecoilError, match=message), executors.dask_cluster(address):
        pass


def test_a_worker_with_other_versions_is_refused():
    packed = replace(
        work.Work.of(Bowl(), GRID), home=("elsewhere", 1), versions={"nurecoil": "0.0", "numpy": "1"}
    )
    with pytest.raises(NurecoilError, match=r"but the scan has nurecoil 0\.0 and numpy 1: install the same"):
        work.compute(packed, 0, 10)


@pytest.mark.parametrize("workers", [0, -1, 100_000])
def test_a_number_of_workers_that_cannot_be(workers):
    with (
        pytest.raises(NurecoilError, match=f"workers = {workers} is not allowed"),
        executors.processes(workers),
    ):
        pass


# --- what cannot be scanned ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Hole(Bowl):
    """A bowl with a value of its own where a > 1.95."""

    value: float = float("nan")
    everywhere: bool = False

    def __call__(self, points):
        columns = super().__call__(points)
        there = (points[:, 0] > 1.95) | self.everywhere
        return {**columns, "chi2": np.where(there, self.value, columns["chi2"])}


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_likelihood_that_is_no_number_names_the_point(tmp_path, value):
    with pytest.raises(NurecoilError, match=rf"χ² is {value} at a = 2.0 TeV, b = .*: it must be a number"):
        bowl(tmp_path / "x.nc", evaluate=Hole(value=value))
    assert not list(tmp_path.iterdir())


def test_infinite_chi2_is_forbidden_ground(tmp_path):
    bowl(tmp_path / "x.nc", evaluate=Hole(value=float("inf")))
    with xarray.open_dataset(tmp_path / "x.nc") as data:
        assert np.isinf(data.delta_chi2).sum() == 23
        assert float(data.delta_chi2.min()) == 0


def test_infinite_chi2_everywhere_is_no_scan(tmp_path):
    with pytest.raises(NurecoilError, match="infinite at every point"):
        bowl(tmp_path / "x.nc", evaluate=Hole(value=float("inf"), everywhere=True))
    assert not (tmp_path / "x.nc").exists()


def test_what_cannot_travel_is_refused(tmp_path):
    with pytest.raises(NurecoilError, match="cannot be sent to workers"):
        bowl(tmp_path / "x.nc", evaluate=Bowl(log=threading.Lock()))
    assert not (tmp_path / "x.nc.partial").exists()


def test_outputs_that_cannot_be_written(tmp_path, monkeypatch):
    with pytest.raises(NurecoilError, match="there is no folder"):
        bowl(tmp_path / "nowhere" / "x.nc")
    with pytest.raises(NurecoilError, match="it is a directory"):
        bowl(tmp_path)
    (tmp_path / "text.nc").write_text("no netCDF")
    with pytest.raises(NurecoilError, match=r"text\.nc exists, and is no scan of nurecoil"):
        bowl(tmp_path / "text.nc")
    (tmp_path / "x.nc.partial").write_text("a file")
    with pytest.raises(NurecoilError, match=r"cannot write to .*x\.nc"):
        bowl(tmp_path / "x.nc")
    monkeypatch.setattr("shutil.disk_usage", lambda path: Disk(1000))
    with pytest.raises(NurecoilError, match=r"needs 5.38e-06 GB in .*, where 1e-06 GB are free"):
        bowl(tmp_path / "y.nc")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.nc", "x.nc.partial"]


@dataclass(frozen=True)
class Disk:
    free: int
