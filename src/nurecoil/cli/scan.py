"""`nurecoil scan`: χ² on a grid of parameters, in chunks, on one core or a cluster, into a netCDF file."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import AsJson, compile_experiments, require_finite_counts, require_signal
from nurecoil.cli.terminal import at_border, console, print_basis, print_json, print_pairs
from nurecoil.errors import NurecoilError

if TYPE_CHECKING:
    from nurecoil.analysis import Result, Scan
    from nurecoil.models import Model
    from nurecoil.scans import Progress

INTERVAL = 10.0  # seconds between two lines about the progress, where there is no terminal
SUMMARY = "Scan a grid of parameters, of any size, on any number of workers."
HELP = """Write Δχ² on a grid of parameters to a netCDF file, nuisance parameters profiled at every point.

The card says what is scanned. Finished chunks are kept in a folder beside the output, OUTPUT.partial: after a
crash, a kill or Ctrl-C the same command goes on from there, and the file is the same to the last byte.

\b
A card:
  model = "331-beta"
  experiments = ["binh2021-csi"]
  [set]
  sin2_theta_w = 0.23867
  [scan.m_zprime]
  low = "0.1TeV"
  high = "10TeV"
  points = 400
  log = true
  [scan.beta]
  values = ["-sqrt(3)", 0, "sqrt(3)"]

\b
Optional are form_factor = "helm", engine = "fast", pulls = true (keep the best nuisance parameters),
[prior], and [profile.NAME] with low and high: a parameter of the model to fit at each point.

\b
Where it is computed:
  here:         nurecoil scan card.toml --output map.nc
  8 processes:  nurecoil scan card.toml --output map.nc --workers 8
  Dask:         nurecoil scan card.toml --output map.nc --dask tcp://scheduler:8786
  MPI:          mpiexec -n 64 nurecoil scan card.toml --output map.nc --mpi"""


def scan(
    card: Annotated[Path, typer.Argument(metavar="CARD", help="The card, a TOML file.", show_default=False)],
    output: Annotated[Path, typer.Option(metavar="FILE", help="The netCDF file to write.")],
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Worker processes.", show_default="compute in this one"),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address of a Dask scheduler.", show_default=False),
    ] = None,
    mpi: Annotated[bool, typer.Option("--mpi", help="Use the ranks of MPI.", show_default=False)] = False,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Forget an earlier scan into this file.", show_default=False),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a scan."""
    with _executor(workers, dask, mpi) as (executor, is_worker):
        if is_worker:
            return
        try:
            _scan(card, output, executor, restart, as_json)
        except KeyboardInterrupt:
            _say(f"stopped: what is finished is kept in {output}.partial, and the same command resumes it")
            raise typer.Exit(130) from None


def _scan(card: Path, output: Path, executor: Executor | None, restart: bool, as_json: bool) -> None:
    from nurecoil import analysis
    from nurecoil.cli.scan_card import axes_of, ranges_of, read_scan_card
    from nurecoil.models import load_model
    from nurecoil.parameters import find
    from nurecoil.quantities import parse_quantity
    from nurecoil.scans import Spaced

    wanted = read_scan_card(card)
    model = load_model(wanted.model)
    values = {name: find(model.parameters, name).parse(str(text)) for name, text in wanted.set.items()}
    widths = {
        n: parse_quantity(str(text), "", name=f"prior width of {n}") for n, text in wanted.prior.items()
    }
    experiments = compile_experiments(wanted.experiments, wanted.form_factor)
    require_signal(experiments)
    pulls = [pull for each in experiments for pull in each.experiment.statistics.pulls]
    axes = axes_of(wanted, (*model.parameters, *pulls))
    names = {parameter.name for parameter in model.parameters}
    for end in (0, -1):
        corner = {n: (a.low, a.high)[end] if isinstance(a, Spaced) else a[end] for n, a in axes.items()}
        require_finite_counts(
            model, experiments, {**values, **{n: x for n, x in corner.items() if n in names}}
        )
    with _progress() as report:
        result = analysis.scan(
            model,
            experiments,
            values,
            axes,
            output,
            widths=widths,
            engine=wanted.engine,
            over=ranges_of(wanted, model.parameters),
            pulls=wanted.pulls,
            executor=executor,
            restart=restart,
            report=report,
        )
    used = [compiled.experiment.name for compiled in experiments]
    if as_json:
        print_json(_scan_json(model, used, result))
    else:
        _print_scan(model, used, result)


