"""`fit`: which parameters fit best."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from nurecoil.arithmetic import Array, pair, undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.inference.errors import crossings
from nurecoil.likelihood import Fitted
from nurecoil.likelihood.newton import inverse
from nurecoil.parameters import Parameter, at_border, find, written
from nurecoil.presentation.document import Block, Figure, Matrix, Pairs, Table
from nurecoil.presentation.labels import symbols
from nurecoil.study.curve import Curve
from nurecoil.study.minima import box, fitted_from, held_at, minima, spread, starting_points
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study
from nurecoil.verbs.counts import BesideData
from nurecoil.verbs.options import Free, Starts, Told, Verb

HELP = """Fit parameters to experiments: best fit with errors, χ², pulls, and counts of every component.

A free parameter is one of the model, or a nuisance parameter of an experiment, which is then free of its
prior. All other nuisance parameters are fitted along with their priors.

\b
Examples:
  nurecoil fit --model scaled-standard-model --experiment coherent-csi-2021 \\
    --set electroweak=radiative --free signal_strength=1 --fix sns_flux
  nurecoil fit --model standard-model --experiment coherent-csi-2021 \\
    --experiment coherent-lar-2020 --free sin2_theta_w=0.24 --json
  nurecoil fit --model standard-model --experiment coherent-csi-2021 \\
    --free neutron_radius_csi=5fm
  nurecoil fit --model 331-beta --experiment binh2021-csi --set variant=numbers \\
    --set 'beta=-sqrt(3)' --free m_zprime=1TeV --starts 10"""
_DEGENERATE = 1e-3  # of the largest curvature: hardly any
_PART = 0.1  # of a direction
_NEGLIGIBLE = 1e-3  # of its largest component
_TINY = 1e-200
_BEGIN = 0.03  # of an error
_MOST_ROUNDS = 3
_MOST_CORRELATED = 12  # that are drawn: the free parameters, and what is most correlated with them
_LOWER = 1e-6  # in χ²


@dataclass(frozen=True)
class Fit:
    """The lowest minimum of χ², how far it can be trusted, and the others (inside units).

    Attributes
    ----------
    names
        The fitted parameters.
    values, errors, minimum
        Best fit, errors from the Hessian (NaN where there is none), and χ² there.
    minos
        How far below and above the best fit χ², minimised over all else, has risen by one; NaN where it does
        not. Empty unless asked for.
    flat
        Parameters that the data do not fix, whose values mean nothing, and in which direction they may go.
    converged, message
        The search converged, and nothing is flat; and in a line what to mind.
    starts, others
        From how many places the user began, and the other minima within 4 of the lowest, with their χ².
    """

    names: tuple[str, ...]
    values: dict[str, float]
    errors: dict[str, float]
    minos: dict[str, tuple[float, float]]
    minimum: float
    flat: dict[str, float]
    converged: bool
    message: str
    starts: int
    others: tuple[tuple[dict[str, float], float], ...]

    def record(self, parameter: Parameter) -> dict[str, object]:
        """Return the best fit and the errors of one parameter at the border unit."""
        name, unit = parameter.name, parameter.inside
        sides = zip(("below", "above"), self.minos.get(name, ()), strict=False)  # where asked for
        return {
            "value": self.values[name] / unit,
            "unit": parameter.unit,
            "error": self.errors[name] / unit,
            **{side: error / unit for side, error in sides},
        }

    def text(self, parameter: Parameter) -> str:
        """Return the best fit with its asymmetric errors, or with the symmetric one."""
        value, error = parameter.format(self.values[parameter.name], 5), self.errors[parameter.name]
        pair = self.minos.get(parameter.name, (math.nan, math.nan))
        below, above = (parameter.format(e, 2) if math.isfinite(e) else "" for e in pair)
        if below and above:
            return f"{value} -{below} +{above}"
        if not (below or above or math.isfinite(error)):
            return f"{value} ± unknown"
        symmetric = f"{value} ± {parameter.format(error, 2)}" if math.isfinite(error) else value
        if below:
            return f"{symmetric} (-{below}, no error above)"
        return f"{symmetric} (+{above}, no error below)" if above else symmetric


@dataclass(frozen=True, repr=False)
class BestFit(Shown):
    """The best fit of parameters and pulls to experiments.

    Attributes
    ----------
    fit
        Values and errors (Hesse and MINOS) of the fitted parameters, χ², whether it converged (inside units).
    parameters
        The fitted parameters.
    nuisances, pulls
        The nuisance parameters with the prior widths of this fit, and their values at the best fit, by name.
    components
        Counts of the signal and of each background at the best fit: {experiment: {component: counts}}.
    observed
        Observed counts per bin, by experiment.
    correlations
        Names of what is fitted, the free parameters and then pulls, and the correlation of each with each;
        none where χ² is flat in something.
    shifts
        Independent shifts by 1σ of the counts of each experiment, shape (k, bins), that the fit leaves open.
    drawn
        The components beside the data, where the experiments are known.
    """

    fit: Fit
    parameters: tuple[Parameter, ...]
    nuisances: tuple[Parameter, ...]
    pulls: Mapping[str, float]
    components: Mapping[str, Mapping[str, Array]]
    observed: Mapping[str, Array]
    correlations: tuple[tuple[str, ...], Array]
    shifts: Mapping[str, Array]
    drawn: BesideData | None = None

    @property
    def bins(self) -> int:
        """How many bins are fitted: those where anything is expected or seen, so none that is masked."""
        expected = [sum(self.components[name].values()) for name in self.observed]
        both = zip(expected, self.observed.values(), strict=True)
        return sum(int(((mu != 0) | (seen != 0)).sum()) for mu, seen in both)

    def pulled(self, pull: Parameter) -> float | None:
        """Return by how many widths of its prior a pull is off; None where it has no prior."""
        width = pull.prior_width or 0.0
        if pull.name in self.fit.values or not 0 < width < math.inf:
            return None
        return (self.pulls[pull.name] - float(pull.default or 0.0)) / width

    def record(self, result: Result["BestFit"]) -> dict[str, object]:
        fit = self.fit
        return {
            "best_fit": {p.name: fit.record(p) for p in self.parameters},
            "chi2": fit.minimum,
            "bins": self.bins,
            "message": fit.message,
            "other_minima": [
                {"at": at_border(self.parameters, point), "chi2": chi2} for point, chi2 in fit.others
            ],
            "not_fixed": [
                {"parameter": p.name, "share": fit.flat[p.name], "logarithm": _in_logarithm(p)}
                for p in self.parameters
                if p.name in fit.flat
            ],
            "starts": fit.starts,
            "correlations": {"names": self.correlations[0], "matrix": self.correlations[1]},
            "pulls": {
                p.name: {
                    "value": self.pulls[p.name],
                    "unit": p.unit,
                    "prior_width": p.prior_width,
                    "pull": self.pulled(p),
                }
                for p in self.nuisances
            },
            "counts": {
                name: {
                    "components": {key: counts.sum() for key, counts in components.items()},
                    "expected": sum(counts.sum() for counts in components.values()),
                    "observed": self.observed[name].sum(),
                }
                for name, components in self.components.items()
            },
        }

    def blocks(self, result: Result["BestFit"]) -> Iterator[Block]:
        fit = self.fit
        rows = [(p.name, fit.text(p)) for p in self.parameters]
        rows.append(("χ²", f"{fit.minimum:.2f} for {self.bins} bin{'s' * (self.bins > 1)}"))
        rows += [
            ("also a minimum", f"{written(self.parameters, point)}: χ² = {chi2:.2f}")
            for point, chi2 in fit.others
        ]
        reasons = (note for note in result.notes if note.startswith(("there is no", "the fit did")))
        rows.append(result.convergence(next(reasons, fit.message)))
        if fit.message != "converged" and result.converged:
            rows.append(("", fit.message.removeprefix("converged; ")))
        yield Pairs(result.title(f"Best fit, {fit.starts} starts"), tuple(rows))
        for name, components in self.components.items():
            sums = {key: counts.sum() for key, counts in components.items()}
            sums |= {"all": sum(sums.values()), "observed": self.observed[name].sum()}
            counts = tuple((key, f"{total:.2f}") for key, total in sums.items())
            yield Table(f"Counts: {name}", ("component", "counts"), counts, right=(1,))
        pulls = tuple(self._row(p) for p in self.nuisances)
        columns = ("name", "value", "prior width", "pull")
        yield Table("Nuisance parameters", columns, pulls, right=(1, 2, 3))

    def figure(self, result: Result["BestFit"]) -> Figure:
        beside = self.drawn.figure("Best fit", result) if self.drawn else super().figure(result)
        names, matrix = self.correlations
        if len(names) < 2:
            return beside
        first = len(self.parameters)
        strongest = np.argsort(-np.abs(matrix[:first, first:]).max(axis=0, initial=0.0), kind="stable")
        shown = [*range(first), *(first + strongest)][:_MOST_CORRELATED]
        everything = {p.name: p for p in (*self.parameters, *self.nuisances)}
        written = symbols([everything[names[n]] for n in shown])
        panel = Matrix(tuple(written), matrix[np.ix_(shown, shown)], "Correlations")
        return replace(beside, panels=(*beside.panels, panel))

    def _row(self, pull: Parameter) -> tuple[str, ...]:
        pulled = self.pulled(pull)
        floats = pull.name in self.fit.values or pull.prior_width == math.inf
        width = "free" if floats else f"{pull.prior_width:.4g}"
        value = pull.format(self.pulls[pull.name], 4)
        return pull.name, value, width, "–" if pulled is None else f"{pulled:+.2f}"


@undisturbed
def fit(
    study: Study,
    free: Free,
    *,
    starts: Starts = 5,
    minos: Annotated[
        bool, Told("Find asymmetric errors, below and above.", flag="--minos/--no-minos", shown="minos")
    ] = True,
) -> Result[BestFit]:
    """Return the best fit of some parameters, pulls profiled.

    A parameter that spans decades is fitted by its logarithm, so that no scale is too far off.

    Parameters
    ----------
    free : mapping
        ``{"m_zprime": "1 TeV"}``: of the model, or nuisance parameters, which are then free of their priors.
    starts
        Starts in all; the others are spread around the first.
    minos
        Asymmetric errors too: where χ², all else fitted, is higher by 1.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("scaled-standard-model", "binh2021-csi")
    >>> found = study.fit({"signal_strength": 1.0}).values.fit
    >>> value, (below, above) = found.values["signal_strength"], found.minos["signal_strength"]
    >>> f"{value:.3f} -{below:.3f} +{above:.3f}"
    '0.685 -0.212 +0.328'
    """
    question = study.question(study.free(free))
    result = fit_of(question, spread(question, starts), minos)
    drawn = BesideData.of(study.experiments, result.values.components, shifts=result.values.shifts)
    return replace(result, values=replace(result.values, drawn=drawn))


def fit_of(
    question: Question, starts: Sequence[Mapping[str, float]] = (), minos: bool = True
) -> Result[BestFit]:
    """Return the same for a question."""
    if not question.free:
        raise NurecoilError("a fit needs at least one free parameter")
    points = starting_points(question, starts)
    low, high = box(question, points)
    found = minima(question, points, (low, high))
    for _ in range(_MOST_ROUNDS):
        found = _none_if_as_low(question, found, low, high)
        best = found.at(np.array([0]))
        curves = [_curve(question, best, number, low, high) for number in range(len(low))]
        fit = _fit(question, found, curves, low, high, len(points), minos)
        lower = [
            _point(question, curve, best.points[0], number)
            for number, curve in enumerate(curves)
            if curve.lowest.chi2[0] < fit.minimum - _LOWER
        ]
        if not lower:
            break
        found = minima(question, np.array(lower))  # errors may lead to where no start did
    likelihood, (names, covariance) = question.likelihood, question.covariance(best, low, high)
    if fit.flat or not np.isfinite(covariance).all():
        names, covariance = (), np.empty((0, 0))
    sigma = np.sqrt(np.diag(covariance))
    widths = zip(likelihood.pulls, likelihood.width.tolist(), strict=True)
    nuisances = tuple(replace(pull, prior_width=width) for pull, width in widths)
    answer = BestFit(
        fit=fit,
        parameters=question.free,
        nuisances=nuisances,
        pulls={pull.name: x for pull, x in zip(nuisances, best.pulls[0].tolist(), strict=True)},
        components=question.components(best.points, best.pulls),
        observed={term.name: term.observed for term in likelihood.terms},
        correlations=(names, covariance / np.outer(sigma, sigma)),
        shifts=question.shifts(best, names, covariance) if names else {},
    )
    return question.result(
        "fit",
        answer,
        converged=fit.converged,
        notes=_notes(question, fit),
        settings={"start": dict(question.start), "starts": [dict(more) for more in starts]},
    )


def _fit(
    question: Question,
    found: Fitted,
    curves: Sequence[Curve],
    low: Array,
    high: Array,
    starts: int,
    minos: bool,
) -> Fit:
    """Return the lowest minimum with its errors, and the others."""
    best, names = found.at(np.array([0])), question.names
    x = best.points[0]
    curvature = question.curvature(best, low, high)
    inside = np.flatnonzero((x > low) & (x < high))
    errors = np.full(x.size, np.nan)
    errors[inside] = np.sqrt(2 * np.diag(inverse(curvature[np.ix_(inside, inside)])))
    crossed = [_crossings(curve, best, n, errors[n], low[n], high[n]) for n, curve in enumerate(curves)]
    flat = _loose(question, best, curvature, np.array(crossed), low, high)
    errors[[name in flat for name in names]] = np.nan
    pairs = list(zip(names, crossed, strict=True))
    at_bound = [p.name for p, value in zip(question.free, x, strict=True) if value in (p.low, p.high)]
    missing = [
        f"{side} of {name}"
        for name, pair in pairs
        for side, error in zip(("lower", "upper"), pair, strict=True)
        if np.isnan(error) and name not in at_bound
    ]
    higher = zip(found.points[1:], found.chi2[1:], strict=True)
    cautions = [f"{', '.join(at_bound)} is at its bound"] if at_bound else []
    cautions += [f"MINOS finds no error: {', '.join(missing)}"] if missing and minos else []
    settled = bool(best.converged[0])
    trouble = f"the function is flat in {', '.join(flat)}: no minimum, no error" if flat else ""
    trouble = trouble or ("" if settled else "the search ran out of steps")
    return Fit(
        names=names,
        values=question.named(x),
        errors=question.named(errors),
        minos={name: (np.nan, np.nan) if name in flat else pair for name, pair in pairs} if minos else {},
        minimum=float(best.chi2[0]),
        flat=flat,
        converged=not trouble,
        message=trouble or "; ".join(["converged", *cautions]),
        starts=starts,
        others=() if flat else tuple((question.named(point), float(chi2)) for point, chi2 in higher),
    )


def _none_if_as_low(question: Question, found: Fitted, low: Array, high: Array) -> Fitted:
    """Return fits, the lowest at a bound that stands for none in a logarithm, where χ² is as low there.

    Down to that bound χ² is flat, and the search stops anywhere on the way.
    """
    first = np.array([0])
    for n in (n for n, p in enumerate(question.free) if _in_logarithm(p)):
        best, others = found.at(first), [i for i in question.of_model if i != n]
        there = question.along(n, low, high).profiled_from(low[[n]], best.of(others))
        if there.chi2[0] <= best.chi2[0] + _LOWER:
            points = best.points.copy()
            points[:, n], points[:, others] = low[n], there.points
            found = found.with_at(first, replace(there, points=points))
    return found


def _curve(question: Question, best: Fitted, number: int, low: Array, high: Array) -> Curve:
    """Return the profile of one parameter, begun at the best fit."""
    others = [i for i in question.of_model if i != number]
    return Curve.from_fit(question.along(number, low, high), best.of(others), float(best.points[0, number]))


def _point(question: Question, curve: Curve, best: Array, number: int) -> Array:
    """Return the lowest point of a profile as one of all parameters."""
    point = best.copy()
    point[number] = curve.lowest_at
    point[[i for i in question.of_model if i != number]] = curve.lowest.points[0]
    return point


def _crossings(
    curve: Curve, best: Fitted, number: int, error: float, low: float, high: float
) -> tuple[float, float]:
    """Return the errors below and above one parameter, by its profile in a range."""
    x = float(best.points[0, number])
    log = curve.question.free[0].log_scan and low > 0
    ends = (math.log(x / low), math.log(high / x)) if log else (x - low, high - x)
    size = error if np.isfinite(error) else max(abs(x), _TINY)
    size = min(size / x, 1.0) if log else size

    def place(distance: Array) -> Array:
        signed = distance * np.array([-1.0, 1.0])
        return np.asarray(np.clip(x * np.exp(signed) if log else x + signed, low, high))

    curve(place(np.full(2, _BEGIN * size)))  # near enough to find the direction in which the others follow
    distances = np.array(crossings(lambda d: curve(place(d)) - best.chi2[0], size, ends))
    return pair(np.abs(np.where(np.isnan(distances), np.nan, place(np.nan_to_num(distances)) - x)))


def _loose(
    question: Question, best: Fitted, curvature: Array, crossed: Array, low: Array, high: Array
) -> dict[str, float]:
    """Return the parameters that the data do not fix, and the direction in which they may go together.

    Where χ², all else fitted, rises by one on neither side, falls as far as is searched, or is as low where
    the parameter decouples; or where parameters that are correlated to more than 99.9 % have run to a bound.
    The largest component is 1, in logarithms where parameters are searched in them.
    """
    x, lowest, highest = best.points[0], *np.array([(p.low, p.high) for p in question.free]).T
    outside = (x <= low) & (low > lowest) | (x >= high) & (high < highest)
    lost = np.isnan(crossed).all(axis=1) | outside
    for n, parameter in enumerate(question.free):
        if parameter.decouples:
            rest = held_at(question, {parameter.name: math.inf})
            lost[n] |= fitted_from(rest, np.delete(x, n)[np.newaxis]).chi2[0] <= best.chi2[0] + _LOWER
    unit = 1 / np.sqrt(np.maximum(np.diag(curvature), _TINY))
    sizes, directions = np.linalg.eigh(np.nan_to_num(curvature * np.outer(unit, unit)))
    along = directions[:, 0] * unit / np.where([_in_logarithm(p) for p in question.free], x, 1.0)
    share = along / along[np.abs(along).argmax()]
    if x.size > 1 and sizes[0] < _DEGENERATE and (lost.any() or ((x <= low) | (x >= high)).any()):
        lost = lost | (np.abs(directions[:, 0]) > _PART)
    return {name: float(c) for name, c, free in zip(question.names, share, lost, strict=True) if free}


def _notes(question: Question, fit: Fit) -> Iterator[str]:
    """Yield what a reader should know of a fit: what is free, which other minima there are."""
    if not fit.converged:
        yield _trouble(question, fit)
    for values, chi2 in fit.others:
        where = written(question.free, values)
        yield f"another minimum, {max(chi2 - fit.minimum, 0.0):.2g} higher in χ², is at {where}."


def _trouble(question: Question, fit: Fit) -> str:
    """Return why a fit is not to be trusted."""
    if not fit.flat:
        return f"the fit did not converge: {fit.message}"
    if len(fit.flat) == 1:
        (name,) = fit.flat
        where = find(question.free, name).format(fit.values[name], 2)
        return f"there is no best fit: χ² is flat around {name} = {where}, so that the data set only a limit"
    largest = max(map(abs, fit.flat.values()))
    along = {name: share for name, share in fit.flat.items() if abs(share) > _NEGLIGIBLE * largest}
    change = (f"d {'ln ' * _in_logarithm(find(question.free, name))}{name}" for name in along)
    ratio = f"{' : '.join(change)} = {' : '.join(f'{share:.3g}' for share in along.values())}"
    together = f", which may go together in the ratio {ratio}" * (len(along) > 1)
    return f"there is no best fit: the data do not fix {' and '.join(fit.flat)}{together}"


def _in_logarithm(parameter: Parameter) -> bool:
    return parameter.log_scan and parameter.low > 0


COMMAND = Verb(fit, HELP, plots=True)
