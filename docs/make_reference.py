"""Pages of the reference that are tables of what the package has, written when the documentation is built."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click

from nurecoil.cli import app
from nurecoil.experiment.card import experiment_names, read_card
from nurecoil.models import Model, load_model, model_names
from nurecoil.parameters import Parameter
from nurecoil.quantities import printed


def models() -> str:
    """Return all models: names, titles, channels and parameters."""
    return "# Models and their parameters\n\n" + "\n\n".join(map(_model, map(load_model, model_names())))


def _model(model: Model) -> str:
    rows = [
        (
            f"`{p.name}`",
            f"${p.latex}$",
            _default(p),
            printed(p.unit),
            p.allowed(),
            p.description,
            p.reference,
        )
        for p in model.parameters
    ]
    columns = ("name", "symbol", "default", "unit", "allowed", "what it is", "reference")
    return f"""(model-{model.name})=
## {model.name}

{model.title} ({model.reference}). Channels: {", ".join(f"`{each}`" for each in model.channels)}.
[Equation, spectra and limits](../gallery/{model.name}.md).

{_table(columns, rows)}"""


def _default(p: Parameter) -> str:
    if p.default is None:
        return "must be set"
    return p.default if isinstance(p.default, str) else f"{p.default / p.inside:.6g}"


def experiments() -> str:
    """Return all experiments and what each observes."""
    cards = [read_card(name)[1] for name in experiment_names()]
    rows = [(f"[`{c.name}`](#{c.name})", c.title, c.reference) for c in cards]
    shown = "\n\n".join(
        f"(card-{c.name})=\n## {c.name}\n\n{c.title} ({c.reference}).\n\n"
        f"```{{literalinclude}} ../../src/nurecoil/experiment/cards/{c.name}.toml\n:language: toml\n```"
        for c in cards
    )
    return f"""# Experiments

An experiment is a card, a text file in TOML. All of the shipped ones follow; [](../cards.md) has each
section and key. `nurecoil card NAME` prints one, `nurecoil list pulls --experiment NAME` its pulls.

{_table(("name", "what it is", "reference"), rows)}

{shown}"""


def commands() -> str:
    """Return the help of each command."""
    context = click.Context(app, info_name="nurecoil")
    shown = [f"# Commands\n\n```text\n{app.get_help(context)}\n```"]
    for name in app.list_commands(context):
        command = app.resolve_command(context, [name])[1]
        inner = click.Context(command, info_name=name, parent=context)
        shown.append(f"## {name}\n\n```text\n{command.get_help(inner)}\n```")
        if isinstance(command, click.Group):
            for each in command.list_commands(inner):
                below = command.resolve_command(inner, [each])[1]
                help_ = below.get_help(click.Context(below, info_name=each, parent=inner))
                shown.append(f"### {name} {each}\n\n```text\n{help_}\n```")
    return "\n\n".join(shown)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def gallery() -> str:
    """Return the index of the gallery: what its README has, each with its spectra."""
    text = (HOME / "gallery" / "README.md").read_text(encoding="utf-8")
    head, *_ = text.split("\n- ")
    found = re.findall(r"^- \[(.*)\]\((.*)\.md\): (.*)$", text, flags=re.MULTILINE)
    shown = (
        f"```{{figure}} images/{name}-spectra.png\n:target: {name}.html\n:alt: {title}\n\n"
        f"**{name}.** {what}\n```"
        for title, name, what in found
    )
    pages = "\n".join(f"{name} <{name}>" for _, name, _ in found)
    return (
        f"{head}\n\n:::{{container}} gallery\n"
        + "\n\n".join(shown)
        + f"\n:::\n\n```{{toctree}}\n:hidden:\n\n{pages}\n```"
    )


HOME = Path(__file__).parent
PAGES: dict[str, Callable[[], str]] = {
    "reference/models": models,
    "reference/experiments": experiments,
    "reference/commands": commands,
    "gallery/index": gallery,
}


def write() -> None:
    """Write the pages that have changed."""
    for name, page in PAGES.items():
        path, text = HOME / f"{name}.md", page() + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
