"""A question: a model and experiments with some parameters free, χ² as a function of those."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment, basis_of
from nurecoil.likelihood import (
    REACH,
    Data,
    Fitted,
    JointLikelihood,
    Strengths,
    lowest,
    terms_of,
)
from nurecoil.likelihood.newton import inverse
from nurecoil.models import STANDARD_MODEL, Model
from nurecoil.parameters import Parameter, Values, Widths, find
from nurecoil.physics.channels import STANDARD
from nurecoil.physics.couplings import Couplings
from nurecoil.progress import parts, tell
from nurecoil.study.remarks import check_finite, remarks, require_distinct_data
from nurecoil.study.result import Answer, Conventions, Result, conventions, provenance
from nurecoil.study.strengths import Coordinates, expansion, fit_strengths, strengths_of

_SPREAD = 12  # starts for each parameter that is profiled over
_SEED = 1
_APART, _ACROSS = 0.3, 0.02  # of a pull's width, of a box: two fits may lie in two valleys
_ROOM = 12.0  # widths of a constraint
_STEP = 1e-5  # of a box, for derivatives
_HALVINGS = 30  # of the way to where a model ends


def standard_model_counts(experiment: CompiledExperiment, values: Values) -> Array:
    """Return the Standard Model's counts per bin at those of its parameters that `values` has."""
    return experiment.counts(_standard_model_couplings(values))


def _standard_model_couplings(values: Values) -> Couplings:
    return STANDARD_MODEL.couplings(
        **{p.name: values[p.name] for p in STANDARD_MODEL.parameters if p.name in values}
    )


def joint_likelihood(
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    widths: Mapping[str, float] | None = None,
    engine: str = "auto",
    constraints: tuple[Parameter, ...] = (),
    channels: tuple[str, ...] = STANDARD,
) -> JointLikelihood:
    """Return the likelihood of experiments, independent of one another but for the pulls that share a name.

    A projection observes the Standard Model's expectation at the s_W² of `fixed` or, where that is scanned,
    at its default. The constraints are parameters of the model with a prior, the channels those that it
    needs; the rest is as of a `Study`.
    """
    if not experiments:
        raise NurecoilError("at least one experiment is needed")
    require_distinct_data([compiled.experiment for compiled in experiments])
    widths = widths or {}
    basis = basis_of(channels, experiments)
    seen = (_as_seen(experiment.with_channels(channels), fixed) for experiment in experiments)
    terms = tuple(term for compiled in seen for term in terms_of(compiled, widths, basis))
    likelihood = JointLikelihood(terms, widths, constraints=constraints, engine_name=engine, basis=basis)
    if engine == "fast" and any(term.arrays.curves for term in terms):
        tell("a background is a formula, for which the engine fast has no loops: NumPy computes")
    if all(term.sigma is not None and not term.arrays.curves for term in terms):
        return likelihood
    standard = basis.strengths(_standard_model_couplings(fixed))
    return replace(likelihood, start=tuple(likelihood.profiled(standard).pulls[0].tolist()))


def _as_seen(compiled: CompiledExperiment, fixed: Values) -> CompiledExperiment:
    """Return the experiment; a projection as if it had observed the Standard Model and backgrounds."""
    experiment = compiled.experiment
    if experiment.statistics.observed is not None:
        return compiled
    expected = standard_model_counts(compiled, fixed).sum(keepdims=True)
    expected = expected + sum(background.nominal.sum() for background in experiment.statistics.backgrounds)
    seen = replace(experiment.statistics, observed=expected)
    return replace(compiled, experiment=replace(experiment, statistics=seen))


