"""How well does the best fit describe the data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.significance import binomial_error, log_p_value
from nurecoil.likelihood import Fitted
from nurecoil.likelihood.objective import deviance
from nurecoil.models import Model
from nurecoil.parameters import Values, Widths
from nurecoil.progress import stepwise
from nurecoil.study.minima import fitted_from, minima, starting_points
from nurecoil.study.question import Question
from nurecoil.study.result import Result

Array = NDArray[np.float64]

_CHUNK_NUMBERS = 10_000_000  # of simulated counts at once: bounds the memory
_SAME = 1e-7  # in χ²: as near as fits come
_LOW_COUNTS = 5.0  # expected in a bin; below it χ² is not distributed as χ²


@dataclass(frozen=True)
class Contribution:
    """What one experiment adds to χ²: -2 ln λ of its bins at the best fit of all."""

    chi2: float
    bins: int


@dataclass(frozen=True, eq=False)
class Toys:
    """The goodness of fit of simulated experiments, each fitted as the data were.

    Attributes
    ----------
    chi2
        Of each toy, shape (toys,).
    p_value, error
        The fraction that fits no better than the data, and its binomial error (never zero: the standard
        deviation of the fraction's posterior).
    converged
        How many of the fits converged.
    seed
        Of the random numbers.
    """

    chi2: Array
    p_value: float
    error: float
    converged: int
    seed: int


@dataclass(frozen=True)
class Goodness:
    """The goodness of fit.

    Attributes
    ----------
    chi2
        -2 ln λ against the saturated model, the priors of the nuisance parameters included.
    bins, fitted
        The number of bins, and of fitted parameters without a prior.
    p_value
        P(χ²_dof >= χ²): asymptotic, for many counts in each bin.
    contributions
        By experiment.
    priors
        What the priors add to χ².
    best_fit
        The free parameters (inside units).
    toys
        The p-value from simulated experiments, if asked for.
    """

    chi2: float
    bins: int
    fitted: int
    p_value: float
    contributions: Mapping[str, Contribution]
    priors: float
    best_fit: Mapping[str, float]
    toys: Toys | None

    @property
    def dof(self) -> int:
        """Bins minus fitted parameters: a nuisance parameter with a prior is one more measurement too."""
        return self.bins - self.fitted


@undisturbed
def goodness(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    start: Mapping[str, float],
    *,
    starts: Sequence[Mapping[str, float]] = (),
    widths: Widths | None = None,
    engine: str = "auto",
    toys: int = 0,
    seed: int = 1,
) -> Result[Goodness]:
    r"""Return how well the best fit describes the data (Baker and Cousins, NIM 221 (1984) 437).

    .. math:: \chi^2 = 2 \sum_b \left[\mu_b - n_b + n_b \ln(n_b/\mu_b)\right] + \sum_k (x_k/w_k)^2

    Parameters
    ----------
    model, experiments, fixed, start, starts, widths, engine
        As for `fit`; `start` may be empty, for a model without free parameters.
    toys : int
        Simulate so many experiments at the best fit, auxiliary measurements of the nuisance parameters
        included, and fit each of them anew.
    seed : int
        Of the random numbers.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("standard-model")
    >>> answer = goodness(model, [csi], {"sin2_theta_w": 0.23867}, {}).values
    >>> f"{answer.chi2:.3f} for {answer.dof}, p = {answer.p_value:.2f}"
    '0.941 for 1, p = 0.33'
    """
    if toys < 0 or toys % 1:
        raise NurecoilError(f"{toys} toys are not allowed: give a whole number, 0 or more")
    question = Question.of(model, experiments, fixed, start, widths, engine)
    best = minima(question, starting_points(question, starts))
    fitted = len(question.free) + _floating(question)
    contributions = _contributions(question, best)
    bins = sum(each.bins for each in contributions.values())
    if bins <= fitted:
        raise NurecoilError(
            f"{bins} bin{'s' if bins > 1 else ''} cannot test a fit of {fitted} parameters: at least one more"
            " is needed"
        )
    chi2 = float(best.chi2[0])
    simulated = _simulated(question, best, toys, seed) if toys else None
    answer = Goodness(
        chi2=chi2,
        bins=bins,
        fitted=fitted,
        p_value=math.exp(log_p_value(chi2, bins - fitted)),
        contributions=contributions,
        priors=chi2 - sum(each.chi2 for each in contributions.values()) if chi2 < math.inf else 0.0,
        best_fit={p.name: float(x) for p, x in zip(question.free, best.points[0], strict=True)},
        toys=simulated,
    )
    return question.result(
        "goodness",
        answer,
        converged=bool(best.converged[0]) and (simulated is None or simulated.converged == toys),
        notes=_notes(question, best, simulated),
        settings={
            "start": dict(start),
            "starts": [dict(s) for s in starts],
            "toys": toys,
            "seed": seed,
        },
    )


def _floating(question: Question) -> int:
    """Return how many nuisance parameters float without a prior, not counting the free ones."""
    free = {p.name for p in question.free}
    likelihood = question.likelihood
    return sum(
        math.isinf(width) and pull.name not in free
        for pull, width in zip(likelihood.pulls, likelihood.width, strict=True)
    )


def _contributions(question: Question, best: Fitted) -> dict[str, Contribution]:
    likelihood = question.likelihood
    expected = question.expected(best.points[0], best.pulls[0]).counts
    return {
        term.name: Contribution(_deviance(observed, mu, term.sigma), observed.size)
        for term, observed, mu in zip(likelihood.terms, likelihood.observed.counts, expected, strict=True)
    }


def _deviance(observed: Array, mu: Array, sigma: Array | None) -> float:
    unit = 1.0 if sigma is None else sigma
    return float(deviance(np.atleast_2d(mu / unit), observed / unit, sigma is not None, np)[0][0])


def _simulated(question: Question, best: Fitted, toys: int, seed: int) -> Toys:
    """Return the goodness of fit of toys at the best fit, pulls and parameters fitted to each."""
    rng, chi2, converged = np.random.default_rng(seed), np.empty(toys), 0
    chunk = max(1, _CHUNK_NUMBERS // sum(term.observed.size for term in question.likelihood.terms))
    for first in stepwise(range(0, toys, chunk), f"{toys} toys"):
        part = chi2[first : first + chunk]
        data = question.simulate(best.points[0], best.pulls[0], part.size, rng)
        found = fitted_from(question.with_data(data), best.points)
        part[:] = found.chi2
        converged += int(found.converged.sum())
    no_better = int((chi2 >= best.chi2[0] - _SAME).sum())
    return Toys(chi2, no_better / toys, float(binomial_error(no_better, toys)), converged, seed)


def _notes(question: Question, best: Fitted, toys: Toys | None) -> tuple[str, ...]:
    notes = []
    low = sum(
        int((mu < _LOW_COUNTS).sum())
        for term, mu in zip(
            question.likelihood.terms, question.expected(best.points[0], best.pulls[0]).counts, strict=True
        )
        if term.sigma is None
    )
    if low:
        notes.append(
            f"{low} bins expect fewer than {_LOW_COUNTS:g} counts, where χ² does not follow its asymptotic"
            " distribution: " + ("trust the toys." if toys else "ask for toys.")
        )
    if toys and toys.converged < len(toys.chi2):
        notes.append(
            f"{len(toys.chi2) - toys.converged} of {len(toys.chi2)} fits of toys did not converge: their χ²"
            " is too large, and so is p."
        )
    if not best.converged[0]:
        notes.append("the fit did not converge: try other starts.")
    return tuple(notes)
