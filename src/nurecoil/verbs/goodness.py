"""`goodness`: how well the best fit describes the data."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array, undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.inference.significance import log_p_value
from nurecoil.likelihood import JointLikelihood
from nurecoil.parameters import Parameter, at_border
from nurecoil.presentation.document import Block, Figure, Pairs, Table
from nurecoil.study.arguments import require_toys
from nurecoil.study.minima import fitted_from, minima, spread, starting_points
from nurecoil.study.p_value import ByToys, by_toys
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study
from nurecoil.verbs.counts import BesideData
from nurecoil.verbs.options import MaybeFree, Seed, Starts, Toys, Verb

HELP = """Find how well the best fit of a model describes the data: χ² against the number of bins, what each
experiment adds to it, and with --toys the fraction of simulated experiments, each fitted as the data were,
that fit worse.

\b
Examples:
  nurecoil goodness --model standard-model --experiment coherent-csi-2021 --toys 1000
  nurecoil goodness --model standard-model --experiment coherent-csi-2021 \\
    --free sin2_theta_w=0.24 --toys 200 --json"""
_CHUNK_NUMBERS = 10_000_000  # of simulated counts at once: bounds the memory
_LOW_COUNTS = 5.0  # expected in a bin; below it χ² is not distributed as χ²


@dataclass(frozen=True)
class Contribution:
    """What one experiment adds to χ²: -2 ln λ of its bins at the best fit of all."""

    chi2: float
    bins: int


@dataclass(frozen=True, repr=False)
class Goodness(Shown):
    """The goodness of fit.

    Attributes
    ----------
    chi2, p_value
        -2 ln λ against the saturated model, the priors of the nuisance parameters included; P(χ²_dof >= χ²),
        asymptotic, for many counts in each bin.
    bins, fitted
        The number of bins, and of fitted parameters without a prior.
    contributions, priors
        What each experiment, and the priors, add to χ².
    parameters, best_fit
        The free parameters, and their best fit (inside units).
    toys
        The p-value from simulated experiments, if asked for.
    drawn
        What is expected at the best fit, beside the data.
    """

    chi2: float
    bins: int
    fitted: int
    p_value: float
    contributions: Mapping[str, Contribution]
    priors: float
    parameters: tuple[Parameter, ...]
    best_fit: Mapping[str, float]
    toys: ByToys | None
    drawn: BesideData

    def figure(self, result: Result["Goodness"]) -> Figure:
        return self.drawn.figure("Best fit", result)

    @property
    def dof(self) -> int:
        """Bins minus fitted parameters: a nuisance parameter with a prior is one more measurement too."""
        return self.bins - self.fitted

    def record(self, result: Result["Goodness"]) -> dict[str, object]:
        toys = self.toys
        return {
            "chi2": self.chi2,
            "bins": self.bins,
            "fitted": self.fitted,
            "dof": self.dof,
            "p_value": self.p_value,
            "contributions": {name: vars(part) for name, part in self.contributions.items()},
            "priors": self.priors,
            "toys": toys and {**toys.record(), "mean_chi2": toys.statistic.mean()},
            "best_fit": at_border(self.parameters, self.best_fit),
        }

    def blocks(self, result: Result["Goodness"]) -> Iterator[Block]:
        toys = self.toys
        rows = [
            ("χ²", f"{self.chi2:.2f} for {self.dof} degree{'s' * (self.dof > 1)} of freedom"),
            ("", f"{self.bins} bin{'s' * (self.bins > 1)} less {self.fitted} fitted parameters"),
            ("p", f"{self.p_value:.3g} (asymptotic)"),
        ]
        if toys:
            rows.append(("", str(toys)))
        rows += [(p.name, p.format(self.best_fit[p.name], 4)) for p in self.parameters]
        rows.append(result.convergence())
        yield Pairs(result.title("Goodness of fit"), tuple(rows))
        parts = [(name, f"{part.chi2:.2f}", str(part.bins)) for name, part in self.contributions.items()]
        parts.append(("priors of nuisance parameters", f"{self.priors:.2f}", ""))
        yield Table("Contributions to χ²", ("from", "χ²", "bins"), tuple(parts), right=(1, 2))


@undisturbed
def goodness(
    study: Study, free: MaybeFree = None, *, toys: Toys = 0, seed: Seed = 1, starts: Starts = 5
) -> Result[Goodness]:
    r"""Return how well the best fit describes the data (Baker:1983tu).

    .. math:: \chi^2 = 2 \sum_b \left[\mu_b - n_b + n_b \ln(n_b/\mu_b)\right] + \sum_k (x_k/w_k)^2

    Toys are experiments simulated at the best fit, auxiliary measurements of the nuisance parameters
    included, each of which is fitted anew. Nothing is free by default.

    Parameters
    ----------
    free : mapping
        Parameters to fit and where to start, ``{"m_zprime": "1 TeV"}``.
    toys
        Simulated experiments; without any p is that of the χ² distribution.
    seed
        Of the random numbers.
    starts
        Starts in all; the others are spread around the first.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("standard-model", "binh2021-csi", sin2_theta_w=0.23867)
    >>> answer = study.goodness().values
    >>> f"{answer.chi2:.3f} for {answer.dof}, p = {answer.p_value:.2f}"
    '0.941 for 1, p = 0.33'
    """
    require_toys(toys, seed)
    question = study.question(study.free(free or {}))
    more = spread(question, starts)
    best = minima(question, starting_points(question, more))
    fitted = len(question.free) + sum(map(math.isinf, question.prior_widths.values()))
    expected = question.expected(best.points[0], best.pulls[0]).counts
    contributions = _contributions(question.likelihood, expected)
    bins = sum(each.bins for each in contributions.values())
    if bins <= fitted:
        raise NurecoilError(
            f"{bins} bin{'s' if bins > 1 else ''} cannot test a fit of {fitted} parameters: at least one more"
            " is needed"
        )
    chi2 = float(best.chi2[0])

    def of_toys(toy: Question) -> tuple[Array, NDArray[np.bool_]]:
        found = fitted_from(toy, best.points)
        return found.chi2, found.converged

    at_once = max(1, _CHUNK_NUMBERS // bins)
    place = best.points[0], best.pulls[0]
    found = by_toys(question, *place, of_toys, chi2, toys=toys, seed=seed, at_once=at_once) if toys else None
    answer = Goodness(
        chi2=chi2,
        bins=bins,
        fitted=fitted,
        p_value=math.exp(log_p_value(chi2, bins - fitted)),
        contributions=contributions,
        priors=chi2 - sum(each.chi2 for each in contributions.values()) if chi2 < math.inf else 0.0,
        parameters=question.free,
        best_fit=question.named(best.points[0]),
        toys=found,
        drawn=BesideData.of(study.experiments, question.components(best.points, best.pulls)),
    )
    return question.result(
        "goodness",
        answer,
        converged=bool(best.converged[0]) and not (found and found.not_converged),
        notes=_notes(question, expected, bool(best.converged[0]), found),
        settings={"start": dict(question.start), "starts": more, "toys": toys, "seed": seed},
    )


def _contributions(likelihood: JointLikelihood, expected: Sequence[Array]) -> dict[str, Contribution]:
    added = likelihood.contributions([mu[np.newaxis] for mu in expected])
    parts = zip(likelihood.terms, added, expected, likelihood.observed.counts, strict=True)
    return {  # without bins that are masked
        term.name: Contribution(float(chi2[0]), int(((mu != 0) | (seen != 0)).sum()))
        for term, chi2, mu, seen in parts
    }


def _notes(
    question: Question, expected: Sequence[Array], converged: bool, toys: ByToys | None
) -> Iterator[str]:
    terms = zip(question.likelihood.terms, expected, strict=True)
    low = sum(int(((mu > 0) & (mu < _LOW_COUNTS)).sum()) for term, mu in terms if term.sigma is None)
    if low:
        yield (
            f"{low} bins expect fewer than {_LOW_COUNTS:g} counts, where χ² does not follow its asymptotic"
            " distribution: " + ("trust the toys." if toys else "ask for toys.")
        )
    if toys and toys.not_converged:
        yield (
            f"{toys.not_converged} of {toys.number} fits of toys did not converge: their χ² is too large, and"
            " so is p."
        )
    if not converged:
        yield "the fit did not converge: try other starts."


COMMAND = Verb(goodness, HELP, plots=True)