@dataclass(frozen=True)
class Question:
    """A model and experiments with some parameters free: χ² as a function of those.

    Attributes
    ----------
    model, likelihood
        What is tested, and by what.
    free
        The free parameters: of the model, or nuisance parameters, which are then free of their priors.
    values
        The other parameters of the model.
    start
        A value of each free parameter.
    conventions
        What a result depends on besides its parameters.
    over
        More parameters of the model, with their range, that are fitted at each point as pulls are.
    pinned
        Nuisance parameters that are held, without their priors, at a number or one for each fit.
    """

    model: Model
    likelihood: JointLikelihood
    free: tuple[Parameter, ...]
    values: Values
    start: Mapping[str, float]
    conventions: Conventions
    remarks: tuple[str, ...] = ()
    over: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    pinned: Mapping[str, ArrayLike] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        model: Model,
        experiments: Sequence[CompiledExperiment],
        fixed: Values,
        start: Mapping[str, float],
        widths: Widths | None = None,
        engine: str = "auto",
        over: Mapping[str, tuple[float, float]] | None = None,
        likelihood: JointLikelihood | None = None,
    ) -> "Question":
        """Put the likelihood together, unless there is one; `Study` has checked what is given."""
        of_model, over, widths = [p.name for p in model.parameters], over or {}, widths or {}
        tied = constraints(model, widths)
        of_pulls = {name: width for name, width in widths.items() if not isinstance(width, tuple)}
        fixed = {**fixed, **{p.name: p.default for p in tied}}
        likelihood = likelihood or joint_likelihood(
            experiments, fixed, of_pulls, engine, tied, model.channels
        )
        for pull in likelihood.pulls[: len(likelihood.pulls) - len(likelihood.constraints)]:
            if pull.name in of_model:
                raise NurecoilError(
                    f"the nuisance parameter {pull.name} has the name of a parameter of {model.name}: its"
                    " card must call it otherwise"
                )
        everything = (*model.parameters, *likelihood.pulls)
        free = tuple(find(everything, name) for name in start)
        middles = {name: _middle(find(model.parameters, name), *ends) for name, ends in over.items()}
        resolved = model.resolve({**fixed, **middles, **{n: v for n, v in start.items() if n in of_model}})
        check_finite(model, experiments, resolved, {*over, *start})
        others = {name: value for name, value in resolved.items() if name not in start}
        used = conventions(model, experiments, of_pulls)
        if tied:
            used["constraints"] = {p.name: [p.default, p.prior_width] for p in tied}
        if over:
            used["profiled over"] = {name: list(edges) for name, edges in over.items()}
        notes = remarks(model, experiments, resolved, {**dict.fromkeys(over), **start})
        return cls(model, likelihood, free, others, start, used, notes, over)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the free parameters, in order."""
        return tuple(parameter.name for parameter in self.free)

    @cached_property
    def of_model(self) -> list[int]:
        """The numbers of the free parameters that are the model's; the others are nuisance parameters."""
        own = {p.name for p in self.model.parameters}
        return [number for number, name in enumerate(self.names) if name in own]

    def strengths(self, points: ArrayLike, pulls: Array | None = None) -> Array:
        """Return what the model expects at points (P, d) of the free parameters, shape (P or 1, strengths).

        A constrained parameter has its value in the pulls (J,) or (P, J), or is at the centre.
        """
        x = _rows(points)
        new = {self.names[i]: x[:, i] for i in self.of_model}
        if pulls is not None:
            new |= {name: np.atleast_2d(pulls)[:, j] for name, j in self.constrained.items()}
        return strengths_of(self.likelihood.basis, self.model, {**self.values, **new})

    @cached_property
    def constrained(self) -> dict[str, int]:
        """The parameters of the model that are constrained, and their numbers among the pulls."""
        names, own = [p.name for p in self.likelihood.constraints], {p.name for p in self.model.parameters}
        first = len(self.likelihood.pulls) - len(names)
        return {name: first + n for n, name in enumerate(names) if name in own - set(self.names)}

    @property
    def prior_widths(self) -> dict[str, float]:
        """The prior widths of nuisance parameters that are not free: 0 if held, infinite without a prior."""
        widths = zip(self.likelihood.pulls, self.likelihood.width.tolist(), strict=True)
        return {pull.name: width for pull, width in widths if pull.name not in self.names}

    def named(self, point: Array) -> dict[str, float]:
        """Return the values (d,) of the free parameters by their names."""
        return dict(zip(self.names, point.tolist(), strict=True))

    def held(self, points: ArrayLike) -> dict[str, Array]:
        """Return the values of the nuisance parameters that are free or pinned, (P,) each."""
        x = _rows(points)
        return self._pinned | {name: x[:, i] for i, name in enumerate(self.names) if i not in self.of_model}

    def profiled(self, points: ArrayLike, starts: Array | None = None) -> Fitted:
        """Return χ² with the pulls, and the f parameters `over`, profiled at points (P, d).

        Those start at `starts` (S, f), by default `starts_over`.
        """
        x = _rows(points)
        begins = self.starts_over if starts is None else np.atleast_2d(starts)
        if not self.over:
            return self._over(x, begins)
        pulls = self.likelihood.begin
        best = lowest([self._over(x, start[np.newaxis], pulls) for start in parts(list(begins))])
        return lowest([best, self._over(x, best.points, best.pulls, REACH)])

    def profiled_from(self, points: ArrayLike, begin: Fitted) -> Fitted:
        """Return the same fits begun from others, one for each point, without a search for other valleys."""
        return self._over(_rows(points), begin.points, begin.pulls)

    def profiled_across(self, found: Fitted) -> Fitted:
        """Return fits at the points of others, begun from their pulls and searched for other valleys."""
        return self._over(found.points, np.empty((1, 0)), found.pulls, np.inf)

    def _over(
        self, x: Array, starts: Array, pulls: Array | None = None, reach: float | None = None
    ) -> Fitted:
        names, held = tuple(self.over), self.held(x)
        return self._fit(self.likelihood, x, names, self._box_over, starts, pulls, held, reach).known

    def _fit(
        self,
        likelihood: JointLikelihood,
        x: Array,
        names: tuple[str, ...],
        box: Coordinates,
        starts: Array,
        pulls: Array | None,
        held: Mapping[str, Array],
        reach: float | None,
    ) -> Fitted:
        """Return fits of pulls, constraints among them, and parameters of the model, at points x (P, d)."""
        tied = self.constrained
        if not (names or tied):
            return likelihood.profiled(self.strengths(x), held, pulls, reach)
        numbers = list(tied.values())
        centre = likelihood.observed.centres if pulls is None else pulls
        begin = np.atleast_2d(centre)[:, numbers]
        rows = max(len(starts), len(begin))
        begins = [np.broadcast_to(part, (rows, part.shape[1])) for part in (starts, begin)]
        found = fit_strengths(
            likelihood,
            self._strengths_of(x, (*names, *tied)),
            box.followed_by(self._rooms),
            np.concatenate(begins, axis=1),
            pulls,
            held,
            len(x),
            reach,
            {len(names) + n: j for n, j in enumerate(numbers)},
        )
        found = replace(found, points=self._existing(x, (*names, *tied), found.points))
        return found.of(range(len(names)))

    @cached_property
    def _rooms(self) -> Coordinates:
        """How far each constrained parameter may go: 12 widths to either side, if the model exists there."""
        centre, width = self.likelihood.centre, self.likelihood.width
        sides = [
            [self.reaching(n, float(centre[j] + far * width[j])) for n, j in self.constrained.items()]
            for far in (-_ROOM, _ROOM)
        ]
        return Coordinates((False,) * len(self.constrained), *np.array(sides))

    def reaching(self, name: str, end: float) -> float:
        """Return `end` of a parameter, or how far its bounds and, of the model's own, the model let it go."""
        parameter = find((*self.model.parameters, *self.likelihood.pulls), name)
        at = {**self.values, **{self.names[i]: self.start[self.names[i]] for i in self.of_model}}
        end = min(max(end, parameter.low), parameter.high)
        if name not in at:
            return end
        (found,) = self._as_far(at, (name,), np.array([at[name]], dtype=float), np.array([end])).tolist()
        return float(found)

    def existing(self, points: Array) -> Array:
        """Return points (P, d), each as far from the start, on a straight line, as the model lets it be."""
        found, own = points.copy(), self.of_model
        found[:, own] = self._existing(points, self._own_names, points[:, own])
        return found

    def _existing(self, x: Array, names: tuple[str, ...], values: Array) -> Array:
        """Return the same of values (P, names) at points x (P, d) or (1, d); constraints stay."""
        if self._exists({**self.values, **self._at(x, names, values)}):
            return values
        usual = {**self.values, **self.start}
        start = np.array([np.nan if name in self.constrained else usual[name] for name in names], dtype=float)
        rows = zip(np.broadcast_to(x, (len(values), x.shape[1])), values, strict=True)
        found = []
        for one, end in rows:
            at = {**self.values, **self._at(one[np.newaxis], (), values[:0])}
            found.append(self._as_far(at, names, np.where(np.isnan(start), end, start), end))
        return np.array(found)

    def _as_far(self, at: Values, names: tuple[str, ...], inside: Array, end: Array) -> Array:
        """Return `end`, or how far from `inside` towards it the model exists."""
        if self._exists({**at, **dict(zip(names, end, strict=True))}):
            return end
        for _ in range(_HALVINGS):
            middle = (inside + end) / 2
            exists = self._exists({**at, **dict(zip(names, middle, strict=True))})
            inside, end = (middle, end) if exists else (inside, middle)
        return inside

    def _exists(self, values: Values) -> bool:
        try:
            self.model.evaluate(values)
        except NurecoilError:
            return False
        return True

    def _at(self, x: Array, names: tuple[str, ...], values: Array) -> dict[str, Array]:
        """Return the free parameters of the model at points x (P, d), but some at values (P, names)."""
        others = {self.names[i]: x[:, i] for i in self.of_model}
        return {**others, **{name: values[:, number] for number, name in enumerate(names)}}

    def apart(self, one: Fitted, other: Fitted) -> NDArray[np.bool_]:
        """Return whether two fits lie so far apart that there may be two valleys between which χ² rises.

        In a pull that bends a shape, or in a parameter that is profiled over.
        """
        pulls = np.abs(one.pulls - other.pulls) / self.likelihood.bent
        points = np.abs(self._box_over.of(one.points) - self._box_over.of(other.points))
        return np.asarray((pulls > _APART).any(axis=-1) | (points > _ACROSS).any(axis=-1))

    def towards(self, one: Fitted, other: Fitted, share: Array) -> Fitted:
        """Return starts a share (P,) of the way from fits to others, or beyond, in what is searched.

        Pulls stay between those of both.
        """
        u, v = (self._box_over.of(each.points) for each in (one, other))
        points = self._box_over.parameters(u + share[:, np.newaxis] * (v - u))
        return replace(one.towards(other, np.clip(share, 0.0, 1.0)), points=points)

    @cached_property
    def starts_over(self) -> Array:
        """Starts of the parameters `over` (1 + 12 f, f): the usual values, and others spread over the box.

        Each coordinate of the others is once in each of 12 f equal parts of its range.
        """
        usual = np.array([[self.values[name] for name in self.over]], dtype=float)
        if not self.over:
            return usual
        places, rng = np.arange(_SPREAD * usual.size), np.random.default_rng(_SEED)
        others = [places, *(rng.permutation(places) for _ in range(usual.size - 1))]
        spread = (np.column_stack(others) + 0.5) / places.size
        return np.concatenate([usual, self._box_over.parameters(spread)])

    @cached_property
    def whole(self) -> "Question":
        """The question in which the parameters `over` are free as well, after the others."""
        if not self.over:
            return self
        names = tuple(self.over)
        return replace(
            self,
            free=(*self.free, *(find(self.model.parameters, name) for name in names)),
            values={name: value for name, value in self.values.items() if name not in names},
            start={**self.start, **{name: float(self.values[name]) for name in names}},
            over={},
        )

    def chi2(self, points: ArrayLike) -> Array:
        """Return the same χ², shape (P,)."""
        return self.profiled(points).chi2

    def unprofiled(self, points: ArrayLike, pulls: ArrayLike) -> Array:
        """Return χ² (P,) at points (P, d) and pulls (P, J), the pulls' priors included.

        A free nuisance parameter has its value in the points, and no prior.
        """
        x = np.array(np.broadcast_to(pulls, (len(np.atleast_2d(points)), len(self.likelihood.pulls))))
        for name, values in self.held(points).items():
            x[:, self._pull_number(name)] = values
        return self._without_priors.chi2(self.strengths(points, x), x)

    def slopes(self, points: Array, pulls: Array, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """Return the same χ² and its slopes in points (P, d) and pulls (P, J).

        Of the strengths the slopes are differences inside a box (d,), and exact from there on.
        """
        x, step, own = pulls.copy(), _STEP * (high - low), self.of_model
        for name, values in self.held(points).items():
            x[:, self._pull_number(name)] = values
        sides = [sign * np.diag(step)[i] for sign in (1, -1) for i in own]
        middle = np.clip(points, low + step, high - step)
        nodes = np.concatenate([points, *(middle + side for side in sides)])
        strengths = self.strengths(nodes, np.tile(x, (1 + len(sides), 1)))
        here, *around = np.broadcast_to(strengths, (len(nodes), strengths.shape[1])).reshape(
            1 + len(sides), len(x), -1
        )
        chi2, of_strengths, of_pulls = self._without_priors.slopes(here, x)
        found = np.empty(points.shape)
        for number, i in enumerate(own):
            difference = around[number] - around[len(own) + number]
            found[:, i] = (difference * of_strengths).sum(axis=1) / (2 * step[i])
        for i, name in enumerate(self.names):
            if i not in own:
                found[:, i] = of_pulls[:, self._pull_number(name)]
        return chi2, found, of_pulls

    def components(self, point: ArrayLike, pulls: Array) -> dict[str, dict[str, Array]]:
        """Return counts per bin at one point: {experiment: {"signal" or background: counts}}."""
        return self.likelihood.components(self.strengths(point, pulls), pulls)

    def with_data(self, data: Data) -> "Question":
        """Return the same question to other data."""
        return replace(self, likelihood=self.likelihood.with_data(data))

    def expected(self, point: ArrayLike, pulls: ArrayLike | None = None) -> Data:
        """Return Asimov data: what is expected at a point (d,), at pulls (J,) or their centres."""
        x = self._pulls_at(point, pulls)
        return self.likelihood.expected(self.strengths(point, x), x)

    def simulate(self, point: ArrayLike, pulls: ArrayLike, sets: int, rng: np.random.Generator) -> Data:
        """Return simulated data around what is expected at a point (d,) and pulls (J,)."""
        x = self._pulls_at(point, pulls)
        return self.likelihood.simulate(self.strengths(point, x), x, sets, rng)

    def fitted(
        self,
        starts: ArrayLike,
        low: ArrayLike,
        high: ArrayLike,
        pulls: Array | None = None,
        reach: float | None = None,
    ) -> Fitted:
        """Return the minima of χ² in the free parameters and the pulls, from starts (P, d) inside a box.

        One start for each set of data, or one for all, or several for one set. Parameters that are scanned
        in the logarithm are searched in it. The box holds the model's parameters; nuisance parameters that
        are free float. The pulls start at `pulls`, (J,) or (P, J), where given; `reach` is that of
        `JointLikelihood.profiled`.
        """
        theta, own = _rows(starts), self.of_model
        box = self.coordinates(*(np.asarray(edge, dtype=float) for edge in (low, high)))
        likelihood, x = self._without_priors, theta[:1]
        found = self._fit(likelihood, x, self._own_names, box, theta[:, own], pulls, self._pinned, reach)
        points = np.empty((len(found.chi2), len(self.free)))
        points[:, own] = found.points
        for i, name in enumerate(self.names):
            if i not in own:
                points[:, i] = found.pulls[:, self._pull_number(name)]
        return replace(found, points=points)

    def coordinates(self, low: Array, high: Array) -> Coordinates:
        """Return the coordinates in which free parameters of the model are searched in a box, (d,) each."""
        own = self.of_model
        return Coordinates.across([self.free[i] for i in own], low[own], high[own])

    def curvature(self, best: Fitted, low: Array, high: Array) -> Array:
        """Return the second derivatives (d, d) of the profiled χ² in the free parameters, at one fit.

        The Schur complement H_θθ - H_θx H_xx⁻¹ H_xθ of the Hessian in parameters θ and pulls x.
        """
        names, hessian, stuck = self._hessian(best, low, high)
        wanted = np.array([names.index(name) for name in self.names])
        others = np.setdiff1d(np.arange(len(names)), [*wanted, *stuck])
        mixed = hessian[np.ix_(wanted, others)]
        within = inverse(hessian[np.ix_(others, others)])
        return np.asarray(hessian[np.ix_(wanted, wanted)] - mixed @ within @ mixed.T)

    def covariance(self, best: Fitted, low: Array, high: Array) -> tuple[tuple[str, ...], Array]:
        """Return the names of what is fitted, the free parameters first, and its covariance 2 H⁻¹ at one fit.

        Without what is at a bound.
        """
        names, hessian, stuck = self._hessian(best, low, high)
        x = best.points[0]
        at_edge = [name for name, edge in zip(self.names, (x <= low) | (x >= high), strict=True) if edge]
        left_out = {*at_edge, *(names[n] for n in stuck)}
        kept = [name for name in dict.fromkeys([*self.names, *names]) if name not in left_out]
        numbers = np.array([names.index(name) for name in kept], dtype=int)
        return tuple(kept), 2 * inverse(hessian[np.ix_(numbers, numbers)])

    def shifts(self, best: Fitted, names: Sequence[str], covariance: Array) -> dict[str, Array]:
        """Return k independent shifts by 1σ of the counts of each experiment at one fit, shape (k, bins).

        They are those of `names` with such a covariance; the sum of their squares is that of an uncertainty.
        """
        step = 1e-3 * np.sqrt(np.diag(covariance))
        moved = np.concatenate([np.diag(step), -np.diag(step)])
        points, pulls = (np.tile(each[0], (len(moved), 1)) for each in (best.points, best.pulls))
        numbers = {pull.name: j for j, pull in enumerate(self.likelihood.pulls)}
        for column, name in zip(moved.T, names, strict=True):
            if name in numbers:
                pulls[:, numbers[name]] += column
            if name in self.names:
                points[:, self.names.index(name)] += column
        below, above = np.split(np.arange(len(moved)), 2)[::-1]
        root = np.linalg.cholesky(covariance / np.outer(step, step)).T / 2
        counts = self.likelihood.totals(self.strengths(points, pulls), pulls)
        terms = zip(self.likelihood.terms, counts, strict=True)
        return {term.name: root @ (each[above] - each[below]) for term, each in terms}

    def _hessian(self, best: Fitted, low: Array, high: Array) -> tuple[list[str], Array, list[int]]:
        """Return names of pulls and parameters, the Hessian of χ² in them, and which pulls are at bounds."""
        own, point, tied = self.of_model, best.points[:1], list(self.constrained.values())
        coordinates = self.coordinates(low, high).followed_by(self._rooms)
        x = np.concatenate([point[:, own], best.pulls[:1, tied]], axis=1)
        strengths_of = self._strengths_of(point, (*self._own_names, *self.constrained))

        def at(values: Array, rows: NDArray[np.intp] | None = None) -> Array:
            return strengths_of(coordinates.parameters(values), rows)

        u = coordinates.of(x)[0]
        free, hessian = self._without_priors.hessian(
            expansion(at, u.size) if u.size else self.strengths(point),
            u,
            best.pulls[0],
            tuple(self.pinned),
            coordinates.ties({len(own) + n: j for n, j in enumerate(tied)}),
        )
        slope = np.ones(len(hessian))
        slope[free.size :] = coordinates.slope(x)[0]
        hessian = hessian / np.outer(slope, slope)
        low, high = (edge[free] for edge in self.likelihood.bounds)
        stuck = np.flatnonzero((best.pulls[0, free] <= low) | (best.pulls[0, free] >= high))
        pulls = [self.likelihood.pulls[j].name for j in free]
        return [*pulls, *self._own_names, *self.constrained], hessian, stuck.tolist()

    @cached_property
    def _own_names(self) -> tuple[str, ...]:
        return tuple(self.names[i] for i in self.of_model)

    def along(self, number: int, low: Array, high: Array) -> "Question":
        """Return the question of one of the free parameters, the others profiled over in a box (d,)."""
        others = {self.names[i]: (float(low[i]), float(high[i])) for i in self.of_model if i != number}
        return replace(
            self,
            likelihood=self._without_priors,
            free=(self.free[number],),
            start={self.names[number]: self.start[self.names[number]]},
            values={**self.values, **{name: self.start[name] for name in others}},
            over={**self.over, **others},
        )

    def _strengths_of(self, points: Array, names: tuple[str, ...]) -> Strengths:
        """Return the strengths as a function of some of the model's parameters, at each of P points.

        The function takes values (k P, names), k for each point: all points in their order, k times. Where
        the model does not exist, it has the value of where that ends on the way there: so no fit is stopped.
        """

        def there(values: Array, rows: NDArray[np.intp] | None = None) -> Array:
            x = points if rows is None or len(points) == 1 else points[rows]
            x = np.tile(x, (len(values) // len(x), 1))
            try:
                new = self._at(x, names, values)
                return strengths_of(self.likelihood.basis, self.model, {**self.values, **new})
            except NurecoilError:
                new = self._at(x, names, self._existing(x, names, values))
                return strengths_of(self.likelihood.basis, self.model, {**self.values, **new})

        return there

    @cached_property
    def _box_over(self) -> Coordinates:
        low, high = np.array([*self.over.values()], dtype=float).reshape(-1, 2).T
        return Coordinates.across([find(self.model.parameters, name) for name in self.over], low, high)

    @cached_property
    def _pinned(self) -> dict[str, Array]:
        return {name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in self.pinned.items()}

    @cached_property
    def _without_priors(self) -> JointLikelihood:
        """The likelihood in which nuisance parameters that are free or pinned have no prior."""
        free = [name for i, name in enumerate(self.names) if i not in self.of_model]
        widths, likelihood = dict.fromkeys([*free, *self.pinned], np.inf), self.likelihood
        return replace(likelihood, widths={**likelihood.widths, **widths}) if widths else likelihood

    def _pull_number(self, name: str) -> int:
        return [pull.name for pull in self.likelihood.pulls].index(name)

    def _pulls_at(self, point: ArrayLike, pulls: ArrayLike | None) -> Array:
        x = np.array(self.likelihood.centre if pulls is None else pulls, dtype=float)
        for name, values in self.held(point).items():
            x[self._pull_number(name)] = values[0]
        return x

    def result(
        self,
        question: str,
        values: Answer,
        *,
        converged: bool,
        settings: Mapping[str, object],
        notes: Iterable[str] = (),
        nuisances: str = "profiled",
    ) -> Result[Answer]:
        """Return an answer with what it rests on."""
        held = {n: v for n, v in self.values.items() if n not in self.over and n not in self.constrained}
        return Result(
            question=question,
            values=values,
            converged=converged,
            fixed=held,
            notes=tuple(dict.fromkeys((*notes, *self.model.notes(held), *self.remarks))),
            conventions={**self.conventions, "nuisances": nuisances},
            provenance=provenance({**settings, "engine": self.likelihood.engine_name}),
            parameters=self.model.parameters,
        )


def _rows(points: ArrayLike) -> Array:
    return np.atleast_2d(np.asarray(points, dtype=float))


def constraints(model: Model, widths: Widths) -> tuple[Parameter, ...]:
    """Return the constrained parameters of the model, each with its prior."""
    tied = ((name, pair) for name, pair in widths.items() if isinstance(pair, tuple))
    return tuple(
        replace(find(model.parameters, name), default=centre, prior_width=width, log_scan=False)
        for name, (centre, width) in tied
    )


def _middle(parameter: Parameter, low: float, high: float) -> float:
    """Return the usual value of a parameter that is profiled over: its default, or its range's middle."""
    default = parameter.default
    if isinstance(default, float) and low <= default <= high:
        return default
    return math.sqrt(low * high) if parameter.log_scan and low > 0 else (low + high) / 2
