"""`nurecoil card`: the text of an experiment's card."""

import click

from nurecoil.cli.usage import Command

SUMMARY = "Print the card of an experiment."
HELP = """Print the card of an experiment as it is, with its comments: a card to copy and change
(> my-detector.toml writes it into a file).

\b
Examples:
  nurecoil card coherent-csi-2021
  nurecoil card binh2021-ge"""


def card(name: str) -> None:
    """Print a card."""
    from nurecoil.experiment.card.reading import card_text

    print(card_text(name), end="")


COMMAND = Command(
    "card",
    callback=card,
    help=HELP,
    short_help=SUMMARY,
    params=[click.Argument(["name"], metavar="NAME", help="See `nurecoil list experiments`.")],
)
