"""`nurecoil scan`: χ² on a grid of parameters, in chunks, on one core or a cluster, into a netCDF file."""

from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.answering import answer, convergence
from nurecoil.cli.arguments import AsJson, require_signal
from nurecoil.cli.reading import Asked
from nurecoil.cli.terminal import at_border, print_pairs
from nurecoil.cli.workers import Dask, Mpi, Workers, executor
from nurecoil.errors import NurecoilError
from nurecoil.progress import tell

if TYPE_CHECKING:
    from nurecoil.study.result import Result
    from nurecoil.verbs.scan import Scan

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
    workers: Workers = None,
    dask: Dask = None,
    mpi: Mpi = False,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Forget an earlier scan into this file.", show_default=False),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a scan."""
    with executor(workers, dask, mpi) as (pool, is_worker):
        if is_worker:
            return
        try:
            _scan(card, output, pool, restart, as_json)
        except (KeyboardInterrupt, SystemExit) as stopped:
            tell(f"stopped: what is finished is kept in {output}.partial, and the same command resumes it")
            raise typer.Exit(130 if isinstance(stopped, KeyboardInterrupt) else 143) from None


def _scan(card: Path, output: Path, pool: Executor | None, restart: bool, as_json: bool) -> None:
    from nurecoil.cli.scan_card import asked_of, axes_of, ranges_of, read_scan_card
    from nurecoil.scans import Spaced
    from nurecoil.scans.running import require_place
    from nurecoil.verbs import scan as verb

    require_place(output)
    wanted = read_scan_card(card)
    asked = asked_of(wanted)
    require_signal(asked.experiments)
    axes = axes_of(wanted, asked.parameters)
    over = ranges_of(wanted, asked.model.parameters)
    for name in axes:
        asked.check_has_no_prior(name, "scanned")
        if name in over:
            raise NurecoilError(f"{name} is both scanned and profiled: do one of them")
    for end in (0, -1):
        asked.check_counts(
            {n: (a.low, a.high)[end] if isinstance(a, Spaced) else a[end] for n, a in axes.items()}
        )

    answer(
        asked,
        lambda: verb.scan(
            *asked.question,
            axes,
            output,
            widths=asked.widths,
            engine=wanted.engine,
            over=over,
            pulls=wanted.pulls,
            executor=pool,
            restart=restart,
        ),
        _json,
        _print,
        as_json,
    )


# --- the answer ---------------------------------------------------------------------------------------


def _json(asked: Asked, result: "Result[Scan]") -> dict[str, object]:
    found = result.values
    return {
        "file": str(found.path),
        "shape": dict(zip((p.name for p in found.parameters), found.shape, strict=True)),
        "points": found.points,
        "not_converged": found.not_converged,
        "best_fit": at_border(found.parameters, found.best_fit),
        "chi2": found.minimum,
        "chunks": found.chunks,
        "resumed": found.resumed,
    }


def _print(asked: Asked, result: "Result[Scan]") -> None:
    found = result.values
    best = ", ".join(f"{p.name} = {p.format(found.best_fit[p.name], 4)}" for p in found.parameters)
    axes = " x ".join(f"{n} {p.name}" for p, n in zip(found.parameters, found.shape, strict=True))
    rows = [
        ("points", f"{found.points} ({axes})"),
        ("best point", f"{best}, χ² = {found.minimum:.2f}"),
        convergence(result, f"not at {found.not_converged} points"),
        ("file", str(found.path)),
    ]
    print_pairs(asked.title("Scan"), rows)
