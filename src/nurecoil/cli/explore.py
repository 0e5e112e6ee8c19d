"""`nurecoil explore`: a page with sliders, in a browser on this machine."""

from collections.abc import Sequence
from urllib.parse import urlencode

import click

from nurecoil.cli.usage import Command


@click.command(
    "explore", Command, short_help="Open a page whose sliders redraw counts, data, Δχ² and limits."
)
@click.option("--model", metavar="NAME", default="nsi", show_default=True, help="To begin with.")
@click.option("--experiment", metavar="NAME", multiple=True, help="To begin with; repeat for more.")
@click.option("--set", "values", metavar="NAME=VALUE", multiple=True, help="Value of a parameter.")
@click.option("--port", type=int, metavar="N", default=0, help="Of the server; 0 for a free one.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open nothing.")
def explore(
    model: str, experiment: Sequence[str], values: Sequence[str], port: int, no_browser: bool
) -> None:
    """Open a page in the browser whose sliders move the parameters of a model, beside real data.

    Each move redraws the counts, Δχ² and the limit. The address of the page holds all that it shows, and
    below stand the command and the Python lines that give the same. The page is for this machine alone
    (127.0.0.1), and ends with Ctrl-C.

    \b
    Examples:
      nurecoil explore
      nurecoil explore --model 331-beta --experiment binh2021-csi --set 'beta=-sqrt(3)'
      nurecoil explore --model my_model.py --experiment my-detector.toml --no-browser
    """
    import webbrowser

    from nurecoil.explorer.live import Explorer
    from nurecoil.explorer.server import Server
    from nurecoil.models import load_model

    load_model(model)
    options = [("model", model), *(("experiment", name) for name in experiment or ("binh2021-csi",))]
    with Server(Explorer((model,), tuple(experiment)), port) as server:
        address = f"{server.address}?{urlencode([*options, *(('set', text) for text in values)])}"
        print(f"The explorer is at {address}", "Ctrl-C ends it.", sep="\n", flush=True)
        if not no_browser:
            webbrowser.open(address)
        server.serve_forever()
