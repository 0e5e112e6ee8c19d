"""`combine`: what each experiment says alone, what all say together and without each one: do they agree."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array, undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.intervals import Profile
from nurecoil.inference.significance import log_p_value, standard_deviations
from nurecoil.likelihood import Fitted, lowest
from nurecoil.likelihood.data import Data
from nurecoil.parameters import Parameter, Range
from nurecoil.presentation.document import Bars, Block, Figure, Pairs, RowChart, Table
from nurecoil.presentation.labels import axis_label, cl_label, spelled, symbol
from nurecoil.progress import in_steps
from nurecoil.study.arguments import level, require_toys
from nurecoil.study.p_value import ByToys, by_toys
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study, Within
from nurecoil.study.toys import minima_of
from nurecoil.verbs.intervals import at_edge, edge_note, interval_rows, profile_record, require_curve
from nurecoil.verbs.limit import limit_of
from nurecoil.verbs.options import CurvePoints, Level, Scanned, Seed, Toys, Verb

HELP = """Find the allowed values of one parameter by each experiment alone, by all together, and by all but
one; and test whether the experiments agree (parameter goodness of fit).

\b
Examples:
  nurecoil combine --model standard-model --experiment coherent-csi-2021 \\
    --experiment coherent-lar-2020 \\
    --set electroweak=radiative --scan sin2_theta_w=0.05..0.5 --cl 68% --plot combination.png
  nurecoil combine --model nsi --experiment coherent-csi-2021 --experiment conus-plus-2025 \\
    --scan eps_u_ee=-1..1 --toys 1000"""
_TOYS_AT_ONCE = 200
_BARS = {"alone": ("one alone", "blue"), "without": ("all but one", "orange"), "together": ("all", "black")}


@dataclass(frozen=True)
class Measurement:
    """What some experiments say of the parameter: best fit, its χ², and all allowed intervals."""

    name: str
    experiments: tuple[str, ...]
    profile: Profile
    converged: bool


@dataclass(frozen=True)
class Compatibility:
    """The parameter goodness of fit: how well one value of the parameter suits all experiments.

    `chi2` is χ²_min of all together less the sum of those of each alone, not negative but where pulls are
    shared; `dof` the number of experiments less one; `p_value` and `sigma` are asymptotic. `toys`, if asked
    for, has the p-value of simulated experiments, in which what is shared is shared.
    """

    chi2: float
    dof: int
    p_value: float
    sigma: float
    toys: ByToys | None = None


@dataclass(frozen=True, repr=False)
class Combination(Shown):
    """One parameter, by each experiment, by all of them, and by all but one.

    Attributes
    ----------
    parameter, cl
        The scanned parameter and the confidence level.
    together, alone, without
        All experiments, each alone, and all without each one; the last is empty for two experiments.
    compatibility, shared
        Whether the experiments agree, and the nuisance parameters that several have in common.
    """

    parameter: Parameter
    cl: float
    together: Measurement
    alone: tuple[Measurement, ...]
    without: tuple[Measurement, ...]
    compatibility: Compatibility
    shared: tuple[str, ...]

    def record(self, result: Result["Combination"]) -> dict[str, object]:
        toys = self.compatibility.toys
        return {
            "parameter": self.parameter.name,
            "unit": self.parameter.unit,
            "results": {
                each.name: {
                    "experiments": each.experiments,
                    **profile_record(self.parameter, self.cl, each.profile),
                }
                for each in (*self.alone, *self.without, self.together)
            },
            "compatibility": {**vars(self.compatibility), "toys": toys and toys.record()},
            "shared": self.shared,
        }

    def blocks(self, result: Result["Combination"]) -> Iterator[Block]:
        parameter, rows = self.parameter, []
        for each in (*self.alone, *self.without, self.together):
            best = parameter.format(each.profile.best_fit, 4) if math.isfinite(each.profile.best_fit) else "∞"
            for name, text in interval_rows(each.name, parameter, each.profile.intervals):
                rows.append((name, best if name else "", text))
        title = f"{parameter.name} at {100 * self.cl:g} % CL: {result.model}"
        yield Table(title, ("experiments", "best fit", "allowed"), tuple(rows), right=(1,))
        agree = self.compatibility
        pairs = (
            ("χ²", f"{agree.chi2:.2f} for {agree.dof} degree{'s' * (agree.dof > 1)} of freedom"),
            ("p", f"{agree.p_value:.3g} ({agree.sigma:.2f} σ)"),
            *((("p by toys", str(agree.toys)),) if agree.toys else ()),
            result.convergence("the ends of the intervals are not exact"),
        )
        yield Pairs("Do the experiments agree? (parameter goodness of fit)", pairs)

    def figure(self, result: Result["Combination"]) -> Figure:
        parameter = self.parameter.as_asked
        unit = parameter.inside
        kinds = {"alone": self.alone, "without": self.without, "together": (self.together,)}
        rows = [(kind, found) for kind, several in kinds.items() for found in several]
        bars = [_intervals(kind, rows, unit) for kind, several in kinds.items() if several]
        best = np.array([found.profile.best_fit for _, found in rows]) / unit
        (here,) = np.isfinite(best).nonzero()  # elsewhere χ² is lowest where the parameter decouples
        if here.size:
            at = best[here]
            bars.append(Bars(here, at, at, "best fit (dashed: of all)", at, colour="white"))
        scanned = self.together.profile.values / unit
        log = parameter.log_scan and bool(scanned[0] > 0)
        chart = RowChart(
            x_label=axis_label(parameter),
            rows=tuple(spelled(found.name) for _, found in rows),
            bars=tuple(bars),
            lines=tuple(best[-1:][np.isfinite(best[-1:])]),
            x_log=log,
            x_range=(float(scanned[0]), float(scanned[-1])) if log else _around(bars, scanned),
        )
        title = f"{symbol(parameter)} at {cl_label(self.cl)}"
        return Figure("combination", title, "", (chart,), subtitle=result.facts)


@undisturbed
def combine(
    study: Study,
    parameter: Scanned,
    within: Within,
    *,
    cl: Level = "90%",
    points: CurvePoints = 201,
    toys: Toys = 0,
    seed: Seed = 1,
) -> Result[Combination]:
    r"""Return the allowed values of one parameter by experiment, and whether the experiments agree.

    .. math:: \chi^2_\mathrm{PG} = \min_\theta \sum_e \chi^2_e(\theta) - \sum_e \min_\theta \chi^2_e(\theta)

    follows χ² with (experiments - 1) degrees of freedom if one θ is true for all (Maltoni:2003cu). A
    nuisance parameter that experiments share is one in a common fit, while each experiment alone fits a copy
    of its own, with the whole prior: χ²_PG then holds the prior's share of each copy, can even be negative,
    and p is only approximate. Toys take that into account: all share the values that are measured once.

    Parameters
    ----------
    parameter, within, cl, points
        As for `limit`, of a study of at least two experiments; one confidence level.
    toys, seed
        So many are simulated at the best fit of all, pulls included; what counts is the fraction whose χ²_PG
        is at least that of the data.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("scaled-standard-model", ["binh2021-csi", "binh2021-lar"])
    >>> answer = study.combine("signal_strength", "0..3", cl=0.68).values
    >>> [f"{each.profile.best_fit:.3f}" for each in (*answer.alone, answer.together)]
    ['0.685', '0.845', '0.810']
    """
    require_curve(points)
    require_toys(toys, seed)
    study.require_nothing_profiled("combine")
    experiments = study.experiments
    if len(experiments) < 2:
        raise NurecoilError(f"{len(experiments)} experiment cannot be combined: give at least two")
    cl = level(cl)
    (scanned,) = study.ranges({parameter: within})
    _require_everywhere(study, parameter)
    question = study.question({parameter: scanned.low})
    if toys and not question.of_model:
        raise NurecoilError(f"toys need a parameter of {study.model.name}, and {parameter} is a pull")

    def asked(chosen: Sequence[CompiledExperiment]) -> Question:
        likelihood = question.likelihood.part([each.experiment.name for each in chosen])
        start = {parameter: scanned.low}
        return Question.of(study.model, chosen, study.values, start, likelihood=likelihood)

    def measured(title: str, question: Question) -> Measurement:
        begin(title)
        found = limit_of(question, scanned, [cl], points=points)
        return Measurement(title, found.experiments, found.values.profile, found.converged)

    left_out = experiments if len(experiments) > 2 else ()
    with in_steps(1 + len(experiments) + len(left_out)) as begin:
        together = measured("together", question)
        parts = [asked([each]) for each in experiments]
        alone = tuple(measured(name, part) for name, part in zip(study.names, parts, strict=True))
        without = tuple(
            measured(f"without {one.experiment.name}", asked([e for e in experiments if e is not one]))
            for one in left_out
        )
    chi2, dof = together.profile.minimum - sum(each.profile.minimum for each in alone), len(alone) - 1
    p = math.exp(log_p_value(chi2, dof))
    best = np.array([together.profile.best_fit])
    found = _simulated(question, parts, scanned, best, chi2, toys, seed) if toys else None
    answer = Combination(
        parameter=scanned.parameter,
        cl=cl,
        together=together,
        alone=alone,
        without=without,
        compatibility=Compatibility(chi2, dof, p, standard_deviations(chi2, dof), found),
        shared=_shared(experiments, question),
    )
    return question.result(
        "combine",
        answer,
        converged=all(each.converged for each in (together, *alone, *without))
        and not (found and found.not_converged),
        notes=_notes(answer),
        settings={"scan": [parameter, *scanned.ends], "cl": cl, "points": points, "toys": toys, "seed": seed},
    )


def _simulated(
    question: Question,
    parts: Sequence[Question],
    within: Range,
    best: Array,
    observed: float,
    toys: int,
    seed: int,
) -> ByToys:
    """Return χ²_PG of toys at the best fit of all; each is fitted from there and from all minima."""
    pulls = question.profiled(best).pulls[0]
    expected = question.expected(best, pulls)
    every = (question, *parts)
    starts = [_starts(_seeing(each, expected, question), within, best) for each in every]

    def of_toys(toy: Question) -> tuple[Array, NDArray[np.bool_]]:
        data = toy.likelihood.observed
        together, *alone = (
            _lowest(_seeing(each, data, question), begins, within)
            for each, begins in zip(every, starts, strict=True)
        )
        chi2 = together.chi2 - np.sum([each.chi2 for each in alone], axis=0)
        return chi2, np.all([each.converged for each in (together, *alone)], axis=0)

    return by_toys(question, best, pulls, of_toys, observed, toys=toys, seed=seed, at_once=_TOYS_AT_ONCE)


def _seeing(part: Question, data: Data, whole: Question) -> Question:
    """Return a question to what its experiments have of the data of all."""
    names = [term.name for term in part.likelihood.terms]
    return part.with_data(whole.with_data(data).likelihood.part(names).observed)


def _starts(expected: Question, within: Range, best: Array) -> list[Array]:
    """Return where fits of toys begin: the truth, and the minima of what is expected of it."""
    return [*([best] if np.isfinite(best).all() else []), *minima_of(expected, *within.ends)]


def _lowest(toys: Question, starts: Sequence[Array], within: Range) -> Fitted:
    """Return the lowest fits inside the range, or where the parameter decouples."""
    low, high = np.array([within.ends]).T
    best = lowest([toys.fitted(start[np.newaxis], low, high, toys.likelihood.begin) for start in starts])
    best = lowest([best, toys.fitted(best.points, low, high, best.pulls, np.inf)])  # other valleys of pulls
    if within.parameter.decouples:
        best = lowest([best, replace(toys.profiled([[np.inf]]), points=best.points)])
    return best


def _require_everywhere(study: Study, name: str) -> None:
    """Refuse a nuisance parameter that not every experiment has: the others say nothing of it."""
    if any(p.name == name for p in study.model.parameters):
        return
    experiments = [each.experiment for each in study.experiments]
    lacking = [e.name for e in experiments if all(pull.name != name for pull in e.statistics.pulls)]
    if lacking and len(lacking) < len(experiments):
        raise NurecoilError(
            f"{name} is no parameter of {', '.join(lacking)}: combine only experiments that depend on it"
        )


def _shared(experiments: Sequence[CompiledExperiment], question: Question) -> tuple[str, ...]:
    """Return the nuisance parameters that are fitted and that several experiments have."""
    times = Counter(pull.name for each in experiments for pull in each.experiment.statistics.pulls)
    widths = question.prior_widths
    return tuple(name for name, n in times.items() if n > 1 and widths.get(name))


def _notes(answer: Combination) -> Iterator[str]:
    if answer.shared and not answer.compatibility.toys:
        yield (
            f"experiments share {', '.join(answer.shared)}, of which each alone fits a copy of its own: the"
            " test of compatibility is approximate."
        )
    profiles = {each.name: each.profile for each in (answer.together, *answer.alone)}
    if edge := [name for name, its in profiles.items() if at_edge(its.best_fit, its.values)]:
        yield edge_note(f" of {', '.join(edge)}", "intervals and compatibility")


def _around(bars: Sequence[Bars], scanned: Array) -> tuple[float, float]:
    """Return a range that shows all bars, inside the scanned one."""
    low, high = float(min(b.low.min() for b in bars)), float(max(b.high.max() for b in bars))
    room = 0.1 * (high - low)
    return max(low - room, float(scanned[0])), min(high + room, float(scanned[-1]))


def _intervals(kind: str, rows: Sequence[tuple[str, Measurement]], unit: float) -> Bars:
    """Return the intervals of the rows of one kind."""
    pieces = np.array(
        [
            (number, interval.low / unit, interval.high / unit)
            for number, (its, found) in enumerate(rows)
            for interval in found.profile.intervals
            if its == kind
        ]
    )
    numbers, low, high = pieces.T
    label, colour = _BARS[kind]
    return Bars(numbers.astype(np.intp), low, high, label, colour=colour)


COMMAND = Verb(combine, HELP, plots=True)
