"""`nurecoil card`: the text of an experiment's card."""

from typing import Annotated

import typer

SUMMARY = "Print the card of an experiment."
HELP = """Print the card of an experiment as it is, with its comments: a card to copy and change
(> my-detector.toml writes it into a file).

\b
Examples:
  nurecoil card coherent-csi-2021
  nurecoil card binh2021-ge"""
Name = Annotated[str, typer.Argument(metavar="NAME", help="See `nurecoil list experiments`.")]


def card(name: Name) -> None:
    """Print a card."""
    from nurecoil.experiment.card.reading import card_text

    print(card_text(name), end="")