@contextmanager
def _executor(workers: int | None, dask: str | None, mpi: bool) -> Iterator[tuple[Executor | None, bool]]:
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


# --- progress -----------------------------------------------------------------------------------------


@contextmanager
def _progress() -> "Iterator[Callable[[Progress], None]]":
    """Yield what shows how far a scan is on stderr: a bar on a terminal, else a line now and then."""
    terminal = console(stderr=True)
    if not terminal.is_terminal:
        yield _lines()
        return

    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()
    with Bar(*columns, console=terminal, transient=True) as bar:
        task = bar.add_task("", rate="")

        def show(progress: "Progress") -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:.3g} points/s" if speed else ""
            bar.update(task, total=progress.of_points, completed=progress.points, rate=rate)

        yield _first_says_what_was_there(show)


def _lines() -> "Callable[[Progress], None]":
    start = last = 0.0
    before: int | None = None

    def say(progress: "Progress") -> None:
        nonlocal start, last, before
        now = time.monotonic()
        if before is None:
            start, last, before = now, now, progress.points
            return
        if now - last < INTERVAL:
            return
        last, rate = now, (progress.points - before) / (now - start)
        left = (progress.of_points - progress.points) / rate
        _say(f"{progress.points} of {progress.of_points} points, {rate:.3g} points/s, {left:.0f} s left")

    return _first_says_what_was_there(say)


def _first_says_what_was_there(show: "Callable[[Progress], None]") -> "Callable[[Progress], None]":
    first = True

    def report(progress: "Progress") -> None:
        nonlocal first
        if first and not progress.of_chunks:
            _say("the file was there already, from the same scan")
        elif first and progress.resumed:
            _say(f"resumed: {progress.resumed} of {progress.of_chunks} chunks were there")
        first = False
        show(progress)

    return report


def _say(text: str) -> None:
    print(f"scan: {text}", file=sys.stderr, flush=True)


# --- the answer ---------------------------------------------------------------------------------------


def _scan_json(model: "Model", experiments: Sequence[str], result: "Result[Scan]") -> dict[str, object]:
    found = result.values
    return {
        "model": model.name,
        "experiments": list(experiments),
        "file": str(found.path),
        "shape": dict(zip((p.name for p in found.parameters), found.shape, strict=True)),
        "points": found.points,
        "not_converged": found.not_converged,
        "best_fit": {
            p.name: {"value": found.best_fit[p.name] / p.inside, "unit": p.unit} for p in found.parameters
        },
        "minimum": found.minimum,
        "chunks": found.chunks,
        "resumed": found.resumed,
        "converged": result.converged,
        "parameters": at_border(model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
    }


def _print_scan(model: "Model", experiments: Sequence[str], result: "Result[Scan]") -> None:
    found = result.values
    best = ", ".join(f"{p.name} = {p.format(found.best_fit[p.name], 4)}" for p in found.parameters)
    axes = " x ".join(f"{n} {p.name}" for p, n in zip(found.parameters, found.shape, strict=True))
    rows = [
        ("points", f"{found.points} ({axes})"),
        ("best point", f"{best}, χ² = {found.minimum:.2f}"),
        ("converged", "yes" if result.converged else f"NO, not at {found.not_converged} points"),
        ("file", str(found.path)),
    ]
    print_pairs(f"Scan: {model.name}, {' + '.join(experiments)}", rows)
    print_basis(model.parameters, result.fixed, result.notes, result.conventions)
