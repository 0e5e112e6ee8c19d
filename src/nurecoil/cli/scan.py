"""`nurecoil scan`: χ² on a grid of parameters, in chunks, on one core or a cluster, into a netCDF file."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from nurecoil.cli.answering import AS_JSON, CONVENTIONS, answer
from nurecoil.cli.usage import FILE, Command
from nurecoil.cli.workers import WORKERS, executor
from nurecoil.errors import NurecoilError
from nurecoil.progress import tell


@click.command(
    "scan",
    Command,
    short_help="Scan a grid of parameters, of any size, on any number of workers.",
    params=[
        click.Argument(["card"], type=FILE, metavar="CARD", help="The card, a TOML file."),
        click.Option(
            ["--output"], required=True, type=FILE, metavar="FILE", help="The netCDF file to write."
        ),
        *WORKERS,
        click.Option(["--restart"], is_flag=True, help="Forget an earlier scan into this file."),
        AS_JSON,
        CONVENTIONS,
    ],
)
def scan(card: Path, output: Path, restart: bool, as_json: bool, conventions: bool, **workers: Any) -> None:
    """Write Δχ² on a grid of parameters to a netCDF file, nuisance parameters profiled at every point.

    The card says what is scanned. Finished chunks are kept in a folder beside the output, OUTPUT.partial:
    after a crash, a kill or Ctrl-C the same command goes on from there, and the file is the same to the last
    byte.

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
    [prior], [constrain], and [profile], NAME = "LOW..HIGH": a parameter of the model to fit at each point.
    It may be a study card too, as of `nurecoil run`: question = "scan", with [study] and [ask].

    \b
    Where it is computed:
      here:         nurecoil scan card.toml --output map.nc
      8 processes:  nurecoil scan card.toml --output map.nc --workers 8
      Dask:         nurecoil scan card.toml --output map.nc --dask tcp://scheduler:8786
      MPI:          mpiexec -n 64 nurecoil scan card.toml --output map.nc --mpi
    """
    from nurecoil.scans.running import require_place
    from nurecoil.study.card import StudyCard
    from nurecoil.study.study import asked_by

    with executor(**workers) as (pool, is_worker):
        if is_worker:
            return
        require_place(output)
        wanted = StudyCard.read(card)
        if wanted.question != "scan":
            raise NurecoilError(f"{card} asks for {wanted.question}, and not for a scan: nurecoil run {card}")
        ask = partial(asked_by, wanted, output=output, executor=pool, restart=restart)
        try:
            answer(ask, as_json=as_json, conventions=conventions)
        except (KeyboardInterrupt, SystemExit):
            tell(f"stopped: what is finished is kept in {output}.partial, and the same command resumes it")
            raise
