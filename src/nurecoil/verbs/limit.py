"""`limit`: which values of one parameter are allowed."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from nurecoil.arithmetic import Array, undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.inference.intervals import Interval, Profile, profiles, threshold
from nurecoil.inference.line import Axis, Line
from nurecoil.parameters import Parameter, Range, written
from nurecoil.presentation.document import Block, Figure, Pairs, Reference, Series
from nurecoil.presentation.exchange import Arrays
from nurecoil.presentation.labels import LEVEL_COLOURS, cl_label, typeset
from nurecoil.progress import in_steps
from nurecoil.study.arguments import several_levels
from nurecoil.study.curve import EXPECTED, Curve
from nurecoil.study.question import Question
from nurecoil.study.remarks import on_mixing_angle
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study, Within
from nurecoil.verbs.intervals import (
    at_edge,
    best_fit_text,
    curve,
    edge_note,
    figure,
    interval_rows,
    intervals_record,
    level_line,
    level_record,
    profile_record,
    require_curve,
)
from nurecoil.verbs.options import HOLDS, CurvePoints, Levels, Scanned, Told, Verb

HELP = """Find all values of one parameter that experiments allow together.

Nuisance parameters are profiled: fitted anew at each value. With --freeze-at they are held at their best fit
for that value of the scanned parameter, and Δχ² is counted from there, as some papers do.

With --vary the limit is found again with one choice after another made otherwise: priors wider, narrower and
held, bins merged or dropped, other form factors, s_W² and electroweak schemes. The table says what each does
to the ends; docs/validation.md has those of the data releases.

