"""`nurecoil run`: a study card, asked again."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nurecoil.cli.answering import AS_JSON, CONVENTIONS, SAVE, answer
from nurecoil.cli.usage import FILE, Command

if TYPE_CHECKING:
    from nurecoil.study.result import Result


@click.command(
    "run", Command, short_help="Ask the question of a study card again.", params=[AS_JSON, CONVENTIONS, SAVE]
)
@click.argument("card", metavar="CARD", help="A .toml file, or a .json file that a result was saved to.")
@click.option("--plot", type=FILE, metavar="FILE", help="Draw to a .png, .svg or .pdf file.")
def run(card: str, plot: Path | None, saved: tuple[Path, ...], as_json: bool, conventions: bool) -> None:
    """Ask the question of a study card again: what a result saved as .toml, or the provenance of its .json.

    The same versions, cards and data give the same numbers, bit for bit; where one of them differs from what
    the card's answer rested on, a line says so.

    \b
    Examples:
      nurecoil limit --model nsi --experiment binh2021-csi --scan eps_u_ee=-1..1 --save limit.toml
      nurecoil run limit.toml --plot limit.png
    """
    from nurecoil.study.card import StudyCard
    from nurecoil.study.study import asked_by

    read = StudyCard.read(card)

    def ask() -> "Result[Any]":
        result: Result[Any] = asked_by(read)
        for change in read.changes(result.rests_on):
            print(f"Note: {change}", file=sys.stderr)
        return result

    answer(ask, as_json=as_json, conventions=conventions, plot=plot, saved=saved)
