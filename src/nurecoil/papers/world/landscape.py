"""χ² of many couplings and pulls inside a box, and its profiles, by least squares."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.inference.intervals import threshold
from nurecoil.study.question import Question

BOX = 1.0
_STARTS = 8  # of the best fit
_EXACT = 5e-3  # of an end
_STEP = 1e-6  # of differences
_TOLERANCE, _EVALUATIONS = 1e-6, 40  # of a fit, many of whose directions are flat
_SMALLEST = 1e-12  # of expected counts


@dataclass(frozen=True)
class Sum:
    """x_i + r x_j of two couplings, or one alone where r is 0."""

    i: int
    j: int
    ratio: float = 0.0

    @property
    def end(self) -> float:
        """How large it can be inside the box."""
        return BOX * (1 + self.ratio)

    def clipped(self, value: float) -> float:
        """Return a value, or the nearest inside the box."""
        return min(max(value, -self.end), self.end)

    def of(self, points: Array) -> Array:
        """Return it at points (..., d)."""
        found: Array = points[..., self.i] + self.ratio * points[..., self.j]
        return found


@dataclass(frozen=True)
class Landscape:
    """χ² of all couplings and pulls, inside the box, and draws of the posterior (S, d + J), χ² there (S,)."""

    question: Question
    draws: Array
    chi2: Array

    def lowest(self, start: Array, held: Sum | None = None, value: float = 0.0) -> tuple[float, Array]:
        """Return the minimum of χ² downhill from a start (d + J,), and where; with a sum held at a value.

        Pulls that bend shapes have valleys of their own: they are searched once the couplings are near.
        """
        d = len(self.question.names)
        near = self._downhill(start, held, value)[1][:d]
        pulls = self.question.profiled(near[np.newaxis]).pulls[0]
        return self._downhill(np.concatenate([near, pulls]), held, value)

    def _downhill(self, start: Array, held: Sum | None, value: float) -> tuple[float, Array]:
        from scipy.optimize import least_squares  # type: ignore[import-untyped]

        likelihood, d = self.question.likelihood, len(self.question.names)
        width = np.where(np.isfinite(likelihood.width), likelihood.width, 1.0)
        shift = np.concatenate([np.zeros(d), likelihood.observed.centres])
        scale = np.concatenate([np.ones(d), width])
        edge = np.full(d, BOX)
        low, high = (np.concatenate(pair) for pair in zip((-edge, edge), likelihood.bounds, strict=True))
        free = np.arange(scale.size)
        if held:
            free = free[free != held.i]
        if held and held.ratio:
            low[held.j] = max(-BOX, (value - BOX) / held.ratio)
            high[held.j] = min(BOX, (value + BOX) / held.ratio)
        low, high = (low - shift) / scale, (high - shift) / scale

        def place(u: Array) -> Array:
            x = np.empty((len(u), scale.size))
            x[:, free] = shift[free] + scale[free] * u
            if held:
                x[:, held.i] = value - held.ratio * x[:, held.j]
            return x

        def slopes(u: Array) -> Array:
            step = np.where(u > 0, -_STEP, _STEP)
            here, *there = self._residuals(place(np.concatenate([u[np.newaxis], u + np.diag(step)])))
            return np.asarray((np.array(there) - here).T / step)

        found = least_squares(
            lambda u: self._residuals(place(u[np.newaxis]))[0],
            np.clip(((start - shift) / scale)[free], low[free], high[free]),
            jac=slopes,
            bounds=(low[free], high[free]),
            x_scale="jac",
            ftol=_TOLERANCE,
            max_nfev=_EVALUATIONS,
        )
        return float(2 * found.cost), place(found.x[np.newaxis])[0]

    def _residuals(self, x: Array) -> Array:
        """Return numbers whose squares add up to χ² at (P, d + J): signed roots of deviances, and pulls."""
        likelihood, d = self.question.likelihood, len(self.question.names)
        points, pulls = x[:, :d], x[:, d:]
        found = [((pulls - likelihood.observed.centres) / likelihood.width)[:, likelihood.width > 0]]
        expected = likelihood.totals(self.question.strengths(points, pulls), pulls)
        for term, mu, seen in zip(likelihood.terms, expected, likelihood.observed.counts, strict=True):
            if term.sigma is None:
                mu = np.maximum(mu, _SMALLEST)
                deviance = 2 * (mu - seen + seen * np.log(np.where(seen > 0, seen, mu) / mu))
                found.append(np.sign(mu - seen) * np.sqrt(np.maximum(deviance, 0.0)))
            else:
                found.append((mu - seen) / term.sigma)
        return np.concatenate(found, axis=1)

    @cached_property
    def best(self) -> tuple[float, Array]:
        """The best fit of all, from the lowest of each of some parts of the draws: there are many valleys."""
        parts = np.array_split(np.arange(len(self.draws)), _STARTS)
        starts = [self.draws[part[self.chi2[part].argmin()]] for part in parts]
        return min((self.lowest(start) for start in starts), key=lambda found: found[0])

    def allowed(self, held: Sum, cl: float) -> tuple[list[float | None], list[float]]:
        """Return both ends of what is allowed around the best fit, and Δχ² where the box is the end: None."""
        from scipy.optimize import brentq

        level, middle, of_draws = threshold(cl), float(held.of(self.best[1])), held.of(self.draws)
        ends: list[float | None] = []
        at_box = []
        for side in (-1, 1):
            outermost = self.draws[np.argmax(side * of_draws)]
            known = {middle: self.best[1], float(held.of(outermost)): outermost}

            def excess(value: float, known: dict[float, Array] = known) -> float:
                start = known[min(known, key=lambda x: abs(x - value))]
                chi2, known[value] = self.lowest(start, held, value)
                return chi2 - self.best[0] - level

            inside, outside = middle, held.clipped(middle + 1.2 * (float(held.of(outermost)) - middle))
            while (above := excess(outside)) <= 0 and abs(outside) < held.end:
                inside, outside = outside, held.clipped(1.5 * outside - 0.5 * middle)
            ends.append(None if above <= 0 else float(brentq(excess, inside, outside, xtol=_EXACT)))
            at_box += [above + level] * (above <= 0)
        return ends, at_box