\b
Examples:
  nurecoil limit --model 331-beta --experiment binh2021-csi \\
    --set 'beta=-sqrt(3)' --scan m_zprime=0.1TeV..100TeV
  nurecoil limit --model 331-beta --set beta=0 --scan m_zprime=100GeV..10TeV \\
    --experiment binh2021-csi --experiment binh2021-lar --cl 68% --cl 95% --plot limit.png
  nurecoil limit --model scaled-standard-model --experiment binh2021-csi --scan signal_strength=0..5 --vary
  nurecoil limit --model 331-beta --experiment binh2021-ge --set m_zprime=1TeV \\
    --scan 'beta=-sqrt(3)..sqrt(3)' --prior binh2021-ge_signal=0.3 --json"""
_FLAT = 1e-6  # in χ²


@dataclass(frozen=True)
class Varied:
    """What one choice, made otherwise, does to a limit (inside units).

    Attributes
    ----------
    choice, meaning, intervals
        What was changed, how, and what is then allowed.
    shifts
        How far the ends of all intervals move, low and high of the first, then of the next; None for an end
        that is the scan's. Empty where intervals or ends come or go.
    size
        The largest of them, in widths of the interval, or as a logarithm where the scan is in it.
    """

    choice: str
    meaning: str
    intervals: tuple[Interval, ...]
    converged: bool
    shifts: tuple[float | None, ...] = ()
    size: float = math.inf

    def record(self, unit: float) -> dict[str, object]:
        """Return it as plain data at the border unit."""
        return {
            "choice": self.choice,
            "meaning": self.meaning,
            **intervals_record(unit, self.intervals),
            "shifts": [None if shift is None else shift / unit for shift in self.shifts],
            "converged": self.converged,
        }


@dataclass(frozen=True, repr=False)
class Limit(Shown):
    """The allowed intervals of one parameter.

    Attributes
    ----------
    parameter, profiles
        The scanned parameter, and Δχ² with its intervals (inside units) by confidence level, in the order in
        which they were asked for.
    variations
        What each choice does to it, the largest first; None where that was not asked.
    """

    parameter: Parameter
    profiles: Mapping[float, Profile]
    variations: tuple[Varied, ...] | None = None

    @property
    def cl(self) -> float:
        """The first confidence level."""
        return next(iter(self.profiles))

    @property
    def profile(self) -> Profile:
        """Δχ² with its intervals at that one."""
        return self.profiles[self.cl]

    def record(self, result: Result["Limit"]) -> dict[str, object]:
        unit = self.parameter.inside
        return {
            "parameter": self.parameter.name,
            "unit": self.parameter.unit,
            **profile_record(self.parameter, self.cl, self.profile),
            "levels": [level_record(unit, cl, profile) for cl, profile in self.profiles.items()],
            "curve": {"values": self.profile.values / unit, "delta_chi2": self.profile.delta_chi2},
            "variations": self.variations and [varied.record(unit) for varied in self.variations],
        }

    def arrays(self, result: Result["Limit"]) -> Arrays:
        p, curve = self.parameter, self.profile
        along = (p.name,)
        return {p.name: (along, curve.values / p.inside, p.unit), "delta_chi2": (along, curve.delta_chi2, "")}

    def blocks(self, result: Result["Limit"]) -> Iterator[Block]:
        parameter, rows = self.parameter, []
        for cl, profile in self.profiles.items():
            level = f" at {100 * cl:g} % CL" if len(self.profiles) > 1 else ""
            rows += interval_rows(f"allowed{level}", parameter, profile.intervals)
            rows += _limits(parameter, profile)
        rows.append(("best fit", best_fit_text(parameter, self.profile)))
        rows.append(result.convergence("the ends of the intervals are not exact"))
        levels = ", ".join(f"{100 * cl:g} %" for cl in self.profiles)
        bounds = ", ".join(f"{profile.level:.4g}" for profile in self.profiles.values())
        yield Pairs(result.title(f"{parameter.name} at {levels} CL (Δχ² ≤ {bounds})"), tuple(rows))
        if self.variations is not None:
            from nurecoil.verbs.vary import table

            found = table(self)
            yield replace(found, rows=tuple(tuple(cell.replace("−", "-") for cell in r) for r in found.rows))

    def figure(self, result: Result["Limit"]) -> Figure:
        parameter = self.parameter.as_asked
        unit = parameter.inside
        profiles = sorted(self.profiles.items(), reverse=True)  # the smaller intervals above the larger
        _, largest = profiles[0]
        allowed = [
            _allowed(profile, unit, cl_label(cl) if len(profiles) > 1 else "allowed", colour)
            for (cl, profile), colour in zip(profiles, LEVEL_COLOURS * len(profiles), strict=False)
            if profile.intervals
        ]
        ends = [
            Reference(x / unit, "x", typeset(parameter.format(x, 4)))
            for interval in largest.intervals  # those of all levels would be too close to one another
            for x, is_open in interval.ends
            if not is_open
        ]
        series = (curve(largest, unit, r"$\Delta\chi^2$", "grey"), *allowed)
        lines = (*(level_line(profile, cl_label(cl)) for cl, profile in profiles), *ends)
        return figure(result, cl_label(*self.profiles), largest, series, lines, 4 * largest.level)


@undisturbed
def limit(
    study: Study,
    parameter: Scanned,
    within: Within,
    *,
    cl: Levels = "90%",
    freeze_at: Annotated[
        float | str | None,
        Told("Hold nuisance parameters at their best fit there.", shown="profile them"),
    ] = None,
    points: CurvePoints = 2001,
    vary: Annotated[bool, Told("Say what the limit hangs on, choice by choice.")] = False,
) -> Result[Limit]:
    """Return all intervals of one parameter that the experiments allow together.

    Parameters
    ----------
    parameter, within
        Of the model, or a nuisance parameter of an experiment, which is then free of its prior; its range,
        "0.2..20 TeV".
    cl
        0.9 or "90%", or several; Δχ² follows from Wilks' theorem with one degree of freedom.
    freeze_at
        None profiles the pulls at every point. Else Δχ² is counted from this one, as some papers do; "inf"
        is where the parameter decouples.
    points
        At most; the intervals' ends do not depend on it.
    vary
        Find the limit again with one choice after another made otherwise, and say how far it moves.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("331-beta", "binh2021-csi", beta="-sqrt(3)", sin2_theta_w=0.23867)
    >>> result = study.limit("m_zprime", "0.1..100 TeV")
    >>> f"{result.values.profile.lower_limit / 1e6:.2f} TeV"
    '1.48 TeV'
    >>> print(result)  # doctest: +ELLIPSIS
    m_zprime at 90 % CL (Δχ² ≤ 2.706): 331-beta, binh2021-csi
      allowed      above 1.48 TeV (scanned up to 100 TeV)
    ...
    """
    require_curve(points)
    levels = several_levels(cl)
    (scanned,) = study.ranges({parameter: within})
    frozen = None if freeze_at is None else study.value(scanned.parameter, freeze_at, infinite=True)

    def ask(study: Study) -> Result[Limit]:
        result = limit_of(study.question({parameter: scanned.low}), scanned, levels, frozen, points)
        return replace(result, notes=(*result.notes, *on_mixing_angle(study.experiments, result.fixed)))

    if not vary:
        return ask(study)
    from nurecoil.verbs import vary as varying

    return varying.vary(study, ask)


def limit_of(
    question: Question,
    within: Range,
    cl: Sequence[float],
    freeze_at: float | None = None,
    points: int = 2001,
) -> Result[Limit]:
    """Return the same for a question with one free parameter."""
    parameter = replace(question.free[0], shown=within.parameter.shown)
    curves, settled, notes = allowed(question, within, cl, freeze_at, points)
    if freeze_at is None:
        notes = (*_edge_notes(parameter, curves[0]), *notes)
    frozen = freeze_at is not None and written([parameter], {parameter.name: freeze_at}, 6)
    return question.result(
        "limit",
        Limit(parameter, dict(zip(cl, curves, strict=True))),
        converged=settled,
        notes=notes,
        nuisances=f"frozen at their best fit for {frozen}, Δχ² counted from there" if frozen else "profiled",
        settings={
            "scan": [parameter.name, *within.ends],
            "cl": list(cl),
            "freeze_at": "inf" if freeze_at == math.inf else freeze_at,  # JSON has no infinity
            "points": points,
        },
    )


def allowed(
    question: Question, within: Range, cl: Sequence[float], freeze_at: float | None, points: int
) -> tuple[Sequence[Profile], bool, tuple[str, ...]]:
    """Return Δχ² with its intervals by level, whether all has converged, and what to say if not."""
    reference = None
    profiled = Curve(question)
    chi2: Callable[[Array], Array] = profiled
    if freeze_at is not None:
        if question.over:
            raise NurecoilError(
                f"nuisance parameters cannot be frozen while {', '.join(question.over)} is profiled over: do"
                " one of them"
            )
        frozen = question.profiled([[freeze_at]])
        chi2, reference = lambda x: question.unprofiled(x[:, None], frozen.pulls), float(frozen.chi2[0])
    with in_steps(EXPECTED) as profiled.begin:
        at_infinity = profiled.at_infinity if freeze_at is None else None
        axis = Axis(*within.ends, log=within.log)
        line = Line(chi2, axis, points, question.likelihood.noise, at_infinity)
        curves = profiles(line, [threshold(each) for each in cl], reference)
    return curves, profiled.converged and all(curve.converged for curve in curves), profiled.notes


def _limits(parameter: Parameter, profile: Profile) -> list[tuple[str, str]]:
    """Return the one-sided limit, or why there is none."""
    named = (("lower limit", profile.lower_limit), ("upper limit", profile.upper_limit))
    found = [(name, parameter.format(value, 4)) for name, value in named if value is not None]
    if found or not profile.intervals:
        return found
    if len(profile.intervals) > 1:
        return [("limits", "several intervals")]
    (only,) = profile.intervals
    both = only.open_low and only.open_high
    return [("limit", "none in the scanned range") if both else ("limits", "two-sided interval")]


def _edge_notes(parameter: Parameter, curve: Profile) -> Iterator[str]:
    if math.isinf(curve.best_fit):
        yield f"χ² is lowest where {parameter.name} decouples: the intervals are relative to that point."
    elif np.ptp(curve.delta_chi2) < _FLAT:
        yield f"χ² does not depend on {parameter.name}: every value is allowed."
    elif at_edge(curve.best_fit, curve.values):
        yield edge_note(f", {parameter.format(curve.best_fit, 4)},", "the intervals")


def _allowed(profile: Profile, unit: float, label: str, colour: str) -> Series:
    """Return the allowed part of the curve as one series with gaps."""
    pieces = []
    for interval in profile.intervals:
        inside = (profile.values > interval.low) & (profile.values < interval.high)
        low, high = (math.nan if is_open else profile.level for _, is_open in interval.ends)
        x = [interval.low, *profile.values[inside], interval.high, interval.high]
        pieces.append(np.array([x, [low, *profile.delta_chi2[inside], high, math.nan]]))  # NaN: a gap
    x, y = np.concatenate(pieces, axis=1)
    return Series(x / unit, y, label, colour=colour)


COMMAND = Verb(limit, HELP, holds=(*HOLDS, "profile"), plots=True)
