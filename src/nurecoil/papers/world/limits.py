"""Limits on one parameter: moments, radii, masses of the Z′ of 331β."""

from collections.abc import Sequence
from typing import Any

from nurecoil.inference.intervals import Profile
from nurecoil.papers.binh2021.paper import BETA_OF, BETA_TEXT
from nurecoil.papers.world.groups import SCHEME, WORDS, Group, allowed_text, together
from nurecoil.papers.world.nsi import ends
from nurecoil.presentation.document import Section, Table
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
