"""Limits on one parameter: moments, radii, couplings of light mediators, masses of the Z′ of 331β."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nurecoil.inference.intervals import Profile
from nurecoil.papers.binh2021.paper import BETA_OF, BETA_TEXT
from nurecoil.papers.world.groups import SCHEME, WORDS, Group, allowed_text, together
from nurecoil.papers.world.nsi import ends
from nurecoil.presentation.document import Figure, Panel, Section, Series, Table
from nurecoil.verbs.limit import limit

CL = 0.9
POINTS = 201
PROPERTIES = {  # model, parameter, range, unit
    "μ<sub>ν<sub>e</sub></sub>": ("magnetic-moments", "mu_nu_e", (0.0, 1e-8), 1e-10),
    "μ<sub>ν<sub>μ</sub></sub>": ("magnetic-moments", "mu_nu_mu", (0.0, 1e-8), 1e-10),
    "μ<sub>ν<sub>τ</sub></sub>": ("magnetic-moments", "mu_nu_tau", (0.0, 1e-8), 1e-10),
    "⟨r²⟩ of ν<sub>e</sub>": ("charge-radii", "r2_nu_e", (-1e-30, 1e-30), 1e-32),
    "⟨r²⟩ of ν<sub>μ</sub>": ("charge-radii", "r2_nu_mu", (-1e-30, 1e-30), 1e-32),
    "⟨r²⟩ of ν<sub>τ</sub>": ("charge-radii", "r2_nu_tau", (-1e-30, 1e-30), 1e-32),
}
MEDIATORS: Mapping[str, tuple[str, Mapping[str, str], bool]] = {  # model, charges, whether by experiment
    "universal vector": ("light-vector", {}, True),
    "universal scalar": ("light-scalar", {}, True),
    "vector, $B-L$": ("u1-prime", {"charges": "B-L"}, False),
    r"vector, $L_\mu-L_\tau$": ("u1-prime", {"charges": "L_mu-L_tau"}, False),
}
MASSES = (1.0, 15.0, 50.0, 200.0, 1000.0)  # MeV
COUPLINGS = (1e-7, 0.3)
ZPRIME = (1e5, 1e8)  # MeV


def profile(group: Group, model: str, parameter: str, within: tuple[float, float], **values: Any) -> Profile:
    """Return what is allowed of one parameter at 90 %."""
    return limit(group.study(model, **values), parameter, within, cl=CL, points=POINTS).values.profile


def properties(parts: Sequence[Group]) -> tuple[Section, dict[str, Any]]:
    """Return the section on moments and radii, and its numbers."""
    words, every, rows, numbers = WORDS["moments"], [*parts, together(parts)], [], dict[str, Any]()
    for name, (model, parameter, within, unit) in PROPERTIES.items():
        found = {each.label: profile(each, model, parameter, within, **SCHEME) for each in every}
        rows.append((name, *(allowed_text(one, unit, 2) for one in found.values())))
        numbers[parameter] = {label: ends(one) for label, one in found.items()}
    table = Table("Allowed at 90 % CL", ("", *(each.label for each in every)), tuple(rows))
    return Section(words["title"], (words["text"], table, words["published"])), numbers


def mediators(parts: Sequence[Group], begin: Callable[[str], None]) -> tuple[Section, dict[str, Any]]:
    """Return the section on light mediators, and its numbers: couplings that are allowed, by mass in MeV."""
    words, every, panels, numbers = WORDS["mediators"], [*parts, together(parts)], [], dict[str, Any]()
    for title, (model, charges, by_experiment) in MEDIATORS.items():
        begin(f"light mediators: {title.replace('$', '')}")
        shown = every if by_experiment else every[-1:]
        found = {
            each.label: {
                m: profile(each, model, "g_mediator", COUPLINGS, m_mediator=m, **charges, **SCHEME)
                for m in MASSES
            }
            for each in shown
        }
        numbers[title] = {
            label: {f"{m:g}": ends(one) for m, one in by_mass.items()} for label, by_mass in found.items()
        }
        lines = tuple(_line(each, found[each.label]) for each in shown)
        labels = r"$m$ [MeV]", r"$g$"
        panels.append(Panel(*labels, lines, title=title, x_log=True, y_log=True))
    picture = Figure(
        "world-mediators", "Light mediators, 90 % CL", words["caption"], tuple(panels), columns=2
    )
    return Section(words["title"], (words["text"], picture)), numbers


def _line(group: Group, found: Mapping[float, Profile]) -> Series:
    """Return how large couplings may be that are connected with none."""
    first = [one.intervals[0] for one in found.values()]
    highest = [np.nan if each.open_high else each.high for each in first]
    return Series(np.array([*found]), np.array(highest), group.label, group.colour)


def masses(parts: Sequence[Group], charges: Sequence[Group]) -> tuple[Section, dict[str, Any]]:
    """Return the section on the Z′ of 331β, and its numbers."""
    words, everything = WORDS["masses"], together(parts)
    groups = {"all": everything, "all and weak charges": together([everything, *charges])}
    rows, numbers = [], dict[str, Any]()
    for beta, value in BETA_OF.items():
        found = {
            name: profile(group, "331-beta", "m_zprime", ZPRIME, beta=value) for name, group in groups.items()
        }
        rows.append((BETA_TEXT[beta], *(allowed_text(one, 1e6) for one in found.values())))
        numbers[beta] = {name: ends(one) for name, one in found.items()}
    table = Table("Allowed m<sub>Z′</sub> in TeV at 90 % CL", ("β", *groups), tuple(rows))
    return Section(words["title"], (words["text"], table)), numbers
