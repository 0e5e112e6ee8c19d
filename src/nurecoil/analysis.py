"""Questions put to a model and experiments: what is predicted, which parameters fit, which are allowed.

The one place where physics and inference meet: a model and compiled experiments become a function χ² of
parameters, and `nurecoil.inference`, which knows no physics, answers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil import constants
from nurecoil._version import __version__
from nurecoil.couplings import Couplings
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment, CountingStatistics
from nurecoil.inference.fit import Fit, minimise
from nurecoil.inference.intervals import Profile, profile, threshold
from nurecoil.likelihood import (
    BinnedTerm,
    CountingTerm,
    JointLikelihood,
    Morphing,
    Term,
    counting_likelihood,
)
from nurecoil.models import STANDARD_MODEL, Model
from nurecoil.parameters import Parameter, Value, Values, find

Array = NDArray[np.float64]
Conventions = Mapping[str, object]


@dataclass(frozen=True)
class Prediction:
    """Expected counts of one experiment at one point of a model.

    Attributes
    ----------
    edges, observable
        The bins of the first axis and what it is; counts are summed over the other axes.
    counts, standard_model_counts
        Per bin, of the model (Standard Model included) and of the Standard Model at the same s_W².
    values, notes, conventions
        All parameters; what the user should know about the point; what was assumed.
    """

    edges: tuple[float, ...]
    observable: str
    counts: Array
    standard_model_counts: Array
    values: Values
    notes: tuple[str, ...]
    conventions: Conventions

    @property
    def total(self) -> float:
        """The sum over bins."""
        return float(self.counts.sum())

    @property
    def standard_model_total(self) -> float:
        """The sum over bins in the Standard Model."""
        return float(self.standard_model_counts.sum())


@dataclass(frozen=True)
class Limit:
    """The allowed intervals of one parameter.

    Attributes
    ----------
    parameter, cl, profile
        The scanned parameter, the confidence level, and Δχ² with its intervals (inside units).
    values, notes, conventions
        The other parameters; what the user should know; what was assumed.
    """

    parameter: Parameter
    cl: float
    profile: Profile
    values: Values
    notes: tuple[str, ...]
    conventions: Conventions


@dataclass(frozen=True)
class BestFit:
    """The best fit of parameters and pulls to experiments.

    Attributes
    ----------
    fit
        Values and errors of the fitted parameters, χ² and whether it converged (inside units).
    parameters
        The fitted parameters.
    pulls
        The nuisance parameters at the best fit, by name.
    components
        Counts of the signal and of each background at the best fit: {experiment: {component: counts}}.
    observed
        Observed counts per bin, by experiment.
    values, notes, conventions
        The other parameters; what the user should know; what was assumed.
    """

    fit: Fit
    parameters: tuple[Parameter, ...]
    pulls: Mapping[str, float]
    components: Mapping[str, Mapping[str, Array]]
    observed: Mapping[str, Array]
    values: Values
    notes: tuple[str, ...]
    conventions: Conventions


def predict(model: Model, experiment: CompiledExperiment, values: Values) -> Prediction:
    """Return the expected counts of an experiment at one point of a model (seed, eq. 42).

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("standard-model")
    >>> round(predict(model, csi, {"sin2_theta_w": 0.23867}).total, 1)
    186.9
    """
    resolved = model.resolve(values)
    shape = experiment.experiment.shape
    axis = experiment.experiment.axes[0]

    def on_first_axis(counts: Array) -> Array:
        summed: Array = counts.reshape(shape).sum(axis=tuple(range(1, len(shape))))
        return summed

    return Prediction(
        edges=axis.edges,
        observable=axis.name,
        counts=on_first_axis(experiment.counts(model.evaluate(resolved))),
        standard_model_counts=on_first_axis(standard_model_counts(experiment, resolved)),
        values=resolved,
        notes=model.notes(resolved),
        conventions=conventions(model, [experiment]),
    )


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
) -> JointLikelihood:
    """Return the likelihood of experiments together.

    Parameters
    ----------
    experiments
        Independent of one another but for the pulls that share a name.
    fixed : mapping
        Parameters of the model; a projection observes the Standard Model's expectation at their s_W² or,
        where that is scanned, at its default.
    widths : mapping, optional
        Prior widths by name of pull, in place of the experiments' own; 0 holds a pull at zero.
    """
    if not experiments:
        raise NurecoilError("at least one experiment is needed")
    widths = widths or {}
    terms: list[Term] = []
    for compiled in experiments:
        statistics = compiled.experiment.statistics
        if isinstance(statistics, CountingStatistics):
            expected = float(standard_model_counts(compiled, fixed).sum())
            counting = counting_likelihood(statistics, expected, widths)
            terms.append(CountingTerm(compiled, statistics, counting))
        else:
            terms.append(BinnedTerm(compiled, statistics))
    likelihood = JointLikelihood(tuple(terms), widths)
    if not any(isinstance(term, BinnedTerm) for term in terms):
        return likelihood
    standard = likelihood.profiled(likelihood.signals(_standard_model_couplings(fixed)))
    return replace(likelihood, start=tuple(standard.pulls[0].tolist()))


def limit(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    scan: tuple[str, float, float],
    *,
    cl: float = 0.9,
    freeze_at: float | None = None,
    widths: Mapping[str, float] | None = None,
    points: int = 2001,
) -> Limit:
    """Return all intervals of one parameter that the experiments allow together.

    Parameters
    ----------
    model, experiments
        What is tested, and by what.
    fixed : mapping
        Values of the other parameters (inside units).
    scan : (name, low, high)
        The parameter and its range (inside units): of the model, or a nuisance parameter of an experiment,
        which is then free of its prior.
    cl : float
        Confidence level; Δχ² follows from Wilks' theorem with one degree of freedom.
    freeze_at : float, optional
        None profiles the pulls at every point. A value of the scanned parameter holds them at their best
        fit there, and counts Δχ² from that point: what the seed did, at m_Z' = 3 TeV.
    widths : mapping, optional
        Prior widths by name of pull, in place of the experiments' own; 0 holds a pull at zero.
    points : int
        Points of the scan; the intervals' ends do not depend on it.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("331-beta")
    >>> fixed = {"beta": -(3**0.5), "sin2_theta_w": 0.23867}
    >>> result = limit(model, [csi], fixed, ("m_zprime", 1e5, 1e8))
    >>> f"{result.profile.lower_limit / 1e6:.2f} TeV"
    '1.48 TeV'
    """
    name, low, high = scan
    question = _Question.of(model, experiments, fixed, {name: low}, widths)
    parameter = question.free[0]
    if not low < high:
        raise NurecoilError(
            f"the range of {name}, {parameter.format(low)} to {parameter.format(high)}, is reversed or empty:"
            " write LOW..HIGH with LOW below HIGH"
        )
    parameter.check([low, high])
    level = threshold(cl)
    reference = None
    chi2: Callable[[Array], Array] = question.profiled
    if freeze_at is not None:
        parameter.check(freeze_at)
        chi2, reference = question.frozen_at(freeze_at)
    log = parameter.log_scan and low > 0
    curve = profile(
        chi2, low, high, level, log=log, points=points, reference=reference, noise=question.likelihood.noise
    )
    used = conventions(model, experiments, widths)
    used["nuisances"] = (
        "profiled"
        if freeze_at is None
        else f"frozen at their best fit for {name} = {parameter.format(freeze_at)}, Δχ² counted from there"
    )
    notes = question.notes()
    if freeze_at is None:
        notes += _edge_notes(parameter, curve, low, high)
    if parameter.name == "sin2_theta_w":
        notes += _projection_notes(experiments, question.values)
    return Limit(parameter, cl, curve, question.values, notes, used)


def fit(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    start: Mapping[str, float],
    *,
    starts: Sequence[Mapping[str, float]] = (),
    widths: Mapping[str, float] | None = None,
) -> BestFit:
    """Return the best fit of some parameters, pulls profiled.

    Parameters
    ----------
    model, experiments, fixed, widths
        As for `limit`.
    start : mapping
        The parameters to fit and where to start (inside units): of the model, or nuisance parameters.
    starts : sequence of mappings
        More starting points, against local minima; the best fit of all is returned.
    """
    if not start:
        raise NurecoilError("a fit needs at least one free parameter")
    question = _Question.of(model, experiments, fixed, start, widths)
    found = minimise(
        lambda x: float(question.profiled_at({n: np.array([v]) for n, v in zip(start, x, strict=True)})[0]),
        start,
        bounds={p.name: (_finite(p.low), _finite(p.high)) for p in question.free},
        starts=starts,
    )
    signals, held = question.point({name: np.array([v]) for name, v in found.values.items()})
    best = question.likelihood.profiled(signals, held)
    names = [pull.name for pull in question.likelihood.pulls]
    components = question.likelihood.components(signals, best.pulls)
    used = conventions(model, experiments, widths)
    used["nuisances"] = "profiled"
    notes = question.notes()
    if not (found.converged and best.converged.all()):
        notes += (f"the fit did not converge: {found.message or 'the pulls did not settle'}",)
    return BestFit(
        fit=found,
        parameters=question.free,
        pulls=dict(zip(names, best.pulls[0].tolist(), strict=True)),
        components=components,
        observed={t.name: t.observed for t in question.likelihood.terms},
        values=question.values,
        notes=notes,
        conventions=used,
    )


@dataclass(frozen=True)
class _Question:
    """A model and experiments with some parameters free: χ² as a function of those."""

    model: Model
    likelihood: JointLikelihood
    free: tuple[Parameter, ...]
    values: Values
    start: Mapping[str, float]

    @classmethod
    def of(
        cls,
        model: Model,
        experiments: Sequence[CompiledExperiment],
        fixed: Values,
        start: Mapping[str, float],
        widths: Mapping[str, float] | None,
    ) -> "_Question":
        """Check names and values, and put the likelihood together."""
        of_model = [p.name for p in model.parameters]
        likelihood = joint_likelihood(experiments, {**fixed}, widths)
        for pull in likelihood.pulls:
            if pull.name in of_model:
                raise NurecoilError(
                    f"the nuisance parameter {pull.name} has the name of a parameter of {model.name}: its"
                    " card must call it otherwise"
                )
        everything = (*model.parameters, *likelihood.pulls)
        free = tuple(find(everything, name) for name in start)
        for parameter in free:
            if parameter.choices:
                raise NurecoilError(
                    f"{parameter.name} cannot be scanned or fitted: it is a choice, {parameter.allowed()}"
                )
            if parameter.name in fixed:
                raise NurecoilError(f"{parameter.name} is both set and free: do one or the other")
            if parameter.name in (widths or {}):
                raise NurecoilError(
                    f"{parameter.name} is free of its prior: it cannot have a prior width as well"
                )
        resolved = model.resolve({**fixed, **{n: v for n, v in start.items() if n in of_model}})
        others = {name: value for name, value in resolved.items() if name not in start}
        return cls(model, likelihood, free, others, start)

    def point(self, x: Mapping[str, Value]) -> tuple[list[Morphing], dict[str, Array]]:
        """Return the signals and the held pulls at values of the free parameters, each of shape (P,)."""
        of_model = {p.name for p in self.model.parameters}
        new = {name: value for name, value in x.items() if name in of_model}
        held = {name: value for name, value in x.items() if name not in of_model}
        points = max(np.size(value) for value in x.values())
        signals = self.likelihood.signals(self.model.evaluate({**self.values, **new}))
        return [s.repeated(points) for s in signals], held

    def profiled_at(self, x: Mapping[str, Value]) -> Array:
        """Return χ² with the pulls profiled."""
        return self.likelihood.profiled(*self.point(x)).chi2

    def profiled(self, x: Array) -> Array:
        """Return the same as a function of the one free parameter."""
        return self.profiled_at({self.free[0].name: x})

    def frozen_at(self, reference: float) -> tuple[Callable[[Array], Array], float]:
        """Return χ² of the free parameter with pulls held at their best fit at `reference`; χ² there."""
        name = self.free[0].name
        signals, held = self.point({name: np.array([reference])})
        best = self.likelihood.profiled(signals, held)

        def chi2(x: Array) -> Array:
            signals, held = self.point({name: x})
            pulls = np.repeat(best.pulls, len(x), axis=0)
            for number, pull in enumerate(self.likelihood.pulls):
                if pull.name in held:
                    pulls[:, number] = held[pull.name]
            return self.likelihood.chi2(signals, pulls)

        return chi2, float(best.chi2[0])

    def notes(self) -> tuple[str, ...]:
        """Return what the user should know about the point."""
        of_model = {p.name for p in self.model.parameters}
        return self.model.notes({**self.values, **{n: v for n, v in self.start.items() if n in of_model}})


def conventions(
    model: Model, experiments: Sequence[CompiledExperiment], widths: Mapping[str, float] | None = None
) -> dict[str, object]:
    """Return what a result depends on besides its parameters, for printing beside it."""
    return {
        "nurecoil": __version__,
        "model": model.name,
        "axial": "axial-vector part neglected",
        "G_F [1/MeV^2]": constants.FERMI_CONSTANT,
        "m_Z [MeV]": constants.Z_MASS,
        "experiments": {c.experiment.name: _experiment_conventions(c, widths or {}) for c in experiments},
    }


def _experiment_conventions(compiled: CompiledExperiment, widths: Mapping[str, float]) -> dict[str, object]:
    experiment = compiled.experiment
    terms = experiment.conventions
    return {
        "reference": experiment.reference,
        "form_factor": experiment.signal.form_factor.description,
        "vector cross section": "with T/E" if terms.vector_recoil_term else "without T/E",
        "magnetic cross section": ("with T/4E²" if terms.magnetic_recoil_term else "without T/4E²")
        + (", F_p²" if terms.magnetic_form_factor else ", F_p = 1"),
        "pull_widths": {p.name: widths.get(p.name, p.prior_width) for p in experiment.statistics.pulls},
        **({"data": dict(experiment.data_hashes)} if experiment.data_hashes else {}),
    }


def _finite(bound: float) -> float | None:
    return bound if np.isfinite(bound) else None


def _projection_notes(experiments: Sequence[CompiledExperiment], values: Values) -> tuple[str, ...]:
    names = [
        e.experiment.name
        for e in experiments
        if isinstance(e.experiment.statistics, CountingStatistics)
        and e.experiment.statistics.observed is None
    ]
    if not names:
        return ()
    default = find(STANDARD_MODEL.parameters, "sin2_theta_w").default
    return (
        f"{', '.join(names)} is a projection: it observes the Standard Model at sin2_theta_w = {default}.",
    )


def _edge_notes(parameter: Parameter, curve: Profile, low: float, high: float) -> tuple[str, ...]:
    width = high - low
    if min(curve.best_fit - low, high - curve.best_fit) > 1e-6 * width:
        return ()
    return (
        f"the best fit, {parameter.format(curve.best_fit, 4)}, lies at the edge of the scanned range: the"
        " intervals are relative to the best point inside the range.",
    )
