"""`nurecoil card`: the text of an experiment's card."""

import click

from nurecoil.cli.usage import Command


@click.command("card", Command, short_help="Print the card of an experiment.")
@click.argument("name", metavar="NAME", help="See `nurecoil list experiments`.")
def card(name: str) -> None:
    """Print the card of an experiment as it is, with its comments: a card to copy and change
    (> my-detector.toml writes it into a file).

    \b
    Examples:
      nurecoil card coherent-csi-2021
      nurecoil card binh2021-ge
    """
    from nurecoil.experiment.card.reading import card_text

    print(card_text(name), end="")
