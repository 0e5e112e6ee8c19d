"""Writes the gallery, a page for each model: `python docs/make_gallery.py [MODEL ...]`; all if none is named.

What stands on a page is in `gallery/gallery.toml`: the equation, points to draw, limits to compute, and those
that are published. It needs the official data (NURECOIL_DATA, or `nurecoil data fetch`), and a few minutes.
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import nurecoil
from nurecoil.presentation import figures, report
from nurecoil.presentation.document import Document, Figure, Panel, Section, Series, Table
from nurecoil.presentation.look import Look
from nurecoil.quantities import printed
from nurecoil.verbs.intervals import interval_text

HOME = Path(__file__).parent / "gallery"
NAMES = {
    "coherent-csi-2021": "CsI",
    "coherent-csi-2021+electrons": "CsI with electrons",
    "coherent-lar-2020": "LAr",
    "coherent-csi-2017": "CsI 2017",
    "conus-plus-2025": "CONUS+",
}
TARGETS = ("Cs", "I", "Na", "Ar", "Ge", "Xe")
COLUMNS = 3
CARD = """# A kilogram of {target} beside the SNS, for a year: recoils before any detector.
name = "recoils-{target}"
title = "1 kg of {target}, 20 m from the SNS, a year"
reference = "none"
[target]
material = "{target}"
mass = "1 kg"
form_factor = "helm"
[source]
flux = "pion-decay-at-rest"
protons_on_target = 2.1e23
neutrinos_per_proton = 0.08
baseline = "20 m"
[cross_section]
vector_recoil_term = true
magnetic_recoil_term = false
magnetic_form_factor = true
[detector]
observable = "recoil energy [keV]"
edges = [1, 500]
[detector.efficiency]
kind = "constant"
value = 1.0
[statistics]
observed = "standard-model"
variance_fraction = 1.0
signal_pull_width = 0.1
"""
UNFOUND = "not found again here"
UNSEEN = "(*) as others quote it: the place in its source was not seen by us."
HELD = """`test_models_hold.py` holds every model to the Standard Model where it has nothing new, a coupling
of ν_μ to ν_μ, and vector couplings to be Hermitian. Each has special cases of its own; and
`test_limits_by_hand.py` finds the limits that are named here a second time, from CsI and the files of its
release unless said otherwise, to 1e-3."""
LOWEST, POINTS = 0.1, 160  # keV, the first recoil energy that is drawn
FIRST_LINE = "<!-- Written by `python docs/make_gallery.py`: change `gallery.toml`, not this file. -->\n"


def pages() -> dict[str, dict[str, Any]]:
    """Return what is said of each page, by name of the model."""
    return tomllib.loads((HOME / "gallery.toml").read_text(encoding="utf-8"))


def limit_row(model: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a limit as a page shows it: what, of what data, its level, ours, the published one, a note."""
    study = nurecoil.Study(model, row["experiments"], **row.get("set", {}))
    ((name, within),) = row["scan"].items()
    result = study.limit(name, within, cl=row.get("cl", "90%"))
    found, parameter = result.values.profile, result.values.parameter
    ours = " or ".join(interval_text(parameter, interval) for interval in found.intervals) or "nothing"
    if "68" in row.get("cl", ""):
        ours = f"{parameter.format(found.best_fit, 4)}, {ours}"
    data = " + ".join(NAMES[experiment] for experiment in row["experiments"])
    ours += "" if result.converged else " (not converged)"
    return row["what"], data, row.get("cl", "90%"), ours, row.get("published", UNFOUND), row.get("note", "")


def spectra(model: str, page: Mapping[str, Any], folder: Path) -> Figure:
    """Return the recoils in six targets, the Standard Model's dashed, and what they are of these below."""
    pairs = [beside_standard(target, model, page["points"], folder) for target in TARGETS]
    panels: list[Panel] = []
    for start in range(0, len(pairs), COLUMNS):
        rates, ratios = zip(*pairs[start : start + COLUMNS], strict=True)
        panels += [*rates, *ratios] if page["points"] else rates
    caption = (
        "Nuclear recoils, 20 m from the SNS, 2.1 · 10²³ protons in a year, Helm form factor, no detector"
    )
    caption += "; below each, over the Standard Model's." if page["points"] else "."
    return Figure(f"{model}-spectra", "Recoil spectra", caption, tuple(panels), columns=COLUMNS)


