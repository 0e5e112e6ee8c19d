"""Writes docs/cards.md from the schema of cards: `python docs/make_cards.py`."""

import inspect
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import MISSING, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from nurecoil.checks import opened
from nurecoil.experiment.card.schema import Card
from nurecoil.experiment.card.signal_schema import Table
from nurecoil.experiment.card.template_schema import TemplateCard
from nurecoil.experiment.card.toml import Key, keys, kinds, tag_of, words

PAGE = Path(__file__).parent / "cards.md"
INTRODUCTION = """# Cards of experiments

*Written by `docs/make_cards.py` from what reads the cards: change it there.*

An experiment is a text file in TOML, a card, whose path goes wherever the name of an experiment does:

```sh
nurecoil new-card my-detector
nurecoil predict --model standard-model --experiment my-detector.toml
```

`nurecoil new-card` writes a commented card to begin with, `--bins` one with bins and their data file;
`nurecoil card NAME` prints a shipped one. Change `[target]`, `[source]`, `[detector]` and, above all, what
was observed, its background and the widths of the pulls: with the numbers of the card you copied, a limit
would be that experiment's. Give the source of each number beside it. All errors of a card are listed at
once; each number has bounds that physics or arithmetic sets.

A card has **either** `[statistics]`, one number of counts, **or** `[data]`, bins, with `[[backgrounds]]`,
`[[signal_pulls]]` and, if counts are in more bins than those of the energy, `[time]` or `[template]`.
Counts that are 0 belong in bins, whose likelihood is Poisson: the Gaussian of `[statistics]` has no width
without `variance_counts`. Bins are Gaussian where `[data]` names a column with their standard deviations, as
for an excess over a background that is subtracted.

A weak charge, measured by parity violation with electrons, is a card of its own: one Gaussian number, which
models predict from the same couplings. It may be a projection:

```toml
name = "my-weak-charge"
title = "A tenth of the error of Qweak"
reference = "the Standard Model's value, PDG:2022"

[weak_charge]
nuclide = "1H"
value = 0.0711
width = 0.00045 # one standard deviation, with that of the Standard Model's value
```

**Targets.** `material` is a formula (`"CsI"`, `"H2O"`), whose elements are as found in nature. An isotope
has its mass number before the symbol: `"76Ge"` or `"Ge-76"`, `"7LiF"`, within a formula `"Ca[100Mo]O4"`;
`D` is 2H. A number after a symbol is a count of atoms, so that `"Ge76"` is refused, and `"76Ge"` offered. A
mixture is a table of fractions that sum to 1: of moles where the parts differ in their isotopes alone (an
enrichment is quoted so), otherwise `fractions` says of what they are:

```toml
[target]
material = { "76Ge" = 0.87, "74Ge" = 0.13 }
# material = { "7LiF" = 0.95, "6LiF" = 0.05 }
# material = { Ar = 0.99, Xe = 0.01 }   with   fractions = "mole"
# material = { C = 0.476, H = 0.524 }   with   fractions = "mole", a plastic scintillator
```

Each result says of what nuclides its target is. [`nuclides.csv`](../src/nurecoil/physics/nuclides.csv) has
the nuclides found in nature, with masses, abundances and charge radii, and where they are from; others (3H,
85Kr) are refused. H and He, where smaller than the surface that `helm` and `symmetrised-fermi` give all
nuclei, are surface alone, of their charge radius.

**Sources.** A stopped-pion source has protons on target. A reactor has its thermal power, and antineutrinos
ν̄_e per fission: `huber-mueller` from published polynomials, without data, good to some 4 % up to 7.5 MeV;
`huber-mueller-table` from the tables that those fit; `dayabay-2021`, measured, 5 % fewer; `summation-2019`,
computed decay by decay, the only one below 1.8 MeV. How far they differ is how well they are known:
`flux_width` is a pull of all, `shape` has one for each range of energies. Captures of neutrons by U238 and
spent fuel are left out.

The sun has the fluxes of a solar model, each with a pull of its own, such as `solar_8b_flux`. Its neutrinos
arrive as mass states, whose flavours interfere where vector couplings to nucleons change flavour (of all
others, as a note says, squares alone are seen). A supernova is what a model emits (a table, a
light curve, in bins of time if asked for, or pinched spectra) over 4πd²; with an ordering of the masses it
arrives as mass states too. The atmosphere has FLUKA's fluxes at Kamioka, a pull `atmospheric_flux` of 20 %,
and no oscillations. A detector for a supernova is three lines of `[source]`:

```toml
[source]
flux = "supernova"
distance = "10 kpc"
fluence_file = "model.csv"
```

Other sources are a table, a column for each neutrino; it is a flux per second if `live_time` is given, else
all that arrived.

**Smearing.** With it, an efficiency in the observable is taken in the middle of sub-bins of width `step`:
choose it well below the width of the smearing and of the efficiency's rise; 100,000 sub-bins are the most.
How fine the recoil energy is cut is no choice: it follows edges, widths, steps, kinks and endpoints, and is
refined until every bin is known. A detector that sees recoils down to T = 0 (an edge at 0, smearing from
below the first edge) takes no magnetic moment, light mediator, electric charge of neutrinos or dipole portal.

**Data files** are beside the card, or in the data release that `release` names (`nurecoil data list`). A
file is a table of finite numbers, with `#` before comments; a first line of names is read over. One
separator in the whole file (blanks, tabs, commas or semicolons), a decimal point, no empty cell. A file with
commas in which no number has a point is refused where a comma may be decimal instead, as there are more
columns than the card uses. Rows are events, or the centres of bins with their counts; those outside all bins
are left out.

**Data count once**: one experiment twice, or the same observed counts under two names, are refused
together; `overlaps` names the cards that contain data of this one, which is remarked. Pulls are nuisance
parameters; inside a card each has a name of its own, and one name in two cards is one pull (`sns_flux`, the
neutrino yield of the SNS).

**Backgrounds** have a shape, whose rate is a pull. One that an off sample counted (reactor off, beam off) has
the width `off-sample`: χ² is then that of both samples, and the rate is free, of all bins or of `each`. One
that is a formula has a rate in the energy E, whose `[parameters]` are pulls that float between bounds, or
have a prior; it is integrated over each bin. Constant, exponential and a line, `w` keV wide, are

```toml
[parameters]
A = { what = "constant [1/keV]", value = 50, low = 0, high = 1000 }
B = { what = "exponential at 0 [1/keV]", value = 300, low = 0, high = 1e5 }
C = { what = "its slope [1/keV]", value = 2, low = 0, high = 100 }
H = { what = "counts of the line", value = 30, low = 0, high = 1e4 }
x = { what = "its position [keV]", value = 1.297, low = 1.2, high = 1.4 }
w = { what = "its width [keV]", value = 0.08, low = 0.01, high = 0.2 }

[[formulas]]
name = "continuum"
counts = "A + B * exp(-C * E)"

[[formulas]]
name = "line"
counts = "H / w * normal((E - x) / w)"
```

Where a unit is part of a value (`mass = "10 kg"`), any unit of its kind will do; a key that ends with a
unit (`edges_us`) holds plain numbers."""
TEMPLATES = """
# Cards of released templates

Where a release tabulates what is seen instead of how the detector responds, as that of XENONnT, a card has
`[templates]`, in place of `[detector]` and `[data]`: arrays of numbers in files that NumPy writes (`.npz`).
Bins run over the axes, and then over the runs. `[target]`, `[source]` and `[cross_section]` are as above, and
`[[signal_pulls]]` change the rate alone (`effect = "normalisation"`). The signal is morphed between its
shapes at some steps of two pulls, one by one and both at once: choose a `step` within which their logarithms
are parabolas. Recoils of electrons are no part of the templates. `nurecoil card xenonnt-2026` prints one.
"""
EXAMPLES = tomllib.loads("""
quenching = [
  { kind = "constant", factor = 0.0878 },
  { kind = "linear", a = 0.246, b_per_kev = 0.00078 },
  { kind = "polynomial", coefficients = [0.0554628, 4.30681, -111.707, 840.384] },
  { kind = "lindhard", k = 0.157, Z = 32 },
  { kind = "tabulated", recoil_kev = [1, 5, 20], factor = [0.1, 0.15, 0.2] },
  { kind = "file", file = "quenching.txt", recoil_kev = 0, factor = 1, levelled = true },
]
smearing = [
  { kind = "none" },
  { kind = "gaussian", a = 0.58, at = "reconstructed" },
  { kind = "poisson" },
  { kind = "gamma", a = 0.0749, b = 9.56 },
  { kind = "electrons", energy = 2.96, fano = 0.11, noise = 20.4 },
]
"detector.efficiency" = [
  { kind = "constant", value = 0.5 },
  { kind = "logistic", a = 0.6655, k = 0.4942, x0 = 10.8507, steps = [[5, 0.5], [6, 1.0]] },
  { kind = "shifted-logistic", a = 1.32045, b = 0.285979, c = 10.8646, d = -0.333322 },
  { kind = "tabulated", x = [0.5, 2], efficiency = [0.4, 0.9] },
  { kind = "file", file = "efficiency.txt", x = 0, efficiency = 1 },
]
"time.efficiency" = [
  { kind = "constant", value = 0.9 },
  { kind = "plateau-then-exponential", start = "0.52 us", rate_per_us = 0.0494 },
]
[[source]]
flux = "pion-decay-at-rest"
protons_on_target = 3.198e23
neutrinos_per_proton = 0.0848
baseline = "19.3 m"
[[source]]
flux = "reactor"
thermal_power = "3.6 GW"
baseline = "20.7 m"
live_time = "119 day"
fission_fractions = { U235 = 0.564, U238 = 0.076, Pu239 = 0.304, Pu241 = 0.056 }
spectrum = "huber-mueller"
[[source]]
flux = "solar"
live_time = "365 day"
model = "b16-gs98"
neutrinos_of = ["8b", "hep"]
fluxes = { 8b = 5.25e6 }
widths = { 8b = 0.0381 }
[[source]]
flux = "supernova"
distance = "10 kpc"
light_curve = "nakazato-shen-z0.02-t_rev300ms-s20.0.lightcurve.csv"
times_s = [-0.05, 0, 0.1, 0.5, 1, 3, 20]
ordering = "normal"
[[source]]
flux = "atmospheric"
live_time = "365 day"
[[source]]
flux = "table"
file = "flux.txt"
columns = { energy = 0, nu_e = 1, nu_mu_bar = 2 }
energy_unit = "MeV"
area = "cm2"
live_time = "365 day"
[[time]]
kind = "pulse"
edges_us = [0, 0.5, 1, 2, 4, 6]
pulse_mean = "0.47 us"
pulse_width = "0.15 us"
prompt = ["nu_mu"]
delayed = ["nu_mu_bar", "nu_e"]
[[time]]
kind = "tabulated"
edges_us = [0, 0.5, 1, 1.5]
prompt_file = "prompt.txt"
delayed_file = "delayed.txt"
prompt = ["nu_mu"]
delayed = ["nu_mu_bar", "nu_e"]
[[signal_pulls]]
effect = "normalisation"
name = "sns_flux"
width = 0.1
[[signal_pulls]]
effect = "quenching"
name = "mine_quenching"
up = { kind = "constant", factor = 0.1044 }
down = { kind = "constant", factor = 0.0712 }
[[signal_pulls]]
effect = "efficiency"
name = "mine_efficiency"
up = { kind = "constant", value = 0.6 }
down = { kind = "constant", value = 0.4 }
[[signal_pulls]]
effect = "neutron-radius"
name = "neutron_radius_csi"
width = 0.019
[[signal_pulls]]
effect = "onset"
name = "mine_onset"
shift = "0.1 us"
[[signal_pulls]]
effect = "template"
name = "mine_f90"
up = { file = "up.txt", columns = { energy = 0, f90 = 1 }, weight = 2 }
""")


