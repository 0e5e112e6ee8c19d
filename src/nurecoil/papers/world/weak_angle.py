"""s_W² by experiment and together, at the momentum transfer of each, beside the Standard Model's running."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.intervals import Profile
from nurecoil.models import LIGHT_VECTOR
from nurecoil.papers.world.groups import SCHEME, WORDS, Group, together
from nurecoil.physics.constants import SIN2_THETA_W, SIN2_THETA_W_AT_Z, Z_MASS
from nurecoil.physics.weak_angle import running_sin2_theta_w
from nurecoil.presentation.document import Figure, Panel, Section, Series, Table
from nurecoil.verbs.limit import limit

ONE_SIGMA = 0.6827
SCAN = (0.02, 0.6)
_MEDIATOR = 300.0  # MeV, above all momentum transfers
_SMALL = 1e-4  # of the Standard Model's amplitude
_PUBLISHED = {"CsI": "0.231 +0.027 −0.024"}  # 2303.09360
ALL = "CEvNS together"
Q_RANGE = (1.0, 3e5)  # MeV


def momentum_transfer(experiment: CompiledExperiment) -> float:
    """Return √⟨q²⟩ (MeV) of the counts as a mediator sees it: ⟨m²/(q² + m²)⟩ = m²/(⟨q²⟩ + m²)."""

    def change(m: float) -> float:
        couplings = LIGHT_VECTOR.couplings(m_mediator=m, g_mediator=_SMALL * m / Z_MASS)
        return float((experiment.counts(couplings) - experiment.counts(nothing)).sum())

    nothing = LIGHT_VECTOR.couplings(m_mediator=math.inf, g_mediator=_SMALL)
    return _MEDIATOR * math.sqrt(change(1e4 * _MEDIATOR) / change(_MEDIATOR) - 1)


def measured(group: Group) -> Profile:
    """Return the profile of s_W² with its interval of one standard deviation."""
    return limit(group.study("standard-model", **SCHEME), "sin2_theta_w", SCAN, cl=ONE_SIGMA).values.profile


def section(parts: Sequence[Group], charges: Sequence[Group]) -> tuple[Section, dict[str, Any]]:
    """Return the section, and its numbers."""
    words = WORDS["weak_angle"]
    everything = together(parts, ALL)
    with_charges = together([everything, *charges], "with weak charges")
    found = {each.label: measured(each) for each in (*parts, everything, *charges, with_charges)}
    q = {each.label: momentum_transfer(each.experiments[0]) for each in parts}
    q |= {each.label: given["q"] for each, given in zip(charges, WORDS["weak_charges"], strict=True)}
    rests = {each["of"]: each["rests"] for each in WORDS["experiments"]}
    rows = [
        (
            label,
            f"{q[label]:#.3g}".rstrip(".") if label in q else "",
            measured_text(profile),
            _PUBLISHED.get(label, ""),
            rests.get(label, ""),
        )
        for label, profile in found.items()
    ]
    columns = ("", "√⟨q²⟩, MeV", "s<sub>W</sub>²", "published", "rests on")
    table = Table("s<sub>W</sub>² at low energy, 68 %", columns, tuple(rows), right=(1,), prose=("rests on",))
    picture = _figure(parts, charges, found, q, words["caption"])
    numbers = {
        label: {
            "text": measured_text(p),
            "best_fit": p.best_fit,
            "allowed": [[i.low, i.high] for i in p.intervals],
            "q_mev": q.get(label),
        }
        for label, p in found.items()
    }
    return Section(words["title"], (words["text"], picture, table, words["sources"])), numbers


def measured_text(profile: Profile) -> str:
    """Return the best fit with its errors above and below."""
    (interval,) = profile.intervals
    best = profile.best_fit
    decimals = 3 if interval.high - interval.low > 0.005 else 4
    up, down = (f"{error:.{decimals}f}" for error in (interval.high - best, best - interval.low))
    errors = f"± {up}" if up == down else f"+{up} −{down}"
    return f"{best:.{decimals}f} {errors}"


def _figure(
    parts: Sequence[Group],
    charges: Sequence[Group],
    found: Mapping[str, Profile],
    q: Mapping[str, float],
    caption: str,
) -> Figure:
    mu = np.geomspace(*Q_RANGE, 400)
    curve = Series(mu, running_sin2_theta_w(mu, SIN2_THETA_W), "Standard Model", "black")
    pole = Series(np.array([Z_MASS]), np.array([SIN2_THETA_W_AT_Z]), "Z pole (PDG)", "grey", "crosses")
    seen = np.array([q[each.label] for each in parts])
    middle, half = _interval(found[ALL])
    ends = np.array([seen.min() / 1.5, seen.max() * 1.5])
    band = Series(ends, np.full(2, middle), ALL, "grey", y_error=np.full(2, half))
    recoils = [_point(each, found[each.label], q[each.label]) for each in parts]
    electrons = [_point(each, found[each.label], q[each.label]) for each in charges]
    panels = (
        _panel([band, curve, *recoils], (0.1, 0.36)),
        _panel([curve, *electrons, pole], (0.229, 0.2402)),
    )
    return Figure("world-weak-angle", "s<sub>W</sub>² at low energy, 68 % CL", caption, panels)


def _panel(series: Sequence[Series], y_range: tuple[float, float]) -> Panel:
    labels = r"$\sqrt{\langle q^2\rangle}$ [MeV]", r"$\sin^2\theta_W$ ($\overline{\mathrm{MS}}$)"
    return Panel(*labels, tuple(series), x_log=True, x_range=Q_RANGE, y_range=y_range)


def _point(group: Group, profile: Profile, q: float) -> Series:
    middle, half = _interval(profile)
    return Series(np.array([q]), np.array([middle]), group.label, group.colour, "points", np.array([half]))


def _interval(profile: Profile) -> tuple[float, float]:
    """Return the middle of the interval and half its width: it is nearly symmetric around the best fit."""
    (interval,) = profile.intervals
    return (interval.high + interval.low) / 2, (interval.high - interval.low) / 2
