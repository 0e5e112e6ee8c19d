"""`nurecoil validate`: published results of the data releases, recomputed."""

import json
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nurecoil.cli.answering import AS_JSON
from nurecoil.cli.usage import Command, folder
from nurecoil.errors import NurecoilError
from nurecoil.presentation.staging import staged
from nurecoil.presentation.terminal import print_document_table
from nurecoil.progress import in_steps, watched

if TYPE_CHECKING:
    from nurecoil.presentation.comparison import Comparison
    from nurecoil.presentation.document import Document

_FIRST_LINE = "<!-- Written by `nurecoil validate --output DIR`: change the code, not this file. -->\n"


@click.command(
    "validate",
    Command,
    short_help="Compare with what was published of data releases.",
    params=[AS_JSON, folder("nothing")],
)
@click.argument(
    "experiments",
    nargs=-1,
    metavar="[EXPERIMENT]...",
    help="Names of experiments; all that are published if left out.",
)
def validate(experiments: Sequence[str], as_json: bool, output: str | None) -> None:
    """Recompute what is published of data releases, and print it beside the published numbers.

    Prints, for each experiment, the published number, ours, the difference, and the difference in units of
    the published error. With --output it writes the page validation.md, which also says what each difference
    comes from and what limits hang on (some minutes), and its figures, images/validation-EXPERIMENT.png.

    \b
    Examples:
      nurecoil validate coherent-csi-2021 --json
      nurecoil validate coherent-csi-2017 --output validation
    """
    from nurecoil import validation

    if output == "":
        raise NurecoilError('--output "" names no directory')
    chosen = tuple(dict.fromkeys(experiments)) or validation.experiments()
    with ExitStack() as end, staged(output) if output else nullcontext() as stage:
        tables = sum(set(limit.experiments) <= set(chosen) for limit in validation.LIMITS) if stage else 0
        with watched(), in_steps(len(chosen) + tables) as begin:
            result = validation.validate(chosen, begin, limits=bool(tables))
        end.callback(_print, result, as_json)  # even if the page cannot be written
        if stage:
            _write_page(result.document, stage)
    if output and not as_json:
        print(Path(output) / "validation.md")
        print(Path(output) / "images", f"({len(result.document.figures)} figures)")


def _print(result: "Comparison", as_json: bool) -> None:
    if as_json:
        print(json.dumps(result.results, indent=2, allow_nan=False))
        return
    for table in result.tables:
        print_document_table(table)


def _write_page(document: "Document", directory: Path) -> None:
    """Draw the figures and write the page."""
    from nurecoil.presentation import figures, report

    (directory / "images").mkdir()
    for figure in document.figures:
        figures.save_canvas(figures.draw(figure), directory / "images" / f"{figure.name}.png")
    text = report.to_markdown(document, lambda figure: f"images/{figure.name}.png")
    (directory / "validation.md").write_text(_FIRST_LINE + text, encoding="utf-8")
