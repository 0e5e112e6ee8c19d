"""`significance`: how significant is what was seen, and what is expected to be seen."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array, undisturbed
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.inference.significance import log_p_value, standard_deviations
from nurecoil.likelihood import Fitted
from nurecoil.parameters import Parameter, at_border, written
from nurecoil.presentation.document import Block, Figure, Pairs
from nurecoil.study.arguments import require_toys
from nurecoil.study.minima import fitted_from, held_at, minima, spread, starting_points
from nurecoil.study.p_value import ByToys, by_toys
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study
from nurecoil.verbs.counts import BesideData
from nurecoil.verbs.options import Free, Seed, Starts, Told, Toys, Verb

HELP = """Find by how many standard deviations data reject a null hypothesis, from Δχ² to the best fit: what
was observed, and what was expected (--truth). With --toys, p is also the fraction of simulated experiments
that lie as far from the null hypothesis. Free parameters that --null does not name are fitted in both.

\b
Examples:
  nurecoil significance --model scaled-standard-model --experiment coherent-csi-2021 \\
    --set electroweak=radiative --free signal_strength=1 --null signal_strength=0 --fix sns_flux
  nurecoil significance --model nsi --experiment coherent-csi-2021 --free eps_u_ee=0.1 \\
    --free eps_u_mumu=0.1 --null eps_u_ee=0 --null eps_u_mumu=0"""
_TOYS_AT_ONCE = 2000


@dataclass(frozen=True)
class Rejection:
    """How strongly data reject a null hypothesis.

    Attributes
    ----------
    delta_chi2
        χ² of the null hypothesis above the best fit.
    log10_p_value, sigma
        The probability of a Δχ² at least as large if the null hypothesis is true, asymptotically; the same in
        standard deviations.
    """

    delta_chi2: float
    log10_p_value: float
    sigma: float

    def record(self) -> dict[str, float]:
        """Return it as plain data, with the p-value itself, which may be too small for a number."""
        return {**asdict(self), "p_value": 10**self.log10_p_value}

    def __str__(self) -> str:
        """Return the significance, Δχ² and p."""
        p = f"{10**self.log10_p_value:.3g}"
        if -math.inf < self.log10_p_value < -3:
            exponent = math.floor(self.log10_p_value)
            p = f"{10 ** (self.log10_p_value - exponent):.1f}e{exponent}"
        return f"{self.sigma:.2f} σ (Δχ² = {self.delta_chi2:.2f}, p = {p})"


@dataclass(frozen=True, repr=False)
class Significance(Shown):
    """The significance of a signal, or of a departure from a model.

    Attributes
    ----------
    parameters, best_fit, minimum
        All free parameters, their best fit (inside units), and χ² there.
    null, one_sided
        The null hypothesis: values of those that are tested (inside units), the others are fitted; and
        whether it lies at the bound of the one parameter that is tested.
    observed, expected, truth
        With the data, None of projections alone; and with Asimov data at `truth` (inside units), None where
        that is the null hypothesis.
    toys
        The p-value from simulated experiments, if asked for.
    drawn
        What is expected at the best fit and by the null hypothesis, beside the data.
    """

    parameters: tuple[Parameter, ...]
    null: Mapping[str, float]
    one_sided: bool
    observed: Rejection | None
    best_fit: Mapping[str, float]
    minimum: float
    expected: Rejection | None
    truth: Mapping[str, float] | None
    toys: ByToys | None = None
    drawn: BesideData | None = None

    def figure(self, result: Result["Significance"]) -> Figure:
        return (
            self.drawn.figure("Best fit and null hypothesis", result)
            if self.drawn
            else super().figure(result)
        )

    @property
    def dof(self) -> int:
        """How many parameters are tested."""
        return len(self.null)

    def record(self, result: Result["Significance"]) -> dict[str, object]:
        return {
            "null": at_border(self.parameters, self.null),
            "dof": self.dof,
            "one_sided": self.one_sided,
            "observed": self.observed and self.observed.record(),
            "expected": self.expected and self.expected.record(),
            "truth": self.truth and at_border(self.parameters, self.truth),
            "toys": self.toys and self.toys.record(),
            "best_fit": at_border(self.parameters, self.best_fit),
            "chi2": self.minimum,
        }

    def blocks(self, result: Result["Significance"]) -> Iterator[Block]:
        rows = [("null hypothesis", self._point(self.null))]
        if self.observed:
            rows.append(("observed", str(self.observed)))
        if self.toys:
            rows.append(("p by toys", str(self.toys)))
        expected = "nothing, at the null hypothesis itself: give another truth"
        if self.expected and self.truth:
            expected = f"{self.expected}, at {self._point(self.truth)}"
        rows.append(("expected", expected))
        rows.append(("best fit", f"{self._point(self.best_fit)}, χ² = {self.minimum:.2f}"))
        of_several = f"{self.dof} degree{'s' * (self.dof > 1)} of freedom"
        rows.append(("test", "one-sided, at a bound" if self.one_sided else of_several))
        rows.append(result.convergence())
        yield Pairs(result.title("Significance"), tuple(rows))

    def _point(self, at: Mapping[str, float]) -> str:
        return written(self.parameters, at)


@undisturbed
def significance(
    study: Study,
    free: Free,
    null: Annotated[
        Mapping[str, Any],
        Told("The null hypothesis; repeat for more parameters.", "NAME=VALUE", many=True),
    ],
    *,
    truth: Annotated[
        Mapping[str, Any] | None,
        Told(
            "Where data are expected, for the expected significance.",
            "NAME=VALUE",
            many=True,
            shown="the parameters' defaults",
        ),
    ] = None,
    starts: Starts = 5,
    toys: Toys = 0,
    seed: Seed = 1,
) -> Result[Significance]:
    r"""Return by how many standard deviations a null hypothesis is rejected, observed and expected.

    .. math:: q_0 = \chi^2(\mathrm{null}) - \chi^2_\min, \qquad
              p = P(\chi^2_k \ge q_0), \text{ half of it where the null lies at a bound}

    with k tested parameters (Wilks). For one parameter Z = √q₀, one- or two-sided
    (Cowan:2010js, eqs. 12, 50 and 53).

    Parameters
    ----------
    free : mapping
        Parameters to fit and where to start, ``{"m_zprime": "1 TeV"}``.
    null : mapping
        Values of some or all free parameters; the others are fitted.
    truth : mapping, optional
        Where data are expected, for the expected significance; by default parameters at their defaults.
    starts
        Starts in all; the others are spread around the first.
    toys
        Are simulated at the null hypothesis, the other parameters and the nuisance parameters at their best
        fit to the data; what counts is the fraction that lies as far from it as the data.
    seed
        Of the random numbers.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("scaled-standard-model", "binh2021-csi")
    >>> answer = study.significance({"signal_strength": 1.0}, null={"signal_strength": 0.0}).values
    >>> f"observed {answer.observed.sigma:.2f}, expected {answer.expected.sigma:.2f}"
    'observed 4.15, expected 6.05'
    """
    require_toys(toys, seed)
    question = study.question(study.free(free))
    more = spread(question, starts)
    tested, chosen = _point(study, question, null), _point(study, question, truth or {})
    if not tested:
        raise NurecoilError("a significance needs a null hypothesis: a value of at least one free parameter")
    one_sided = len(tested) == 1 and bool(_at_bound(question, tested))
    points = starting_points(question, more)
    place = _truth(question, tested, chosen)
    expected = None
    if place is not None:
        data = question.expected(np.array([place[p.name] for p in question.free]))
        expected = _rejection(question.with_data(data), points, tested, one_sided, place)
    seen = None if study.observes else expected
    seen = seen or _rejection(question, points, tested, one_sided)
    found = _simulated(question, points, tested, seen, toys, seed) if toys else None
    answer = Significance(
        parameters=question.free,
        null=tested,
        one_sided=one_sided,
        observed=seen.rejection if study.observes else None,
        best_fit=question.named(seen.best.points[0]),
        minimum=float(seen.best.chi2[0]),
        expected=expected.rejection if expected else None,
        truth=place,
        toys=found,
        drawn=BesideData.of(
            study.experiments,
            question.components(seen.best.points, seen.best.pulls),
            ("null hypothesis", question.components(seen.at_null[np.newaxis], seen.null.pulls)),
        ),
    )
    return question.result(
        "significance",
        answer,
        converged=seen.converged
        and (expected is None or expected.converged)
        and not (found and found.not_converged),
        notes=_notes(question, tested, one_sided, seen.converged, found),
        settings={
            "start": dict(question.start),
            "starts": more,
            "null": tested,
            "truth": chosen or None,
            "toys": toys,
            "seed": seed,
        },
    )


@dataclass(frozen=True)
class _Tested:
    """The best fit, and that of the null hypothesis with its point (d,)."""

    rejection: Rejection
    best: Fitted
    null: Fitted
    at_null: Array
    converged: bool


def _rejection(
    question: Question,
    starts: Array,
    null: Mapping[str, float],
    one_sided: bool,
    truth: Mapping[str, float] | None = None,
) -> _Tested:
    """Return how strongly the data of a question reject the null hypothesis."""
    rest = held_at(question, null)
    without = minima(rest, starts[:, [question.names.index(name) for name in rest.names]])
    at_null = {**null, **rest.named(without.points[0])}
    more = [[point[name] for name in question.names] for point in (at_null, truth) if point]
    begins = np.concatenate([starts, more])
    best = minima(question, begins[np.isfinite(begins).all(axis=1)])
    delta = max(0.0, float(without.chi2[0] - best.chi2[0]))
    rejection = Rejection(
        delta_chi2=delta,
        log10_p_value=log_p_value(delta, len(null), one_sided=one_sided) / math.log(10.0),
        sigma=standard_deviations(delta, len(null)),
    )
    settled = bool((without.converged[0] or without.chi2[0] == math.inf) and best.converged[0])
    return _Tested(rejection, best, without, np.array(more[0]), settled)


def _simulated(
    question: Question, starts: Array, null: Mapping[str, float], seen: _Tested, toys: int, seed: int
) -> ByToys:
    """Return Δχ² of toys at the null hypothesis; each is fitted from there too, so that none is negative."""
    starts = np.concatenate([[seen.at_null, seen.best.points[0]], starts])

    def of_toys(toy: Question) -> tuple[Array, NDArray[np.bool_]]:
        without = fitted_from(held_at(toy, null), seen.null.points[:1])
        found = fitted_from(toy, starts)
        settled = without.converged & (found.converged | (found.chi2 >= without.chi2))
        return np.maximum(without.chi2 - found.chi2, 0.0), settled

    place, observed = (seen.at_null, seen.null.pulls[0]), seen.rejection.delta_chi2
    return by_toys(question, *place, of_toys, observed, toys=toys, seed=seed, at_once=_TOYS_AT_ONCE)


def _point(study: Study, question: Question, given: Mapping[str, Any]) -> dict[str, float]:
    """Return values (inside units) of some free parameters."""
    for name in given:
        if name not in question.names:
            raise unknown_name("free parameter", name, question.names)
    return study.point(given)


def _at_bound(question: Question, null: Mapping[str, float]) -> list[str]:
    return [p.name for p in question.free if p.name in null and null[p.name] in (p.low, p.high)]


def _truth(
    question: Question, null: Mapping[str, float], chosen: Mapping[str, float]
) -> dict[str, float] | None:
    """Return where the expected significance is computed; None where that is the null hypothesis."""
    found = {p.name: chosen.get(p.name, p.default) for p in question.free}
    if None in found.values() or all(found[name] == value for name, value in null.items()):
        return None
    return {name: float(value) for name, value in found.items() if value is not None}


def _notes(
    question: Question,
    null: Mapping[str, float],
    one_sided: bool,
    converged: bool,
    toys: ByToys | None,
) -> Iterator[str]:
    if not toys:
        yield "the p-value is asymptotic (Wilks); toys can check it."
    if toys and not toys.p_value:
        yield f"none of {toys.number} toys lies as far from the null hypothesis as the data."
    if toys and toys.not_converged:
        yield f"{toys.not_converged} fits of toys did not converge."
    at_bound = _at_bound(question, null)
    if at_bound and not one_sided:
        yield f"{', '.join(at_bound)} lies at its bound in the null hypothesis: p is conservative."
    if not converged:
        yield "a fit did not converge: try other starts."


COMMAND = Verb(significance, HELP, plots=True)
