"""One experiment as a term of a joint likelihood: its name, its pulls, what it observed, and its arrays.

Pulls are in their own units here, in t inside the arrays: counted from their defaults in steps (the prior's
width unless the card says otherwise), at which the shapes at +1 and -1 are given. A pull of a binned
signal's rate of width w is a factor (1 + w)^t: a log-normal prior, so that no pull can take the signal away.
The pulls of the backgrounds' rates are fractions, and so are those of a signal whose counts are Gaussian.
The parameters of a formula are as it has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.experiment import STANDARD_BASIS, Basis, CompiledExperiment, Statistics
from nurecoil.likelihood.arrays import Background, Curve, Rotation, SignalArrays, TermArrays, rotated
from nurecoil.likelihood.morphing import morphing
from nurecoil.parameters import Parameter

OFF = " off"  # what follows an experiment's name, in which no blank may be, in that of its off sample
_BEND = 0.01  # of ln(counts), on average: a shape that bends less makes no valley


@dataclass(frozen=True)
class Term:
    """The likelihood of one experiment, without the priors of its pulls.

    Attributes
    ----------
    name, pulls
        Of the experiment.
    observed : ndarray, shape (bins,)
    sigma : ndarray, shape (bins,), or None
        Standard deviations of Gaussian counts; None for Poisson counts.
    arrays
        The components of the counts, in bins.
    centre, unit : ndarray, shape (pulls,)
        t = (x - centre)/unit.
    """

    name: str
    pulls: tuple[Parameter, ...]
    observed: Array
    sigma: Array | None
    arrays: TermArrays
    centre: Array
    unit: Array

    @cached_property
    def engine(self) -> tuple[TermArrays, Rotation | None]:
        """The arrays that the engine computes with, and how counts are turned for them."""
        return (self.arrays, None) if self.sigma is None else rotated(self.arrays, self.sigma)

    @cached_property
    def bends(self) -> tuple[int, ...]:
        """The numbers of the pulls whose up and down are no mirror images: χ² may have several valleys."""
        nominal, *varied = self.arrays.signal.templates
        parts = [(b.shapes, b.counts[np.newaxis], b.b[np.newaxis]) for b in self.arrays.shaped]
        if varied:
            up, down = (np.stack(varied[end::2], axis=1) for end in (0, 1))
            signal = self.arrays.signal
            parts.append((signal.shapes, nominal, morphing(nominal, up, down, signal.pairs).b))
        found: set[int] = set()
        for numbers, counts, b in parts:
            weight = np.abs(counts) / np.maximum(np.abs(counts).sum(axis=1, keepdims=True), 1e-300)
            size = np.sqrt((weight[:, np.newaxis] * b**2).sum(axis=2).max(axis=0))
            found |= {k for k, bend in zip(numbers, size.tolist(), strict=True) if bend > _BEND}
        return tuple(sorted(found))

    def data(self, counts: Array) -> tuple[Array, Array]:
        """Return counts (..., bins) as the engine takes them, and what they add to χ² whatever is fitted."""
        rotation = self.engine[1]
        if rotation is None:
            return counts, np.zeros(counts.shape[:-1])
        return rotation.turned(counts), rotation.rest(counts)


def binned_term(
    name: str, statistics: Statistics, templates: Array, widths: Mapping[str, float] | None = None
) -> Term:
    """Return the likelihood of counts in bins, Poisson or Gaussian.

    Gaussian and without shapes: χ² = Σ_b [n_b - (1 + a) s_b - Σ_k (1 + a_k) B_kb]²/σ_b² (one bin: Binh et al.
    2021, eqs. 43-45)

    Parameters
    ----------
    name : str
    statistics : Statistics
        That observed something.
    templates : ndarray, shape (1 + 2 K + 2 C, strengths, bins)
        Of the signal, then up and down of each pull of its shape, and of each pair; their sums where one bin
        is observed.
    widths : mapping, optional
        Prior widths in place of the pulls' own: w of a rate's (1 + w)^t, if it is positive and finite.
    """
    observed, variance, signal = statistics.observed, statistics.variance, statistics.signal
    assert observed is not None
    gaussian, pulls = variance is not None, statistics.pulls
    numbers = {pull.name: number for number, pull in enumerate(pulls)}
    step = {pull.name: _width(pull, widths or {}) for pull in signal.rates}
    alone = [v for v in signal.shapes if not v.also]
    places = {v.pull.name: place for place, v in enumerate(alone)}
    arrays = SignalArrays(
        templates.sum(axis=-1, keepdims=True) if observed.size == 1 else templates,
        tuple(numbers[pull.name] for pull in signal.rates),
        None if gaussian else tuple(np.log1p(list(step.values())).tolist()),
        tuple(numbers[v.pull.name] for v in alone),
        tuple((places[v.pull.name], places[v.also.name]) for v in signal.shapes if v.also),
    )
    sigma = None if variance is None else np.sqrt(variance.of(observed))
    backgrounds, curves = [], []
    for b in statistics.backgrounds:
        if b.formula:
            curves.append(Curve(b.name, b.formula, tuple(numbers[p.name] for p in b.formula.parameters)))
            continue
        if not b.rates:  # Gaussian, and known exactly
            observed = observed - b.nominal
            continue
        shape = (1, len(b.shapes), b.nominal.size)
        ups, downs = (np.array([getattr(v, end) for v in b.shapes]).reshape(shape) for end in ("up", "down"))
        morphed = morphing(b.nominal[np.newaxis], ups, downs)
        shapes = tuple(numbers[v.pull.name] for v in b.shapes)
        rate = numbers[b.rates[0].name]
        backgrounds.append(Background(b.name, b.nominal, rate, shapes, morphed.a[0], morphed.b[0]))
    fractions = {pull.name for b in statistics.backgrounds for pull in b.rates}
    fractions |= set(step) if gaussian else set()
    shaped = {v.pull.name: v.step for c in statistics.components for v in c.shapes if v.step}
    as_they_are = fractions | {p.name for b in statistics.backgrounds if b.formula for p in b.pulls}
    steps = {**step, **shaped, **dict.fromkeys(as_they_are, 1.0)}
    return Term(
        name=name,
        pulls=pulls,
        observed=observed,
        sigma=sigma,
        arrays=TermArrays(gaussian, arrays, tuple(backgrounds), tuple(curves)),
        centre=np.array([0.0 if p.name in as_they_are else p.default for p in pulls], dtype=float),
        unit=np.array([steps.get(p.name) or p.prior_width for p in pulls], dtype=float),
    )


def _width(pull: Parameter, widths: Mapping[str, float]) -> float:
    """Return the width of a pull's prior: another if that says how much is usual, else its own."""
    width = widths.get(pull.name, 0.0)
    return width if 0.0 < width < np.inf else pull.prior_width or 0.0


