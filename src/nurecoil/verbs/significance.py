"""How significant is what was seen, and what is expected to be seen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.significance import binomial_error, log_p_value, standard_deviations
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values, Widths
from nurecoil.progress import stepwise
from nurecoil.study.minima import fitted_from, held_at, minima, starting_points
from nurecoil.study.question import Question
from nurecoil.study.result import Result

Array = NDArray[np.float64]

_TOYS_AT_ONCE = 2000
_SAME = 1e-7  # in χ²: as near as fits come


@dataclass(frozen=True)
class Rejection:
    """How strongly data reject a null hypothesis.

    Attributes
    ----------
    delta_chi2 : float
        χ² of the null hypothesis above the best fit.
    log10_p_value : float
        The probability of a Δχ² at least as large if the null hypothesis is true, asymptotically.
    sigma : float
        The same in standard deviations.
    """

    delta_chi2: float
    log10_p_value: float
    sigma: float


@dataclass(frozen=True, eq=False)
class NullToys:
    """Experiments simulated at the null hypothesis, each fitted as the data were.

    Attributes
    ----------
    delta_chi2
        Of each toy, shape (toys,).
    p_value, error
        The fraction that lies at least as far from the null hypothesis as the data, and its binomial error
        (never zero: the standard deviation of the fraction's posterior).
    converged
        In how many toys both fits converged.
    seed
        Of the random numbers.
    """

    delta_chi2: Array
    p_value: float
    error: float
    converged: int
    seed: int


@dataclass(frozen=True)
class Significance:
    """The significance of a signal, or of a departure from a model.

    Attributes
    ----------
    parameters
        All free parameters.
    null
        The null hypothesis: values of those that are tested (inside units); the others are fitted.
    one_sided
        Whether the null hypothesis lies at the bound of the one parameter that is tested.
    observed
        With the data.
    best_fit, minimum
        The best fit (inside units) and χ² there.
    expected, truth
        With Asimov data at `truth` (inside units); None where that is the null hypothesis itself.
    toys
        The p-value from simulated experiments, if asked for.
    """

    parameters: tuple[Parameter, ...]
    null: Mapping[str, float]
    one_sided: bool
    observed: Rejection
    best_fit: Mapping[str, float]
    minimum: float
    expected: Rejection | None
    truth: Mapping[str, float] | None
    toys: NullToys | None = None

    @property
    def dof(self) -> int:
        """How many parameters are tested."""
        return len(self.null)


@undisturbed
def significance(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    start: Mapping[str, float],
    null: Mapping[str, float],
    *,
    truth: Mapping[str, float] | None = None,
    starts: Sequence[Mapping[str, float]] = (),
    widths: Widths | None = None,
    engine: str = "auto",
    toys: int = 0,
    seed: int = 1,
) -> Result[Significance]:
    r"""Return by how many standard deviations a null hypothesis is rejected, observed and expected.

    .. math:: q_0 = \chi^2(\mathrm{null}) - \chi^2_\min, \qquad
              p = P(\chi^2_k \ge q_0), \text{ half of it where the null lies at a bound}

    with k tested parameters (Wilks). For one parameter Z = √q₀, one- or two-sided
    (Cowan et al., Eur. Phys. J. C 71, 1554 (2011), eqs. 12, 50 and 53).

    Parameters
    ----------
    model, experiments, fixed, start, starts, widths
        As for `fit`.
    null : mapping
        The null hypothesis: values of some or all free parameters (inside units).
    truth : mapping, optional
        Free parameters at which the expected significance is computed; by default all are at their defaults.
    engine : str
        What minimises, see `joint_likelihood`.
    toys, seed : int
        Simulate so many experiments at the null hypothesis, the other parameters and the nuisance parameters
        at their best fit to the data, and return the fraction that lies as far from it as the data.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> start, no_signal = {"signal_strength": 1.0}, {"signal_strength": 0.0}
    >>> answer = significance(model, [csi], {}, start, no_signal).values
    >>> f"observed {answer.observed.sigma:.2f}, expected {answer.expected.sigma:.2f}"
    'observed 4.15, expected 6.05'
    """
    if toys < 0 or toys % 1:
        raise NurecoilError(f"toys = {toys} is not allowed: give a whole number, 0 or more")
    question = Question.of(model, experiments, fixed, start, widths, engine)
    _check(question, null)
    one_sided = len(null) == 1 and all(
        null[p.name] in (p.low, p.high) for p in question.free if p.name in null
    )
    points = starting_points(question, starts)
    seen = _rejection(question, points, null, one_sided)
    place = _truth(question, null, truth)
    expected = None
    if place is not None:
        data = question.expected(np.array([place[p.name] for p in question.free]))
        expected = _rejection(question.with_data(data), points, null, one_sided, place)
    simulated = _simulated(question, points, null, seen, toys, seed) if toys else None
    answer = Significance(
        parameters=question.free,
        null=dict(null),
        one_sided=one_sided,
        observed=seen.rejection,
        best_fit=seen.best_fit,
        minimum=seen.minimum,
        expected=expected.rejection if expected else None,
        truth=place,
        toys=simulated,
    )
    return question.result(
        "significance",
        answer,
        converged=seen.converged
        and (expected is None or expected.converged)
        and (simulated is None or simulated.converged == toys),
        notes=_notes(question, null, one_sided, seen.converged, simulated),
        settings={
            "start": dict(start),
            "starts": [dict(s) for s in starts],
            "null": dict(null),
            "truth": truth and dict(truth),
            "toys": toys,
            "seed": seed,
        },
    )


@dataclass(frozen=True)
class _Tested:
    rejection: Rejection
    best_fit: Mapping[str, float]
    minimum: float
    converged: bool
    at_null: Array
    pulls_at_null: Array


def _rejection(
    question: Question,
    starts: Array,
    null: Mapping[str, float],
    one_sided: bool,
    truth: Mapping[str, float] | None = None,
) -> _Tested:
    """Return how strongly the data of a question reject the null hypothesis."""
    tested = [number for number, name in enumerate(question.names) if name in null]
    free = [number for number, name in enumerate(question.names) if name not in null]
    without = minima(held_at(question, null), starts[:, free])
    at_null = np.empty((1, len(question.names)))
    at_null[:, free], at_null[:, tested] = without.points[:1], [null[question.names[i]] for i in tested]
    more = [] if truth is None else [[[truth[name] for name in question.names]]]
    begins = np.concatenate([starts, at_null, *more])
    best = minima(question, begins[np.isfinite(begins).all(axis=1)])
    delta = max(0.0, float(without.chi2[0] - best.chi2[0]))
    rejection = Rejection(
        delta_chi2=delta,
        log10_p_value=log_p_value(delta, len(null), one_sided=one_sided) / math.log(10.0),
        sigma=standard_deviations(delta, len(null)),
    )
    return _Tested(
        rejection,
        dict(zip(question.names, best.points[0].tolist(), strict=True)),
        float(best.chi2[0]),
        bool((without.converged[0] or without.chi2[0] == math.inf) and best.converged[0]),
        at_null[0],
        without.pulls[0],
    )


def _simulated(
    question: Question, starts: Array, null: Mapping[str, float], seen: _Tested, toys: int, seed: int
) -> NullToys:
    """Return Δχ² of toys at the null hypothesis; each is fitted from there too, so that none is negative."""
    free = [number for number, name in enumerate(question.names) if name not in null]
    best = [seen.best_fit[name] for name in question.names]
    starts = np.concatenate([[seen.at_null, best], starts])
    rng, delta, converged = np.random.default_rng(seed), np.empty(toys), 0
    for first in stepwise(range(0, toys, _TOYS_AT_ONCE), f"{toys} toys"):
        part = delta[first : first + _TOYS_AT_ONCE]
        toy = question.with_data(question.simulate(seen.at_null, seen.pulls_at_null, part.size, rng))
        without = fitted_from(held_at(toy, null), seen.at_null[np.newaxis, free])
        found = fitted_from(toy, starts)
        part[:] = np.maximum(without.chi2 - found.chi2, 0.0)
        converged += int((without.converged & (found.converged | (found.chi2 >= without.chi2))).sum())
    as_far = int((delta >= seen.rejection.delta_chi2 - _SAME).sum())
    return NullToys(delta, as_far / toys, float(binomial_error(as_far, toys)), converged, seed)


def _check(question: Question, null: Mapping[str, float]) -> None:
    if not null:
        raise NurecoilError("a significance needs a null hypothesis: a value of at least one free parameter")
    for name in null:
        if name not in question.names:
            raise unknown_name("free parameter", name, question.names)
    for parameter in question.free:
        value = null.get(parameter.name, question.start[parameter.name])
        parameter.check(value, infinite=parameter.name in null)


def _truth(
    question: Question, null: Mapping[str, float], given: Mapping[str, float] | None
) -> dict[str, float] | None:
    """Return where the expected significance is computed; None where that is the null hypothesis."""
    for name in given or {}:
        if name not in question.names:
            raise unknown_name("free parameter", name, question.names)
    found = {p.name: {p.name: p.default, **(given or {})}[p.name] for p in question.free}
    for parameter in question.free:
        if (value := found[parameter.name]) is not None:
            parameter.check(value, infinite=True)
    if None in found.values() or all(found[name] == value for name, value in null.items()):
        return None
    return {name: float(value) for name, value in found.items() if value is not None}


def _notes(
    question: Question,
    null: Mapping[str, float],
    one_sided: bool,
    converged: bool,
    toys: NullToys | None,
) -> tuple[str, ...]:
    notes = [] if toys else ["the p-value is asymptotic (Wilks); toys can check it."]
    if toys and not toys.p_value:
        notes.append(f"none of {len(toys.delta_chi2)} toys lies as far from the null hypothesis as the data.")
    if toys and toys.converged < len(toys.delta_chi2):
        notes.append(f"{len(toys.delta_chi2) - toys.converged} fits of toys did not converge.")
    at_bound = [p.name for p in question.free if p.name in null and null[p.name] in (p.low, p.high)]
    if at_bound and not one_sided:
        notes.append(f"{', '.join(at_bound)} lies at its bound in the null hypothesis: p is conservative.")
    if not converged:
        notes.append("a fit did not converge: try other starts.")
    return tuple(notes)
