"""All 18 non-standard interactions free at once: the posterior, and the profile of each.

A nucleus sees η = ε^u + r ε^d of each entry, r = (Z + 2N)/(2Z + N), and r is 1.07 for argon and 1.13 for
xenon: so nine sums are measured, and what is orthogonal to them is as free as the prior's box lets it be.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.models.nsi import EPSILONS
from nurecoil.papers.world import nsi
from nurecoil.papers.world.groups import SCHEME, WORDS, Group, together
from nurecoil.papers.world.landscape import BOX, Landscape, Sum
from nurecoil.presentation.document import Bars, Figure, RowChart, Section, Table
from nurecoil.verbs.sample import Posterior, sample

CL = 0.9
RATIO = (55 + 2 * 78) / (2 * 55 + 78)  # of caesium-133; 1.125 for iodine and 1.126 for xenon
SEED = 1
_ENTRIES = len(EPSILONS) // 2


def posterior(group: Group) -> Posterior:
    """Return samples with all couplings free, each flat inside the box, and all pulls marginalised."""
    ranges = {p.name: (-BOX, BOX) for p in EPSILONS}
    return sample(group.study("nsi", **SCHEME), ranges, sampler="nuts", seed=SEED).values


def landscape(group: Group, found: Posterior) -> Landscape:
    """Return χ² with draws that know where it is low."""
    question = group.study("nsi", **SCHEME).question(dict.fromkeys((p.name for p in EPSILONS), 0.0))
    return Landscape(question, found.samples, found.chi2)


@undisturbed
def section(parts: Sequence[Group]) -> tuple[Section, dict[str, Any]]:
    """Return the section, and its numbers."""
    everything = together(parts)
    try:
        found = posterior(everything)
    except NurecoilError as error:  # NumPyro is not installed
        return Section(WORDS["all_nsi"]["title"], (f"Left out: {error}.",)), {}
    valleys = landscape(everything, found)
    alone = {p.name: nsi.ends(nsi.limit(everything, p).profile) for p in EPSILONS}
    up, down = (range(first, first + _ENTRIES) for first in (0, _ENTRIES))
    kinds = {
        "u": [Sum(i, j) for i, j in zip(up, down, strict=True)],
        "d": [Sum(j, i) for i, j in zip(up, down, strict=True)],
        "sum": [Sum(i, j, RATIO) for i, j in zip(up, down, strict=True)],
    }
    numbers: dict[str, Any] = {}
    for kind, sums in kinds.items():
        for held, p in zip(sums, EPSILONS[:_ENTRIES], strict=True):
            values = held.of(found.samples)
            ends, at_box = valleys.allowed(held, CL)
            one = {
                "alone": alone[EPSILONS[held.i].name],
                "profile": ends,
                "at_box": at_box,
                "posterior": np.quantile(values, [(1 - CL) / 2, (1 + CL) / 2]).tolist(),
            }
            numbers.setdefault(kind, {})[p.name.removeprefix("eps_u_")] = one
    diagnostics = found.drawn.diagnostics[: len(EPSILONS)]
    facts = {
        "steps": found.drawn.steps,
        "draws": len(found.samples),
        "r_hat": max(each.r_hat for each in found.drawn.diagnostics),
        "size": min(min(each.bulk_size, each.tail_size) for each in diagnostics),
        "problems": list(found.drawn.problems),
    }
    return described(numbers, facts), {**numbers, "diagnostics": facts, "minimum": valleys.best[0]}


def described(numbers: dict[str, Any], facts: dict[str, Any]) -> Section:
    """Return the section of these numbers, and facts of the posterior."""
    words = WORDS["all_nsi"]
    at_box = [x for kind in ("u", "d") for one in numbers[kind].values() for x in one["at_box"]]
    text = words["text"].format(highest=f"{max(at_box):.1f}")
    shown = {**facts, "size": f"{facts['size']:.0f}", "r_hat": f"{facts['r_hat']:.3f}"}
    last = words["open"].format(**shown)
    if facts["problems"]:
        last = f"Not converged: {'; '.join(facts['problems'])}. {last}"
    return Section(words["title"], (text, _figure(numbers, words["caption"]), *_tables(numbers), last))


def _tables(numbers: dict[str, Any]) -> list[Table]:
    """Return what is allowed of the nine sums, and of the 18 couplings."""
    columns = ("", "one alone", "all free, profile", "all free, posterior")
    rows = {
        kind: tuple(
            (
                _name(entry, kind),
                "; ".join(_interval(*ends) for ends in one["alone"]),
                _interval(*one["profile"]),
                _interval(*one["posterior"]),
            )
            for entry, one in every.items()
        )
        for kind, every in numbers.items()
    }
    title = f"Sums that nuclei see, η = ε<sup>u</sup> + {RATIO:.2f} ε<sup>d</sup>, 90 %"
    return [
        Table(title, columns, rows["sum"]),
        Table("The 18 couplings, 90 %", columns, rows["u"] + rows["d"]),
    ]


def _interval(low: float | None, high: float | None) -> str:
    """Return an interval in words; None is the end of the box, or of a scan."""
    if low is None and high is None:
        return "not bounded"
    lowest, highest = ("" if x is None else f"{x:.2g}".replace("-", "−") for x in (low, high))
    return f"≥ {lowest}" if high is None else f"≤ {highest}" if low is None else f"{lowest} to {highest}"


def _name(entry: str, kind: str) -> str:
    """Return a coupling as Markdown."""
    part, letters = _parted(entry)
    symbol = "η" if kind == "sum" else f"ε<sup>{kind}</sup>"
    return f"{part}{symbol}<sub>{letters}</sub>"


def _parted(entry: str) -> tuple[str, str]:
    """Return which part of a matrix's entry it is, and the flavours."""
    letters = entry.removesuffix("_im").replace("mu", "μ").replace("tau", "τ")
    diagonal = letters in ("ee", "μμ", "ττ")
    return "" if diagonal else "Im " if entry.endswith("_im") else "Re ", letters