def off_term(name: str, statistics: Statistics, strengths: int) -> Term:
    """Return the likelihood of an off sample: a Poisson count for each background that it measures.

    χ² = 2 Σ_k [m_k (1 + t_k) - n_k + n_k ln(n_k/(m_k (1 + t_k)))], the rates as those of the experiment
    """
    measured = [(b, *b.off) for b in statistics.backgrounds if b.off]
    expected, none = np.diag([counts for _, counts, _ in measured]), np.zeros((0, len(measured)))
    backgrounds = (
        Background(b.name, counts, number, (), none, none)
        for number, ((b, *_), counts) in enumerate(zip(measured, expected, strict=True))
    )
    signal = SignalArrays(np.zeros((1, strengths, len(measured))), (), (), ())
    return Term(
        name=name,
        pulls=tuple(b.rates[0] for b, *_ in measured),
        observed=np.array([seen for *_, seen in measured]),
        sigma=None,
        arrays=TermArrays(False, signal, tuple(backgrounds)),
        centre=np.zeros(len(measured)),
        unit=np.ones(len(measured)),
    )


def terms_of(
    compiled: CompiledExperiment,
    widths: Mapping[str, float] | None = None,
    basis: Basis = STANDARD_BASIS,
) -> tuple[Term, ...]:
    """Return the term of a compiled experiment that is no projection, and that of its off sample."""
    templates = np.array([basis.matrix(block) for block in compiled.blocks])
    name, statistics = compiled.experiment.name, compiled.experiment.statistics
    term = binned_term(name, statistics, templates, widths)
    if not any(b.off for b in statistics.backgrounds):
        return (term,)
    return term, off_term(name + OFF, statistics, templates.shape[1])