def page() -> str:
    """Return the page."""
    table = [f"\n## Data files\n\n{inspect.getdoc(Table)}\n", *_rows(Table)]
    released = [TEMPLATES, *_section("", TemplateCard, ("target", "source", "cross_section", "signal_pulls"))]
    return "\n".join([INTRODUCTION, *_section("", Card), *table, *released]) + "\n"


def examples(place: str) -> list[dict[str, Any]]:
    """Return an example of each kind at a place such as detector.quenching."""
    found: list[dict[str, Any]] = EXAMPLES.get(place) or EXAMPLES[place.rpartition(".")[2]]
    return found


def places() -> Iterator[tuple[str, dict[str, type]]]:
    """Yield the places of a card that have a choice of kinds."""
    for place, _, section in _below("", Card):
        if choice := kinds(section):
            yield place, choice


def _below(path: str, section: type) -> Iterator[tuple[str, Key, Any]]:
    """Yield the keys below a section that hold sections: their place, the key, and what each is."""
    for name, key in keys(section).items():
        bare, _ = opened(key.hint)
        inner = get_args(bare)[0] if get_origin(bare) is tuple else key.hint
        bare, _ = opened(inner)
        if kinds(inner) or (is_dataclass(bare) and bare is not Table and not _reads(inner)):
            yield f"{path}.{name}".lstrip("."), key, inner
            for part in kinds(inner).values() or [bare]:
                if path.count(".") < 1 and name != "signal_pulls":
                    yield from _below(f"{path}.{name}".lstrip("."), part)


