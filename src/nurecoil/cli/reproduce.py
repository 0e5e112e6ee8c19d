"""`nurecoil reproduce`: recompute a paper and write the report."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nurecoil.cli.usage import Command, folder
from nurecoil.errors import NurecoilError
from nurecoil.presentation.staging import staged
from nurecoil.presentation.terminal import print_document_table, print_prose
from nurecoil.progress import in_steps, watched

if TYPE_CHECKING:
    from nurecoil.presentation.document import Document


@click.command(
    "reproduce",
    Command,
    short_help="Recompute a paper, with a verdict on every number.",
    params=[folder("PAPER-report")],
)
@click.argument("paper", metavar="PAPER", help="Name of the paper, such as binh2021.")
def reproduce(paper: str, output: str | None) -> None:
    """Recompute a paper: every number, table and figure, with a verdict beside each.

    Writes report.html (one file, needs no network), report.md, results.json and figures/ (PNG, SVG, and CSV
    with the numbers), and prints the table of verdicts.

    \b
    Examples:
      nurecoil reproduce binh2021
      nurecoil reproduce world
      nurecoil reproduce binh2021 --output my-report
    """
    from nurecoil.papers import load_paper

    recipe = load_paper(paper)
    if output == "":
        raise NurecoilError('--output "" names no directory')
    directory = Path(output or f"{recipe.name}-report")
    with ExitStack() as end, staged(directory) as stage, watched(), in_steps(recipe.steps + 1) as begin:
        result = recipe.reproduce(begin)
        end.callback(print_prose, result.document.lead)  # last: callbacks are called from behind
        for table in result.tables:
            end.callback(print_document_table, table)  # even if the report cannot be written
        begin("drawing the figures and writing the report")
        results = json.dumps(result.results, indent=2, allow_nan=False, ensure_ascii=False)
        (stage / "results.json").write_text(results + "\n", encoding="utf-8")
        _write_report(result.document, stage)
    for path in ("report.html", "report.md", "results.json"):
        print(directory / path)
    if count := len(result.document.figures):
        print(directory / "figures", f"({count} figure{'s' if count > 1 else ''} as PNG, SVG and CSV)")


def _write_report(document: "Document", directory: Path) -> None:
    """Draw the figures and write the report, as HTML with the figures inside and as Markdown."""
    from nurecoil.presentation import figures, report

    images = {
        figure.name: figures.save(figure, directory / "figures")["svg"].read_bytes()
        for figure in document.figures
    }
    page = report.to_html(document, images)
    (directory / "report.html").write_text(page, encoding="utf-8")
    text = report.to_markdown(document, lambda figure: f"figures/{figure.name}.png")
    (directory / "report.md").write_text(text, encoding="utf-8")
