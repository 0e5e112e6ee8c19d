"""`nurecoil new-card`: a commented card of an experiment, to begin with."""

from pathlib import Path

import click

from nurecoil.cli.usage import Command


@click.command("new-card", Command, short_help="Write a commented card of an experiment.")
@click.argument("name", metavar="NAME", help="Of the experiment.")
@click.option("--bins", is_flag=True, help="Bins with a data file; else one count.")
def new_card(name: str, bins: bool) -> None:
    """Write a commented card of an experiment to begin with: it works at once.

    It is written into this folder as NAME.toml and overwrites nothing; with --bins its data are beside it, in
    NAME.txt. docs/cards.md has all that a card may say.

    \b
    Examples:
      nurecoil new-card my-detector
      nurecoil new-card my-binned-detector --bins
    """
    from nurecoil.experiment.card.reading import write_starter

    written = write_starter(name.removesuffix(".toml"), Path(), bins=bins)
    print(f"Wrote {' and '.join(map(str, written))}. Change the numbers, then:")
    print(f"  nurecoil predict --model standard-model --experiment {written[0]}")