def _reads(hint: Any) -> bool:
    return "Read" in [type(mark).__name__ for mark in opened(hint)[1]]


def _section(path: str, section: type, left_out: Collection[str] = ()) -> Iterator[str]:
    """Yield the lines of a section, and of those inside of it but for some."""
    if not path:
        yield "## At the top\n"
        yield from _rows(section)
    for place, key, hint in dict.fromkeys(_below(path, section)):
        if place in left_out:
            continue
        many = get_origin(opened(key.hint)[0]) is tuple
        heading = f"[[{place}]]" if many else f"[{place}]"
        choice = kinds(hint)
        if not choice:
            bare = opened(hint)[0]
            yield f"\n## {heading}\n\n{_first_line(bare)}\n"
            yield from _rows(bare)
            continue
        tag = tag_of(next(iter(choice.values())))
        yield f"\n## {heading}\n\nOne of these kinds, by the key `{tag}`."
        if key.default not in (MISSING, None, ()):
            yield f"If left out: {_default(key.default)}."
        for (name, kind), example in zip(choice.items(), examples(place), strict=True):
            yield f'\n### {tag} = "{name}"\n\n{_first_line(kind)}\n'
            yield from _rows(kind)
            yield f"\n```toml\n{_example(heading, place, example)}\n```"