def _figure(numbers: dict[str, Any], caption: str) -> Figure:
    """Return bars of one alone, profile and posterior: a panel for the sums and for each quark."""
    titles = {
        "sum": rf"$\eta = \varepsilon^u + {RATIO:.2f}\,\varepsilon^d$",
        "u": r"$\varepsilon^u$",
        "d": r"$\varepsilon^d$",
    }
    panels = []
    for kind, title in titles.items():
        every = tuple(numbers[kind].values())
        alone = [(row, ends) for row, one in enumerate(every) for ends in one["alone"]]
        profile, posterior = (
            [(row, one[key]) for row, one in enumerate(every)] for key in ("profile", "posterior")
        )
        bars = (
            _bars(profile, "all free, profile", "sky", "upper"),
            _bars(posterior, "all free, posterior", "orange", "lower"),
            _bars(alone, "one alone", "black"),
        )
        rows = tuple("".join(_parted(entry)) for entry in numbers[kind])
        panels.append(RowChart(title, rows, bars, (0.0,), x_range=(-BOX, BOX)))
    return Figure("world-all-nsi", "All 18 NSI free, 90 %", caption, tuple(panels), columns=3)


def _bars(pieces: Sequence[Any], label: str, colour: str, half: Any = None) -> Bars:
    """Return bars of (row, ends), to the box where there is no end; thin, with a marker, if of no half."""
    rows = np.array([row for row, _ in pieces], np.intp)
    ends = [[-BOX if low is None else low, BOX if high is None else high] for _, (low, high) in pieces]
    low, high = np.clip(np.array(ends).T, -BOX, BOX)
    return Bars(rows, low, high, label, (low + high) / 2 if half is None else None, colour, half=half)
