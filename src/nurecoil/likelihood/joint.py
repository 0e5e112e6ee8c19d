"""The joint likelihood of several experiments, its pulls profiled or held."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.experiment import STANDARD_BASIS, Basis
from nurecoil.likelihood.data import Data
from nurecoil.likelihood.engines import Engine, engine, settled
from nurecoil.likelihood.expansion import Expansion, Moving
from nurecoil.likelihood.found import Fitted
from nurecoil.likelihood.newton import Minimum, triangle
from nurecoil.likelihood.objective import deviance, expected, slopes
from nurecoil.likelihood.problem import Inputs, Layout, evaluate_joint, taken
from nurecoil.likelihood.response import respond, respond_and_return
from nurecoil.likelihood.search import Hop, search
from nurecoil.likelihood.term import OFF, Term
from nurecoil.parameters import Parameter, find
from nurecoil.progress import parts

REACH = 40.0  # in χ²: what lies so much higher is far out of any level
_CHUNK_NUMBERS = 1_000_000  # of derivatives at once: bounds the memory, and keeps them in the cache
_BEYOND = ((-1.5, -0.5), (1.5, 0.5))  # t where a morphing is straight, and as far before that


class Tie(NamedTuple):
    """A fitted parameter θ, from 0 to 1, that is a constraint: the value of a pull is low + range θ."""

    parameter: int
    pull: int
    low: float
    range: float


@dataclass(frozen=True)
class JointLikelihood:
    """χ² = Σ over experiments of -2 ln L + Σ over pulls of (x/w)².

    A pull of one name in several experiments is one parameter; two definitions of it are an error. What a
    model expects enters as strengths of its couplings, in which counts are linear.

    Attributes
    ----------
    terms
        One for each experiment.
    widths
        Prior widths that replace those of the pulls; 0 holds a pull at its centre, infinity lets it float.
    start
        Where the search for the best pulls begins; their defaults unless given.
    data
        What is compared with; the experiments' own unless given.
    constraints
        Parameters of the model that something else has measured: the last of the pulls, with a prior, but
        they act by way of the strengths, see `fitted`.
    engine_name
        "auto", "numpy" or "fast": what computes, see `engines`; the results agree. NumPy does, whatever it
        says, where two pulls change the signal's shape together, or a background is a formula.
    basis
        From couplings to strengths, as the terms have their templates.
    """

    terms: tuple[Term, ...]
    widths: Mapping[str, float]
    start: tuple[float, ...] = ()
    data: Data | None = None
    constraints: tuple[Parameter, ...] = ()
    engine_name: str = "auto"
    basis: Basis = STANDARD_BASIS

    def __post_init__(self) -> None:
        """Refuse two definitions of one pull, unknown names, negative widths and data of another shape."""
        merged: dict[str, Parameter] = {}
        for term in self.terms:
            for pull in term.pulls:
                if merged.setdefault(pull.name, pull) != pull:
                    raise NurecoilError(
                        f"nuisance parameter {pull.name} of {term.name} is defined otherwise in another"
                        " experiment: a shared name needs one definition"
                    )
        for name, width in self.widths.items():
            find((*merged.values(), *self.constraints), name, "nuisance parameter")
            if not width >= 0:
                raise NurecoilError(f"prior width {name} = {width} is not allowed: it must be 0 or more")
        if self.data is not None:
            self.data.check(tuple(term.observed.size for term in self.terms), len(self.pulls))

    @cached_property
    def pulls(self) -> tuple[Parameter, ...]:
        """All nuisance parameters, each once."""
        found = {pull.name: pull for term in self.terms for pull in term.pulls}
        return (*found.values(), *self.constraints)

    @cached_property
    def width(self) -> Array:
        """The prior widths, shape (J,)."""
        widths = [self.widths.get(pull.name, pull.prior_width or 0.0) for pull in self.pulls]
        return np.array(widths, dtype=float)

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """How far each pull may go, (J,) each: one that floats by its card stays inside its bounds.

        The rate 1 + t of a background that is counted (Poisson) ends at zero.
        """
        floats = np.array([pull.prior_width == np.inf for pull in self.pulls], dtype=bool)
        low, high = (np.array([getattr(p, end) for p in self.pulls], dtype=float) for end in ("low", "high"))
        low, high = np.where(floats, low, -np.inf), np.where(floats, high, np.inf)
        for term, places in zip(self.terms, self._places, strict=True):
            if term.sigma is None:
                for k in {background.rate for background in term.arrays.backgrounds}:
                    low[places[k]] = max(low[places[k]], term.centre[k] - term.unit[k])
        return low, high

    @property
    def noise(self) -> float:
        """How far a profiled χ² may be off: nothing where it is a parabola in the pulls."""
        return 1e-7 if self.constraints or any(term.sigma is None for term in self.terms) else 0.0

    @cached_property
    def centre(self) -> Array:
        """The values that the priors of the pulls prefer by themselves, shape (J,)."""
        return np.array([pull.default for pull in self.pulls], dtype=float)

    @cached_property
    def observed(self) -> Data:
        """What is compared with."""
        return self.data or Data(tuple(term.observed for term in self.terms), self.centre)

    @property
    def begin(self) -> Array:
        """Where the search for the best pulls begins, shape (J,)."""
        return np.array(self.start) if self.start else self.centre

    @property
    def starts(self) -> int:
        """How many starts the search for the best pulls has: one, and one beyond each bend of a shape."""
        return 1 + len(self._hops(self._free(())))

    def part(self, names: Collection[str]) -> "JointLikelihood":
        """Return the likelihood of some of the experiments, with the pulls and the data that they have."""
        chosen = [n for n, term in enumerate(self.terms) if term.name.removesuffix(OFF) in names]
        found = replace(self, terms=tuple(self.terms[n] for n in chosen), widths={}, start=(), data=None)
        own = [self.pulls.index(pull) for pull in found.pulls]
        data = self.data and Data(tuple(self.data.counts[n] for n in chosen), self.data.centres[..., own])
        return replace(
            found,
            widths={pull.name: float(self.width[n]) for pull, n in zip(found.pulls, own, strict=True)},
            start=tuple(self.start[n] for n in own) if self.start else (),
            data=data,
        )

    def settled(self, points: float) -> "JointLikelihood":
        """Return the same likelihood with one engine for so many points, whoever computes them."""
        bins = sum(term.observed.size for term in self.terms)
        numbers = points * self.starts * bins * max(1, len(self._free(())))
        return replace(self, engine_name=settled(self.engine_name, numbers))

    def with_data(self, data: Data) -> "JointLikelihood":
        """Return the same likelihood of other data."""
        return replace(self, data=data)

    def chi2(self, strengths: Array, pulls: ArrayLike) -> Array:
        """Return χ² (P,) at the pulls (J,) or (P, J); infinite where one is off that is held."""
        x = np.atleast_2d(np.asarray(pulls, dtype=float))
        points = max(len(strengths), len(x), self.observed.sets)
        total = np.broadcast_to(self._prior(x), points).copy()
        if self.engine_name not in ("auto", "numpy"):  # which minimises over nothing
            held = {p.name: value for p, value in zip(self.pulls, x.T, strict=True)}
            return total + self.profiled(strengths, held).chi2
        return sum(self.contributions(self.totals(strengths, x)), total)

    def totals(self, strengths: Array, pulls: Array) -> list[Array]:
        """Return the expected counts (P, bins) of each experiment, all components together."""
        return [np.sum(list(counts.values()), axis=0) for counts in self._counts(strengths, pulls)]

    def slopes(self, strengths: Array, pulls: Array) -> tuple[Array, Array, Array]:
        """Return χ² (P,) and its slopes in the strengths and in the pulls, at (P, strengths) and (P, J).

        A pull that is held is none of them: its value adds no prior.
        """
        away, width = pulls - self.observed.centres, np.where(self.width > 0, self.width, np.inf)
        chi2, of_pulls, of_strengths = (
            ((away / width) ** 2).sum(axis=1),
            2 * away / width**2,
            np.zeros_like(strengths),
        )
        for term, places, counts in zip(self.terms, self._places, self.observed.counts, strict=True):
            arrays, (observed, rest) = term.engine[0], term.data(np.atleast_2d(counts))
            t = list(((pulls[:, places] - term.centre) / term.unit).T)
            signal, back = respond_and_return(arrays.signal, strengths, [t[k] for k in arrays.signal.shapes])
            value, gradient, of_logarithm = slopes(arrays, signal, observed, t)
            chi2, of_strengths = chi2 + value + rest, of_strengths + back(of_logarithm)
            for k, slope in gradient.items():
                of_pulls[:, places[k]] += slope / term.unit[k]
        return chi2, of_strengths, of_pulls

    def contributions(self, expected: Sequence[Array]) -> list[Array]:
        """Return -2 ln λ (P,) of each experiment whose bins expect such counts (P, bins)."""
        found = []
        for term, mu, observed in zip(self.terms, expected, self.observed.counts, strict=True):
            unit = 1.0 if term.sigma is None else term.sigma
            found.append(deviance(mu / unit, np.atleast_2d(observed) / unit, term.sigma is not None)[0])
        return found

    def components(self, strengths: Array, pulls: Array) -> dict[str, dict[str, Array]]:
        """Return counts per bin at the first point: {experiment: {"signal" or background: counts}}."""
        counts = self._counts(strengths[:1], np.atleast_2d(pulls)[:1])
        return {
            term.name: {name: part[0] for name, part in parts.items()}
            for term, parts in zip(self.terms, counts, strict=True)
        }

    def expected(self, strengths: Array, pulls: ArrayLike | None = None) -> Data:
        """Return what would be observed on average (Asimov data), priors centred on the pulls.

        Gaussian counts keep their σ, which is part of the likelihood and was taken from the data.
        """
        x = self.centre if pulls is None else np.asarray(pulls, dtype=float)
        counts = self._counts(strengths[:1], x[np.newaxis])
        return Data(tuple(np.sum(list(parts.values()), axis=0)[0] for parts in counts), x)

    def simulate(self, strengths: Array, pulls: ArrayLike, sets: int, rng: np.random.Generator) -> Data:
        """Return simulated data: counts around the expectation, and centres around the pulls.

        Poisson or, with fixed σ, Gaussian counts; a centre is drawn from the prior around the value that
        `pulls` (J,) has. A held or floating pull has no auxiliary measurement: its centre stays.
        """
        x = np.asarray(pulls, dtype=float)
        mean = self.expected(strengths, x)
        counts = tuple(
            rng.poisson(mu, size=(sets, mu.size)).astype(float)
            if term.sigma is None
            else rng.normal(mu, term.sigma, size=(sets, mu.size))
            for term, mu in zip(self.terms, mean.counts, strict=True)
        )
        measured = np.isfinite(self.width) & (self.width > 0)
        drawn = rng.normal(x, np.where(measured, self.width, 0.0), size=(sets, x.size))
        return Data(counts, np.where(measured, drawn, np.broadcast_to(self.observed.centres, drawn.shape)))

    def profiled(
        self,
        strengths: Array,
        held: Mapping[str, ArrayLike] | None = None,
        pulls: Array | None = None,
        reach: float | None = None,
    ) -> Fitted:
        """Return χ² minimised over the pulls at each point.

        Parameters
        ----------
        strengths : ndarray, shape (P, strengths)
            What the model expects, from `basis`; one point stands for all sets of data.
        held : mapping, optional
            Pulls that are not profiled but have these values, (P,) or one number, without their prior:
            parameters that are scanned or fitted.
        pulls : ndarray, shape (J,) or (P, J), optional
            Where to start.
        reach : float, optional
            Other valleys are searched for at points of one set of data whose χ² is at most so much above the
            lowest of them: 40, but nowhere from `pulls`, unless given.
        """
        values = _arrays(held)
        points = max(len(strengths), self.observed.sets, *(v.size for v in values.values()), 1)
        theta = np.empty((0, points))
        found = self._minimised(points, strengths, None, values, theta, (None, None), pulls, reach).known
        return replace(found, converged=found.converged & np.isfinite(strengths).all(axis=1))

    def fitted(
        self,
        expansion: Expansion | Moving,
        start: Array,
        low: Array,
        high: Array,
        held: Mapping[str, ArrayLike] | None = None,
        pulls: Array | None = None,
        reach: float | None = None,
        tied: Sequence[Tie] = (),
    ) -> Fitted:
        """Return χ² minimised over the pulls and d parameters in which the strengths are expanded.

        Parameters
        ----------
        expansion
            Strengths as a quadratic function of the parameters, everywhere (`Expansion`) or around each point
            (`Moving`: by NumPy, whatever the engine).
        start : ndarray, shape (P, d)
        low, high : ndarray, shape (d,) or (P, d)
            The box of the parameters.
        held, pulls, reach
            As for `profiled`.
        tied
            Which of the parameters are constraints.
        """
        values = _arrays(held)
        sizes = [v.size for v in values.values()]
        points = max(len(start), expansion.points, self.observed.sets, *sizes, 1)
        theta = np.broadcast_to(np.clip(start, low, high), (points, start.shape[1])).T
        low, high = (np.broadcast_to(edge, (points, start.shape[1])).T for edge in (low, high))
        return self._minimised(
            points, np.empty((1, 0)), expansion, values, theta, (low, high), pulls, reach, tied
        )

    def hessian(
        self,
        strengths: Array | Expansion | Moving,
        theta: Array,
        pulls: Array,
        held: Collection[str] = (),
        tied: Sequence[Tie] = (),
    ) -> tuple[NDArray[np.intp], Array]:
        """Return the numbers of the free pulls, and the Hessian of χ² in these (in their own units) and in θ.

        Of shapes (F,) and (F + d, F + d), at θ (d,) and pulls (J,), of which those `held` are not free; the
        strengths are those of a point, (1, strengths), or a function of θ, and `tied` as for `fitted`.
        """
        free, d = self._free(tuple(held)), theta.size
        layout, base = self._layout(free, d, tied), pulls[np.newaxis].copy()
        base[:, free] = self.centre[free]
        fixed, moving = (
            (strengths, None) if isinstance(strengths, np.ndarray) else (np.empty((1, 0)), strengths)
        )
        inputs = self._inputs(slice(0, 1), fixed, moving, base, free, tied).prepared(layout)
        z = (pulls - self.centre)[free] / self._scale[free]
        packed = evaluate_joint(layout, inputs, np.concatenate([z, theta])[:, np.newaxis])[2][:, 0]
        scale = np.concatenate([self._scale[free], np.ones(d)])
        matrix = np.zeros((scale.size, scale.size))
        for (i, j), entry in zip(triangle(scale.size), packed.tolist(), strict=True):
            matrix[i, j] = matrix[j, i] = entry / (scale[i] * scale[j])
        return free, matrix

    def _minimised(
        self,
        points: int,
        strengths: Array,
        expansion: Expansion | Moving | None,
        held: Mapping[str, Array],
        theta: Array,
        box: tuple[Array | None, Array | None],
        pulls: Array | None,
        reach: float | None,
        tied: Sequence[Tie] = (),
    ) -> Fitted:
        """Return the minima at P points, chunk by chunk, the lowest that the search finds."""
        free = self._free(tuple(held))
        layout = self._layout(free, len(theta), tied)
        of_loops = not any(term.arrays.signal.pairs or term.arrays.curves for term in self.terms)
        run: Engine = engine(self.engine_name if of_loops and not isinstance(expansion, Moving) else "numpy")
        chunk = max(1, _CHUNK_NUMBERS // layout.numbers) if run.chunked else points
        chi2, converged = np.empty(points), np.empty(points, dtype=bool)
        # Points last in memory, as the engines have them: a sum over all of them is one run
        found, best = np.empty((len(self.pulls), points)), np.empty((len(theta), points))
        scale, centre = self._scale[free, np.newaxis], self.centre[free, np.newaxis]
        begin = (np.atleast_2d(self.begin if pulls is None else pulls).T[free] - centre) / scale
        hops = self._hops(free) if pulls is None or reach is not None else []
        toys = self.observed.sets > 1  # so many that one in ten thousand, worse by 1e-3, is none
        near = np.inf if toys else REACH if reach is None else reach
        for first in parts(range(0, points, chunk)):
            part = slice(first, min(first + chunk, points))
            base = self._base(part, held)
            inputs = run.prepared(layout, self._inputs(part, strengths, expansion, base, free, tied))
            own = np.broadcast_to(begin, (len(free), points))[:, part]
            start = np.concatenate([own, theta[:, part]])
            edges = [
                _with_free(edge, (end[free, np.newaxis] - centre) / scale, own.shape, part)
                for edge, end in zip(box, self.bounds, strict=True)
            ]
            minimise = partial(_minimised, run, layout, inputs, edges)
            least = search(minimise, start, hops, len(free), near, thorough=not toys)
            chi2[part], converged[part] = least.chi2, least.converged
            found[:, part], best[:, part] = base.T, least.points.T
            found[free, part] = centre + least.pulls.T * scale
            for tie in tied:
                found[tie.pull, part] = tie.low + tie.range * least.points[:, tie.parameter]
        return Fitted(chi2, best.T, found.T, converged)

    def _hops(self, free: NDArray[np.intp]) -> list[Hop]:
        """Return hops of the free pulls that bend a shape, to either side, in units of their widths."""
        place = dict(zip(free.tolist(), range(len(free)), strict=True))
        found = []
        for term, places in zip(self.terms, self._places, strict=True):
            for k in term.bends:
                j = int(places[k])
                if j in place:
                    at = term.centre[k] + np.array(_BEYOND) * term.unit[k]
                    ends = (at - self.centre[j]) / self._scale[j]
                    found += [Hop(place[j], *end) for end in ends.tolist()]
        return found

    @cached_property
    def bent(self) -> Array:
        """The widths of the pulls that bend a shape, infinite for all others: in these, valleys lie apart."""
        bent = [int(at[k]) for term, at in zip(self.terms, self._places, strict=True) for k in term.bends]
        scale = np.full(len(self.pulls), np.inf)
        scale[bent] = np.where(self.width[bent] > 0, self._scale[bent], np.inf)
        return scale

    @cached_property
    def _scale(self) -> Array:
        return np.where(np.isfinite(self.width), self.width, 1.0)

    @cached_property
    def _places(self) -> Sequence[NDArray[np.intp]]:
        numbers = {pull.name: number for number, pull in enumerate(self.pulls)}
        return [np.array([numbers[p.name] for p in term.pulls], dtype=np.intp) for term in self.terms]

    @cached_property
    def _layouts(self) -> dict[tuple[bytes, int, tuple[Tie, ...]], Layout]:
        return {}

    def _free(self, held: tuple[str, ...]) -> NDArray[np.intp]:
        pulls = self.pulls[: len(self.pulls) - len(self.constraints)]
        return np.array(
            [j for j, p in enumerate(pulls) if self.width[j] > 0 and p.name not in held], dtype=np.intp
        )

    def _layout(self, free: NDArray[np.intp], parameters: int, tied: Sequence[Tie]) -> Layout:
        """Return what is the same for all points, the same object each time: engines remember it."""
        key = (free.tobytes(), parameters, tuple(tied))
        if key not in self._layouts:
            place = dict(zip(free.tolist(), range(len(free)), strict=True))
            weights = [0.0] * parameters
            for tie in tied:
                weights[tie.parameter] = float((tie.range / self.width[tie.pull]) ** 2)
            self._layouts[key] = Layout(
                terms=tuple(term.engine[0] for term in self.terms),
                places=tuple(tuple(place.get(j, -1) for j in places.tolist()) for places in self._places),
                gains=tuple(
                    tuple((self._scale[places] / term.unit).tolist())
                    for term, places in zip(self.terms, self._places, strict=True)
                ),
                weights=(*np.where(np.isfinite(self.width[free]), 1.0, 0.0).tolist(), *weights),
                parameters=parameters,
            )
        return self._layouts[key]

    def _base(self, part: slice, held: Mapping[str, Array]) -> Array:
        """Return all pulls (P or 1, J) where the free ones are at their centres."""
        values = {name: value if value.size == 1 else value[part] for name, value in held.items()}
        base = np.tile(self.centre, (max((value.size for value in values.values()), default=1), 1))
        for number, pull in enumerate(self.pulls):
            if pull.name in values:
                base[:, number] = values[pull.name]
        return base

    def _inputs(
        self,
        part: slice,
        strengths: Array,
        expansion: Expansion | Moving | None,
        base: Array,
        free: NDArray[np.intp],
        tied: Sequence[Tie],
    ) -> Inputs:
        known = expansion.value if isinstance(expansion, Expansion) else None if expansion else strengths
        compiled = self.terms[0].arrays.signal.templates.shape[1]
        if known is not None and known.shape[-1] != compiled:  # compiled loops would read beside them
            raise ValueError(f"{known.shape[-1]} strengths for templates of {compiled}: of another basis")
        data = self.observed.at(part)
        pairs = [
            term.data(np.atleast_2d(counts)) for term, counts in zip(self.terms, data.counts, strict=True)
        ]
        moved = base[:1] if (base == base[:1]).all() else base
        measured = np.atleast_2d(data.centres)
        centres = np.zeros((len(measured), len(free) + (expansion.d if expansion else 0)))
        centres[:, : len(free)] = (measured[:, free] - self.centre[free]) / self._scale[free]
        for tie in tied:
            centres[:, len(free) + tie.parameter] = (measured[:, tie.pull] - tie.low) / tie.range
        return Inputs(
            strengths=strengths if expansion or len(strengths) == 1 else strengths[part],
            expansion=None if expansion is None else expansion.at(part),
            observed=tuple(observed for observed, _ in pairs),
            rest=sum((rest for _, rest in pairs), np.zeros(1)),
            offsets=tuple(
                (moved[:, places] - term.centre) / term.unit
                for term, places in zip(self.terms, self._places, strict=True)
            ),
            centres=centres,
        )

    def _counts(self, strengths: Array, x: Array) -> list[dict[str, Array]]:
        """Return the counts of each component of each experiment, (P, bins), at pulls (P, J)."""
        found = []
        for term, places in zip(self.terms, self._places, strict=True):
            signal = respond(term.arrays.signal, strengths)
            t = (x[:, places] - term.centre) / term.unit
            found.append(expected(term.arrays, signal, list(t.T)))
        return found

    def _prior(self, x: Array) -> Array:
        held, pulled = self.width == 0, x - np.atleast_2d(self.observed.centres)
        ratio = pulled / np.where(held, 1.0, self.width)
        prior: Array = np.where(held, np.where(x == self.centre, 0.0, np.inf), ratio**2).sum(axis=1)
        return prior


def _minimised(
    run: Engine,
    layout: Layout,
    inputs: Inputs,
    edges: Sequence[Array | None],
    start: Array,
    which: NDArray[np.intp] | None,
) -> Minimum:
    """Return the minima of all points, or of those numbered `which`."""
    if which is not None:
        inputs, edges = taken(inputs, which), [edge if edge is None else edge[:, which] for edge in edges]
    return run.minimise(layout, inputs, start, *edges)


def _with_free(edge: Array | None, ends: Array, shape: tuple[int, ...], part: slice) -> Array | None:
    """Return one side of the box for all variables, the free pulls first; None where it is nowhere."""
    if edge is None and np.isinf(ends).all():
        return None
    inside = np.empty((0, shape[1])) if edge is None else edge[:, part]
    return np.concatenate([np.broadcast_to(ends, shape), inside])


def _arrays(held: Mapping[str, ArrayLike] | None) -> dict[str, Array]:
    return {name: np.atleast_1d(np.asarray(v, dtype=float)) for name, v in (held or {}).items()}