def _rows(section: type) -> Iterator[str]:
    """Yield the table of a section's keys."""
    if not keys(section):
        return
    yield "| key | what may be written | if left out | |\n| --- | --- | --- | --- |"
    for name, key in keys(section).items():
        yield f"| `{name}` | {_words(key.hint)} | {_default(key.default)} | {_description(key)} |"


def _words(hint: Any) -> str:
    bare, _ = opened(hint)
    inner = get_args(bare)[0] if get_origin(bare) is tuple else hint
    if opened(inner)[0] is Table:
        return "a [data file](#data-files)"
    if kinds(inner) or (is_dataclass(opened(inner)[0]) and not _reads(inner)):
        return "sections, below" if inner is not hint else "a section, below"
    return words(hint)


def _default(value: object) -> str:
    if value is MISSING:
        return "must be given"
    if value is None or value in ((), {}):
        return "none"
    if is_dataclass(value):
        tag = tag_of(value)
        content = {tag: getattr(value, tag), **vars(value)} if tag else vars(value)
        return f"`{_inline(content)}`"
    return f"`{_inline(value)}`"


def _description(key: Key) -> str:
    """Return what a key is, as its annotation says."""
    texts = [mark for mark in opened(key.hint)[1] if isinstance(mark, str)]
    return texts[-1].replace("|", "\\|") if texts else ""


def _first_line(section: type) -> str:
    return (inspect.getdoc(section) or "").partition("\n")[0]


def _example(heading: str, place: str, example: dict[str, Any]) -> str:
    if "." in place:
        return f"{place.rpartition('.')[2]} = {_inline(example)}"
    return "\n".join([heading, *(f"{key} = {_inline(value)}" for key, value in example.items())])


def _inline(value: object) -> str:
    """Return a value as TOML has it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_inline(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:.6g}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
