"""`nurecoil new-card`: a commented card of an experiment, to begin with."""

from pathlib import Path

import click

from nurecoil.cli.usage import Command

SUMMARY = "Write a commented card of an experiment."
HELP = """Write a commented card of an experiment to begin with: it works at once.

It is written into this folder as NAME.toml and overwrites nothing; with --bins its data are beside it, in
NAME.txt. docs/cards.md has all that a card may say.

\b
Examples:
  nurecoil new-card my-detector
  nurecoil new-card my-binned-detector --bins"""


def new_card(name: str, bins: bool) -> None:
    """Write a card, and say what it is for."""
    from nurecoil.experiment.card.reading import write_starter

    written = write_starter(name.removesuffix(".toml"), Path(), bins=bins)
    print(f"Wrote {' and '.join(map(str, written))}. Change the numbers, then:")
    print(f"  nurecoil predict --model standard-model --experiment {written[0]}")


COMMAND = Command(
    "new-card",
    callback=new_card,
    help=HELP,
    short_help=SUMMARY,
    params=[
        click.Argument(["name"], metavar="NAME", help="Of the experiment."),
        click.Option(["--bins"], is_flag=True, help="Bins with a data file; else one count."),
    ],
)
