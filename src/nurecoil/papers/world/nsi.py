"""Non-standard interactions, one at a time: by experiment and together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nurecoil.inference.intervals import Profile
from nurecoil.models.nsi import EPSILONS
from nurecoil.papers.world.groups import SCHEME, WORDS, Group, allowed_text, together
from nurecoil.papers.world.weak_angle import ONE_SIGMA
from nurecoil.parameters import Parameter
from nurecoil.presentation.document import Bars, Figure, RowChart, Section, Table
from nurecoil.verbs.limit import Limit
from nurecoil.verbs.limit import limit as ask

CL = 0.9
SCAN = (-2.0, 2.0)
SHOWN = [p for p in EPSILONS if not p.name.endswith("_im")]
_DRAWN = (-0.5, 0.7)
_OF_CONUS = ("eps_d_ee", "eps_u_ee", "eps_d_emu", "eps_u_emu")


def limit(group: Group, parameter: Parameter) -> Limit:
    """Return what is allowed of one ε at 90 %, and at one standard deviation."""
    return ask(group.study("nsi", **SCHEME), parameter.name, SCAN, cl=[CL, ONE_SIGMA]).values


def section(parts: Sequence[Group]) -> tuple[Section, dict[str, Any]]:
    """Return the section, and its numbers."""
    words = WORDS["nsi"]
    every = [*parts, together(parts)]
    found = {p.name: {each.label: limit(each, p) for each in every} for p in SHOWN}
    rows = [
        (symbol(p), *(allowed_text(one.profile, digits=2) for one in found[p.name].values())) for p in SHOWN
    ]
    table = Table("Allowed at 90 % CL", ("", *(each.label for each in every)), tuple(rows))
    conus = {name: found[name].get("CONUS+") for name in _OF_CONUS}
    ours = ", ".join(
        f"{symbol(p)} {allowed_text(one.profiles[ONE_SIGMA], digits=2)}"
        for p in SHOWN
        if (one := conus.get(p.name)) is not None
    )
    numbers = {
        name: {
            label: {f"{cl:g}": ends(profile) for cl, profile in one.profiles.items()}
            for label, one in by_group.items()
        }
        for name, by_group in found.items()
    }
    panels = tuple(
        _panel(p, {label: one.profile for label, one in found[p.name].items()})
        for p in SHOWN
        if p.name.startswith("eps_u") and not _free(found[p.name]["all"].profile)
    )
    picture = Figure(
        "world-nsi", "NSI with u quarks, one at a time, 90 % CL", words["caption"], panels, columns=2
    )
    published = words["published"].format(ours=ours)
    return Section(words["title"], (words["text"], picture, table, published)), numbers


def symbol(parameter: Parameter) -> str:
    """Return ε with its indices as Markdown."""
    _, quark, entry = parameter.name.split("_")[:3]
    letters = entry.replace("mu", "μ").replace("tau", "τ")
    return f"ε<sup>{quark}</sup><sub>{letters}</sub>"


def _free(profile: Profile) -> bool:
    """Return whether every value is allowed."""
    return all(each.open_low and each.open_high for each in profile.intervals)


def ends(profile: Profile) -> list[list[float | None]]:
    """Return the intervals; None where the scan cuts them."""
    return [[None if is_open else x for x, is_open in each.ends] for each in profile.intervals]


def _panel(parameter: Parameter, found: Mapping[str, Profile]) -> RowChart:
    """Return a row for each group of experiments, the last of which is all."""
    names = tuple(found)
    bars = []
    for label, colour, shown in (("one alone", "blue", names[:-1]), ("all", "black", names[-1:])):
        pieces = [(names.index(name), i.low, i.high) for name in shown for i in found[name].intervals]
        rows, low, high = np.array(pieces).T
        low, high = np.clip([low, high], *_DRAWN)
        bars.append(Bars(rows.astype(np.intp), low, high, label, colour=colour))
    return RowChart(f"${parameter.latex}$", names, tuple(bars), (0.0,), x_range=_DRAWN)
