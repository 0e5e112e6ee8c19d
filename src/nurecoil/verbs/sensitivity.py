"""`sensitivity`: which values of one parameter would be allowed if the data were exactly as expected."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nurecoil.arithmetic import undisturbed
from nurecoil.models import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values, at_border
from nurecoil.presentation.document import Area, Block, Figure, Pairs
from nurecoil.presentation.labels import cl_label
from nurecoil.progress import in_steps
from nurecoil.study.arguments import level, require_toys
from nurecoil.study.bands import Bands, bands
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study, Within
from nurecoil.verbs.intervals import curve, figure, interval_rows, level_line, profile_record, require_curve
from nurecoil.verbs.limit import Limit, allowed, limit_of
from nurecoil.verbs.options import CurvePoints, Level, Scanned, Seed, Toys, Truth, Verb

HELP = """Find the limit on one parameter that experiments are expected to set: all allowed intervals if every
count were exactly as the Standard Model, or another point (--truth), predicts. The observed ones stand beside
it. With --toys, the median of simulated experiments, and what 68 % and 95 % of them find.

\b
Examples:
  nurecoil sensitivity --model 331-beta --experiment binh2021-csi \\
    --set 'beta=-sqrt(3)' --scan m_zprime=0.1TeV..100TeV
  nurecoil sensitivity --model scaled-standard-model --experiment binh2021-lar \\
    --scan signal_strength=0..3 --truth signal_strength=1.2 --plot expected.png"""


@dataclass(frozen=True, repr=False)
class Sensitivity(Shown):
    """The expected limit, and the observed one to compare it with.

    Attributes
    ----------
    expected, observed
        The allowed intervals if the experiments saw exactly what is expected at `truth`, and what they saw.
    truth, parameters
        Where the data are expected (inside units), None is the Standard Model; of which it may have values.
    bands
        How the expected limit varies from experiment to experiment, if toys were asked for.
    projected
        Whether nothing was observed, so that the observed ones are the Standard Model's, and not shown.
    """

    expected: Limit
    observed: Limit
    truth: Values | None
    parameters: tuple[Parameter, ...]
    bands: Bands | None = None
    projected: bool = False

    @property
    def parameter(self) -> Parameter:
        """The scanned parameter."""
        return self.expected.parameter

    def record(self, result: Result["Sensitivity"]) -> dict[str, object]:
        parameter = self.parameter
        return {
            "parameter": parameter.name,
            "unit": parameter.unit,
            "truth": self.truth and at_border(self.parameters, self.truth),
            "expected": profile_record(parameter, self.expected.cl, self.expected.profile),
            "observed": None
            if self.projected
            else profile_record(parameter, self.observed.cl, self.observed.profile),
            "bands": self.bands and _bands_record(self.bands, parameter.inside),
        }

    def blocks(self, result: Result["Sensitivity"]) -> Iterator[Block]:
        parameter, rows = self.parameter, []
        rows += interval_rows("expected", parameter, self.expected.profile.intervals)
        if not self.projected:
            rows += interval_rows("observed", parameter, self.observed.profile.intervals)
        rows += _bands_rows(self.bands, parameter)
        shown = at_border(self.parameters, self.truth or {})
        place = ", ".join(f"{name} = {it['value']:g} {it['unit']}".rstrip() for name, it in shown.items())
        rows.append(("data expected at", place or "the Standard Model"))
        rows.append(result.convergence("the ends of the intervals are not exact"))
        bound = f"{100 * self.expected.cl:g} % CL (Δχ² ≤ {self.expected.profile.level:.4g})"
        yield Pairs(result.title(f"{parameter.name} at {bound}"), tuple(rows))

    def figure(self, result: Result["Sensitivity"]) -> Figure:
        parameter, profile = self.parameter.as_asked, self.expected.profile
        cl = cl_label(self.expected.cl)
        series = [curve(profile, parameter.inside, "expected", "vermillion", "dashed")]
        if not self.projected:
            series.append(curve(self.observed.profile, parameter.inside, "observed", "blue"))
        areas = _areas(self.bands, parameter.inside, 8 * profile.level) if self.bands else ()
        line, title = level_line(profile, cl), f"{cl}, expected{'' if self.projected else ' and observed'}"
        return figure(result, title, profile, series, [line], 4 * profile.level, areas)


@undisturbed
def sensitivity(
    study: Study,
    parameter: Scanned,
    within: Within,
    *,
    truth: Truth = None,
    cl: Level = "90%",
    points: CurvePoints = 2001,
    toys: Toys = 0,
    seed: Seed = 1,
) -> Result[Sensitivity]:
    """Return the intervals of one parameter that the experiments would allow, and those that they do.

    The expected ones are the limit from the Asimov data: each count is what is expected, every nuisance
    parameter was measured at its centre. They are the median of many experiments where Wilks' theorem holds
    (Cowan:2010js, section 3.2). Gaussian counts keep the σ of the data.

    Parameters
    ----------
    parameter, within, cl, points
        As for `limit`.
    truth
        Values of parameters, in place of those that are set; by default it is the Standard Model.
    toys
        Give the bands in which Δχ² and the limits lie.
    seed
        Of the random numbers.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("scaled-standard-model", "binh2021-csi")
    >>> answer = study.sensitivity("signal_strength", "0..3").values
    >>> [f"{one.low:.2f} to {one.high:.2f}" for one in answer.expected.profile.intervals]
    ['0.61 to 1.93']
    """
    require_curve(points)
    require_toys(toys, seed)
    study.require_nothing_profiled("sensitivity")
    cl = level(cl)
    (scanned,) = study.ranges({parameter: within})
    place = None if truth is None else study.point(truth)
    question = study.question({parameter: scanned.low})
    with in_steps(3 if toys else 2) as begin:
        begin("the observed limit")
        observed = limit_of(question, scanned, [cl], points=points)
        true = _true(question, study, place)
        data = true.expected([true.start[name] for name in true.names])
        asked, seen = question.with_data(data), observed.values.profile
        if toys:
            begin(f"{toys} toys")
        varying = bands(question, true, *scanned.ends, seen.level, toys, seed) if toys else None
        begin("the expected limit")
        (expected,), settled, notes = allowed(asked, scanned, [cl], None, points)
    return question.result(
        "sensitivity",
        Sensitivity(
            Limit(scanned.parameter, {cl: expected}),
            observed.values,
            place,
            study.parameters,
            varying,
            not study.observes,
        ),
        converged=observed.converged and settled and (varying is None or varying.converged == toys),
        notes=[*(note for note in observed.notes if note not in question.remarks), *notes],
        settings={
            "scan": [parameter, *scanned.ends],
            "cl": cl,
            "points": points,
            "truth": place,
            "toys": toys,
            "seed": seed,
        },
    )


def _true(question: Question, study: Study, place: Values | None) -> Question:
    """Return the question of what is true, which is its start; nuisance parameters are at their centres."""
    model, others, start = study.model, study.values, place
    if start is None:
        model, set_ = STANDARD_MODEL, question.values
        others = model.resolve({p.name: set_[p.name] for p in model.parameters if p.name in set_})
        start = {"sin2_theta_w": others["sin2_theta_w"]}
    others = {name: value for name, value in others.items() if name not in start}
    return Question.of(model, study.experiments, others, start, likelihood=question.likelihood)


def _bands_record(bands: Bands, unit: float) -> dict[str, object]:
    return {
        "lowest_allowed": bands.low / unit,
        "highest_allowed": bands.high / unit,
        "curve": {"values": bands.values / unit, "delta_chi2": bands.delta_chi2},
        "toys": bands.toys,
        "not_converged": bands.toys - bands.converged,
        "seed": bands.seed,
    }


def _bands_rows(bands: Bands | None, parameter: Parameter) -> list[tuple[str, str]]:
    """Return the median, 1σ and 2σ bands of the ends that do not lie at the edges of the scan."""
    if bands is None:
        return []
    rows = []
    edges = float(bands.values[0]), float(bands.values[-1])
    for name, ends in (("lowest allowed", bands.low), ("highest allowed", bands.high)):
        if not all(end in edges for end in ends.tolist()):
            texts = [parameter.format(end, 3) for end in ends.tolist()]
            one, two = f"1σ {texts[1]} to {texts[3]}", f"2σ {texts[0]} to {texts[4]}"
            rows.append((name, f"{texts[2]}, {one}, {two} ({bands.toys} toys)"))
    return rows


def _areas(bands: Bands, unit: float, top: float) -> tuple[Area, ...]:
    """Return what 95 % and 68 % of toys find, the smaller above the larger."""
    x, y = bands.values / unit, np.minimum(bands.delta_chi2, top)

    def area(low: int, high: int, label: str, colour: str) -> Area:
        there, back = np.stack([x, y[low]], axis=1), np.stack([x, y[high]], axis=1)[::-1]
        return Area((np.concatenate([there, back, there[:1]]),), (), label, colour)

    return area(0, 4, "95 % of toys", "orange"), area(1, 3, "68 % of toys", "green")


COMMAND = Verb(sensitivity, HELP, plots=True)
