"""From a question to its answer: computed, written to files, printed, and judged by the exit status."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nurecoil.cli.usage import FILE
from nurecoil.errors import NurecoilError
from nurecoil.presentation.look import AS_USUAL, DRAWN, Look
from nurecoil.presentation.staging import staged_file
from nurecoil.presentation.terminal import draw
from nurecoil.progress import watched
from nurecoil.study.record import strict_json

if TYPE_CHECKING:
    from nurecoil.study.result import Result

SAVE = click.Option(
    ["saved", "--save"],
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Write the answer to a .json, .toml (its question, for `nurecoil run`), .csv, .nc, .tex or .zip"
    " (HEPData) file; repeat for more.",
)
AS_JSON = click.Option(["as_json", "--json"], is_flag=True, help="Print JSON, for programs.")
CONVENTIONS = click.Option(["--conventions"], is_flag=True, help="Print all that the answer rests on.")
NOT_CONVERGED = 3  # the exit status of an answer that is not to be trusted


def answer(
    ask: "Callable[[], Result[Any]]",
    *,
    as_json: bool,
    conventions: bool,
    plot: Path | None = None,
    look: Look = AS_USUAL,
    output: Path | None = None,
    saved: Sequence[Path] = (),
) -> None:
    """Compute a result, write its files, and print it; exit status 3 if it has not converged.

    That files can be written is tried first. Where one cannot be after all, the others and the answer are not
    lost: the error comes when these are written.
    """
    for path in saved:
        require_format(path)
    if not (plot or any(path.suffix.lower() in DRAWN for path in saved)):
        _require_no_look(look)
    files: list[tuple[str, Path | None, Callable[[Result[Any], Path], None]]] = [
        ("Samples", output, lambda result, path: result.write(path)),
        ("Plot", plot, lambda result, path: result.save_figure(path, look)),
        *(("Saved", path, lambda result, path: result.write_to(path, look)) for path in saved),
    ]
    written, failures = [], list[Exception]()
    if plot:
        from nurecoil.presentation import figures

        figures.format_of(plot)
    with ExitStack() as stages:
        own = [(kind, path, how, stages.enter_context(ExitStack())) for kind, path, how in files if path]
        targets = [(*file, file[3].enter_context(staged_file(file[1]))) for file in own]
        with watched():
            result = ask()
            for kind, path, how, stage, target in targets:
                try:
                    with stage:
                        how(result, target)
                    written.append((kind, path))
                except Exception as failure:
                    failures.append(failure)
    if as_json:
        print_json(result.record())
    else:
        draw(result.blocks(conventions))
    for kind, path in written:
        print(f"{kind}: {path}", file=sys.stderr if as_json else sys.stdout)
    if not result.converged:
        print("Warning: the answer did not converge, so its numbers may be wrong", file=sys.stderr)
    if failures:
        raise failures[0]
    if not result.converged:
        raise click.exceptions.Exit(NOT_CONVERGED)


def _require_no_look(look: Look) -> None:
    """Refuse options of a figure where none is drawn."""
    given = {"--no-title": not look.title, "--width": look.width is not None, "--overlay": look.overlay}
    for flag, is_given in given.items():
        if is_given:
            raise NurecoilError(f"{flag} is of a figure: give --plot FILE, or --save FILE.png, as well")


def require_format(path: Path) -> None:
    """Refuse a file of a kind that no result is saved as."""
    from nurecoil.study.result import FORMATS

    if path.suffix.lower() not in FORMATS:
        raise NurecoilError(f"--save {path} is not allowed: it must end in {', '.join(FORMATS)}")
    if path.suffix.lower() == ".nc":
        from nurecoil.scans.netcdf import require_netcdf

        require_netcdf()


def print_json(record: Mapping[str, object]) -> None:
    """Print strict JSON, in ASCII where stdout is not UTF-8."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(strict_json(record, ascii_only=not utf8))