def beside_standard(
    target: str, model: str, points: Iterable[Mapping[str, Any]], folder: Path
) -> tuple[Panel, Panel]:
    """Return the recoil spectra of a target, and their ratios to the Standard Model's."""
    card = folder / f"{target}.toml"
    card.write_text(CARD.format(target=target), encoding="utf-8")
    plain = nurecoil.Study("standard-model", card)
    T = np.geomspace(LOWEST, plain.spectrum().values.parts[0].energies[-1], POINTS)
    standard = plain.spectrum(T).values.parts[0].rate
    black: dict[str, Any] = {"colour": "black", "style": "dashed"}
    studies = [(p["label"], nurecoil.Study(model, card, **p["set"]), {}) for p in points]
    rates, ratios = [], []
    for label, study, how in [("Standard Model", plain, black), *studies]:
        rate = study.spectrum(T).values.parts[0].rate
        seen = rate > 1e-4 * rate[T > 1].max()
        rates.append(Series(T, np.where(seen, rate, np.nan), label, **how))
        both = seen & (standard > 1e-4 * standard.max())
        ratios.append(Series(T, np.where(both, rate / np.where(both, standard, 1.0), np.nan), label, **how))
    found = np.concatenate([np.asarray(s.y) for s in ratios])
    wide = bool(np.nanmax(found) > 5 * np.nanmin(found))
    ends = (LOWEST, float(T[-1]))
    below, label = "" if studies else "$T$ [keV]", r"$dR/dT$ [1/(keV kg yr)]"
    return (
        Panel(below, label, tuple(rates), title=target, x_log=True, y_log=True, x_range=ends),
        Panel("$T$ [keV]", "ratio", tuple(ratios), x_log=True, y_log=wide, x_range=ends, low=True),
    )


def region(model: str, page: Mapping[str, Any]) -> Iterator[tuple[str, str, nurecoil.Result]]:
    """Yield the maps of two parameters: a name, what it is, and the answer."""
    for number, row in enumerate(page.get("maps", ())):
        study = nurecoil.Study(model, row["experiments"], **row.get("set", {}))
        yield (
            f"{model}-map-{number + 1}",
            row["what"],
            study.map(row["scan"], cl="90%", points=row.get("points", 101)),
        )


def presets() -> Table:
    """Return the charges of the models of `u1-prime` that have a name."""
    text = (resources.files("nurecoil.models") / "u1_prime.toml").read_text(encoding="utf-8")
    rows = []
    for name, row in tomllib.loads(text).items():
        root = row.get("over_root", 1)
        numbers = [f"{charge:g}" for kind in ("nu", "e", "u", "d") for charge in row.get(kind, (0, 0))]
        more = f"loops of {' and '.join(row['loop'])}" if "loop" in row else ""
        more = f"{row['electric']:+d} s_W² q_f" if "electric" in row else more
        rows.append((f"`{name}`", *numbers, "" if root == 1 else f"√{root:g}", more, row["source"]))
    names = ("ν_e", "ν_μ", "ν_τ", *(f"{f}_{hand}" for f in "eud" for hand in "LR"))
    return Table("Charges that have a name", ("charges", *names, "all over", "and", "source"), tuple(rows))


def page_of(model: str, page: Mapping[str, Any], images: Path) -> Document:
    """Return the page of a model, and draw its figures."""
    about = nurecoil.load_model(model)
    with TemporaryDirectory() as folder:
        drawn = spectra(model, page, Path(folder))
    figures.save_canvas(figures.draw(drawn), images / f"{drawn.name}.png")
    limits = Table(
        "Limits, one parameter at a time, pulls profiled",
        ("what", "data", "CL", "nurecoil", "published", "note"),
        tuple(limit_row(model, row) for row in page["limits"]),
        UNSEEN if any("(*)" in row.get("published", "") for row in page["limits"]) else "",
    )
    pictures: list[str] = []
    for name, what, result in region(model, page):
        figures.save_canvas(result.values.canvas(result, Look(title=False)), images / f"{name}.png")
        pictures.append(f"![{what}](images/{name}.png)\n\n*{what}.*")
    rows = tuple(
        (f"`{p.name}`", f"${p.latex}$", p.description, printed(p.unit), p.reference) for p in about.parameters
    )
    parameters = Table("Parameters", ("name", "symbol", "what it is", "unit", "reference"), rows)
    sections = [
        Section("Equation", (page["equation"], page["text"])),
        Section("Recoils", (drawn,)),
        Section("Limits", (limits, *pictures)),
        Section("Parameters", (parameters, *([presets()] if model == "u1-prime" else []))),
    ]
    return Document(about.title, f"`--model {model}`, {about.reference}", page["lead"], tuple(sections))


def held(told: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the special cases of each model and their tests, and which limits are computed twice."""
    rows = ["| model | special case | its test | limits by hand |", "|:---|:---|:---|:---|"]
    for model, page in told.items():
        for number, (what, test) in enumerate(page["special"].items()):
            name, of = (f"[{model}]({model}.md)", page.get("by_hand", "")) if number == 0 else ("", "")
            rows.append(f"| {name} | {what} | `{test}` | {of} |")
    return "\n".join(rows)


def write(names: Iterable[str]) -> None:
    """Write some pages, and the list of all."""
    told, images = pages(), HOME / "images"
    images.mkdir(exist_ok=True)
    for model in names or told:
        text = report.to_markdown(
            page_of(model, told[model], images), lambda figure: f"images/{figure.name}.png"
        )
        (HOME / f"{model}.md").write_text(FIRST_LINE + text, encoding="utf-8")
        print(HOME / f"{model}.md", flush=True)
    rows = "\n".join(
        f"- [{nurecoil.load_model(model).title}]({model}.md): {page['lead']}" for model, page in told.items()
    )
    head = "# Gallery of models\n\nOne page for each: its equation, recoils, and limits from real data."
    text = f"{FIRST_LINE}{head}\n\n{rows}\n\n## What tests hold\n\n{HELD}\n\n{held(told)}\n"
    (HOME / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1:])
