"""The binned Poisson likelihood: signal and backgrounds with rates and shapes that pulls change.

-2 ln L = 2 Σ_b [μ_b - n_b + n_b ln(n_b/μ_b)],  μ a sum of components (see `component`)

Shape pulls are counted from their defaults in steps (the prior's width unless the card says otherwise), at
which the shapes at +1 and -1 are given. A pull of the signal's rate of width w is one of them, a factor
(1 + w)^t: a log-normal prior, so that no pull can take the signal away. The pulls of the backgrounds'
rates are fractions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nurecoil.couplings import Couplings
from nurecoil.experiment import BinnedStatistics, CompiledExperiment
from nurecoil.likelihood.component import Component, Morphing, morphing
from nurecoil.parameters import Parameter
from nurecoil.recoil import RecoilTemplates

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BinnedTerm:
    """A binned experiment as a term of a joint likelihood."""

    compiled: CompiledExperiment
    statistics: BinnedStatistics

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.compiled.experiment.name

    @property
    def observed(self) -> Array:
        """The observed counts per bin."""
        return self.statistics.observed

    @cached_property
    def pulls(self) -> tuple[Parameter, ...]:
        """The nuisance parameters."""
        return self.statistics.pulls

    def signal(self, couplings: Couplings) -> Morphing:
        """Return the signal and how its shape pulls change it."""
        counts = np.atleast_2d(self._templates.evaluate(couplings))
        blocks = counts.reshape(len(counts), -1, len(self.observed))
        return morphing(blocks[:, 0], blocks[:, 1::2], blocks[:, 2::2]).scaled(self._log_normal)

    def evaluate(self, signal: Morphing, x: Array) -> tuple[Array, Array, Array]:
        """Return -2 ln L, its gradient and Hessian; infinite where some μ < 0, or μ = 0 < n."""
        n, t = self.observed, (x - self._centre) / self._unit
        parts = [self._signal.at(signal, t)]
        parts += [component.at(shapes, t) for component, shapes in self._backgrounds.values()]
        mu = np.zeros((len(x), n.size))
        slopes = np.zeros((len(x), len(self.pulls), n.size))
        for part in parts:
            mu += part.counts
            part.add_slopes_to(slopes)
        allowed = ((mu > 0) | (n == 0)).all(axis=1) & (mu >= 0).all(axis=1)
        safe = np.where(mu > 0, mu, 1.0)
        ratio = n / safe
        value = 2 * (mu.sum(axis=1) - np.log(safe) @ n) + self._saturated
        gradient = 2 * np.matmul(slopes, (1 - ratio)[:, :, np.newaxis])[..., 0]
        hessian = np.matmul(slopes * (ratio / safe)[:, np.newaxis, :], slopes.transpose(0, 2, 1))
        for part in parts:
            part.add_curvature_to(hessian, 1 - ratio)
        units = self._unit[:, np.newaxis] * self._unit
        return np.where(allowed, value, np.inf), gradient / self._unit, 2 * hessian / units

    def components(self, signal: Morphing, x: Array) -> Mapping[str, Array]:
        """Return the counts of the signal and of each background, shape (P, bins)."""
        t = (x - self._centre) / self._unit
        found = {"signal": self._signal.at(signal, t).counts}
        for name, (component, shapes) in self._backgrounds.items():
            found[name] = component.at(shapes, t).counts
        return found

    @cached_property
    def _templates(self) -> RecoilTemplates:
        """The templates of the signal, then up and down of each shape pull, one block of bins each."""
        blocks = [self.compiled.templates, *(t for pair in self.compiled.variations for t in pair)]
        return RecoilTemplates(
            np.concatenate([block.vector for block in blocks]),
            np.concatenate([block.magnetic for block in blocks]),
        )

    @cached_property
    def _signal(self) -> Component:
        statistics = self.statistics
        shapes = (*statistics.normalisations, *(v.pull for v in statistics.variations))
        return Component((), self._numbers(*shapes))

    @cached_property
    def _log_normal(self) -> Array:
        widths = [pull.prior_width or 0.0 for pull in self.statistics.normalisations]
        return np.asarray(np.log1p(np.array(widths)))

    @cached_property
    def _backgrounds(self) -> Mapping[str, tuple[Component, Morphing]]:
        found = {}
        for b in self.statistics.backgrounds:
            component = Component(self._numbers(b.pull), self._numbers(*(v.pull for v in b.variations)))
            ups, downs = (
                np.array([getattr(v, end) for v in b.variations]).reshape(1, -1, b.counts.size)
                for end in ("up", "down")
            )
            found[b.name] = (component, morphing(b.counts[np.newaxis], ups, downs))
        return found

    def _numbers(self, *pulls: Parameter) -> tuple[int, ...]:
        names = [pull.name for pull in self.pulls]
        return tuple(names.index(pull.name) for pull in pulls)

    @cached_property
    def _rates(self) -> set[str]:
        return {background.pull.name for background in self.statistics.backgrounds}

    @cached_property
    def _centre(self) -> Array:
        return np.array([0.0 if p.name in self._rates else p.default for p in self.pulls], dtype=float)

    @cached_property
    def _unit(self) -> Array:
        steps = {v.pull.name: v.step for v in self.statistics.variations}
        steps |= dict.fromkeys(self._rates, 1.0)
        return np.array([steps.get(pull.name) or pull.prior_width for pull in self.pulls], dtype=float)

    @cached_property
    def _saturated(self) -> float:
        positive = self.observed[self.observed > 0]
        return 2 * float(np.sum(positive * np.log(positive)) - self.observed.sum())
