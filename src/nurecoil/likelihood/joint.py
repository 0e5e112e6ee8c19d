"""The joint likelihood of several experiments, its pulls profiled or held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.couplings import Couplings
from nurecoil.errors import NurecoilError
from nurecoil.likelihood.binned import BinnedTerm
from nurecoil.likelihood.component import Morphing
from nurecoil.likelihood.term import Term
from nurecoil.newton import minimise_batch
from nurecoil.parameters import Parameter, find

Array = NDArray[np.float64]

_CHUNK_NUMBERS = 400_000  # of derivatives at once: bounds the memory, and keeps them in the cache


@dataclass(frozen=True)
class Profiled:
    """χ² minimised over the pulls, at P points.

    Attributes
    ----------
    chi2, converged : ndarray, shape (P,)
    pulls : ndarray, shape (P, J)
        In the order of the likelihood's pulls, in their own units.
    """

    chi2: Array
    pulls: Array
    converged: NDArray[np.bool_]


@dataclass(frozen=True)
class JointLikelihood:
    """χ² = Σ over experiments of -2 ln L + Σ over pulls of (x/w)².

    A pull of one name in several experiments is one parameter; two definitions of it are an error.

    Attributes
    ----------
    terms
        One for each experiment.
    widths
        Prior widths that replace those of the pulls; 0 holds a pull at zero, infinity lets it float.
    start
        Where the search for the best pulls begins, their defaults unless given; it saves steps.
    """

    terms: tuple[Term, ...]
    widths: Mapping[str, float]
    start: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse two definitions of one pull, unknown names and negative widths."""
        merged: dict[str, Parameter] = {}
        for term in self.terms:
            for pull in term.pulls:
                if merged.setdefault(pull.name, pull) != pull:
                    raise NurecoilError(
                        f"nuisance parameter {pull.name} of {term.name} is defined otherwise in another"
                        " experiment: a shared name needs one definition"
                    )
        for name, width in self.widths.items():
            find(merged.values(), name, "nuisance parameter")
            if not width >= 0:
                raise NurecoilError(f"prior width {name} = {width} is not allowed: it must be 0 or more")

    @cached_property
    def pulls(self) -> tuple[Parameter, ...]:
        """All nuisance parameters, each once."""
        return tuple({pull.name: pull for term in self.terms for pull in term.pulls}.values())

    @cached_property
    def width(self) -> Array:
        """The prior widths, shape (J,)."""
        widths = [self.widths.get(pull.name, pull.prior_width or 0.0) for pull in self.pulls]
        return np.array(widths, dtype=float)

    @property
    def noise(self) -> float:
        """How far a profiled χ² may be off: nothing where it is a parabola in the pulls."""
        return 1e-7 if any(isinstance(term, BinnedTerm) for term in self.terms) else 0.0

    @cached_property
    def centre(self) -> Array:
        """The values that the priors prefer, shape (J,)."""
        return np.array([pull.default for pull in self.pulls], dtype=float)

    @cached_property
    def _places(self) -> Sequence[NDArray[np.intp]]:
        numbers = {pull.name: number for number, pull in enumerate(self.pulls)}
        return [np.array([numbers[p.name] for p in term.pulls], dtype=np.intp) for term in self.terms]

    def signals(self, couplings: Couplings) -> list[Morphing]:
        """Return what each experiment expects at P points of the couplings."""
        return [term.signal(couplings) for term in self.terms]

    def chi2(self, signals: Sequence[Morphing], pulls: ArrayLike) -> Array:
        """Return χ² (P,) at the pulls (J,) or (P, J); infinite where one is off that is held."""
        x = np.broadcast_to(np.asarray(pulls, dtype=float), (len(signals[0].counts), len(self.pulls)))
        return self._prior(x) + self._without_priors(signals, x)[0]

    def components(self, signals: Sequence[Morphing], pulls: Array) -> dict[str, dict[str, Array]]:
        """Return counts per bin at the first point: {experiment: {"signal" or background: counts}}."""
        return {
            term.name: {
                name: counts[0]
                for name, counts in term.components(signal.at(slice(1)), pulls[:1, places]).items()
            }
            for term, signal, places in zip(self.terms, signals, self._places, strict=True)
        }

    def profiled(self, signals: Sequence[Morphing], held: Mapping[str, ArrayLike] | None = None) -> Profiled:
        """Return χ² minimised over the pulls at each point.

        Parameters
        ----------
        signals : list of Morphing
            From `signals`.
        held : mapping, optional
            Pulls that are not profiled but have these values, (P,) or one number, without their prior:
            parameters that are scanned or fitted.
        """
        points = len(signals[0].counts)
        fixed = {
            name: np.broadcast_to(np.asarray(v, dtype=float), points) for name, v in (held or {}).items()
        }
        bins = max(signal.counts.shape[-1] for signal in signals)
        chunk = max(1, _CHUNK_NUMBERS // (bins * max(1, len(self.pulls))))
        parts = [
            self._profiled_chunk(
                [signal.at(slice(first, first + chunk)) for signal in signals],
                {name: v[first : first + chunk] for name, v in fixed.items()},
            )
            for first in range(0, points, chunk)
        ]
        return Profiled(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _profiled_chunk(
        self, signals: Sequence[Morphing], held: Mapping[str, Array]
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        width = self.width.copy()
        base = np.tile(self.centre, (len(signals[0].counts), 1))
        for number, pull in enumerate(self.pulls):
            if pull.name in held:
                base[:, number], width[number] = held[pull.name], 0.0
        free = np.flatnonzero(width > 0)
        scale = np.where(np.isfinite(width[free]), width[free], 1.0)
        weight = np.where(np.isfinite(width[free]), 1.0, 0.0)  # of the prior, in units of `scale`

        def evaluate(z: Array, which: NDArray[np.intp]) -> tuple[Array, Array, Array]:
            x = base[which]
            x[:, free] = self.centre[free] + z * scale
            value, gradient, hessian = self._without_priors([s.at(which) for s in signals], x)
            return (
                value + (weight * z**2).sum(axis=1),
                gradient[:, free] * scale + 2 * weight * z,
                hessian[:, free[:, np.newaxis], free] * (scale[:, np.newaxis] * scale) + 2 * np.diag(weight),
            )

        begin = self.centre if self.start is None else np.array(self.start)
        z = np.tile((begin - self.centre)[free] / scale, (len(base), 1))
        minimum = minimise_batch(evaluate, z)
        base[:, free] = self.centre[free] + minimum.x * scale
        return minimum.value, base, minimum.converged

    def _without_priors(self, signals: Sequence[Morphing], x: Array) -> tuple[Array, Array, Array]:
        points, pulls = x.shape
        value, gradient = np.zeros(points), np.zeros((points, pulls))
        hessian = np.zeros((points, pulls, pulls))
        for term, signal, places in zip(self.terms, signals, self._places, strict=True):
            v, g, h = term.evaluate(signal, x[:, places])
            value += v
            gradient[:, places] += g
            hessian[:, places[:, np.newaxis], places] += h
        return value, gradient, hessian

    def _prior(self, x: Array) -> Array:
        held, pulled = self.width == 0, x - self.centre
        ratio = pulled / np.where(held, 1.0, self.width)
        prior: Array = np.where(held, np.where(pulled == 0, 0.0, np.inf), ratio**2).sum(axis=1)
        return prior
