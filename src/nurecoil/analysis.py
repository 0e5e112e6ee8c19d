"""Questions put to a model and experiments: what is predicted, which parameters are allowed.

The one place where physics and inference meet: a model and compiled experiments become a function χ² of
one parameter, and `nurecoil.inference`, which knows no physics, answers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil import constants
from nurecoil._version import __version__
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.intervals import Profile, profile, threshold
from nurecoil.likelihood import CountingLikelihood, counting_likelihood
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
        The bins and what they count.
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
    return Prediction(
        edges=experiment.experiment.detector.edges,
        observable=experiment.experiment.detector.observable,
        counts=experiment.counts(model.evaluate(resolved)),
        standard_model_counts=standard_model_counts(model, experiment, resolved),
        values=resolved,
        notes=model.notes(resolved),
        conventions=conventions(model, [experiment]),
    )


def standard_model_counts(model: Model, experiment: CompiledExperiment, values: Values) -> Array:
    """Return the Standard Model's counts per bin at the parameters that it shares with `model`."""
    shared = {p.name: values[p.name] for p in STANDARD_MODEL.parameters if p.name in values}
    return experiment.counts(STANDARD_MODEL.couplings(**shared))


def conventions(
    model: Model, experiments: Sequence[CompiledExperiment], widths: Mapping[str, float] | None = None
) -> dict[str, object]:
    """Return what a result depends on besides its parameters, for printing beside it."""
    return {
        "nurecoil": __version__,
        "model": model.name,
        "electroweak": "tree-level couplings, one s_W² at all q; no radiative corrections",
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
        "form_factor": experiment.form_factor.description,
        "vector cross section": "with T/E" if terms.vector_recoil_term else "without T/E",
        "magnetic cross section": ("with T/4E²" if terms.magnetic_recoil_term else "without T/4E²")
        + (", F_p²" if terms.magnetic_form_factor else ", F_p = 1"),
        "pull_widths": {p.name: widths.get(p.name, p.prior_width) for p in experiment.statistics.pulls},
    }


def likelihoods(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    widths: Mapping[str, float] | None = None,
) -> tuple[CountingLikelihood, ...]:
    """Return the likelihood of each experiment.

    A projection observes the Standard Model's expectation at the s_W² of `fixed` or, where that is
    scanned, at its default.
    """
    widths = widths or {}
    known = [pull.name for e in experiments for pull in e.experiment.statistics.pulls]
    for name, width in widths.items():
        if name not in known:
            raise unknown_name("nuisance parameter", name, known)
        if not (np.isfinite(width) and width >= 0):
            raise NurecoilError(f"prior width {name} = {width} is not allowed: it must be 0 or more")
    return tuple(
        counting_likelihood(
            e.experiment.statistics, float(standard_model_counts(model, e, fixed).sum()), widths
        )
        for e in experiments
    )


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
        What is tested, and by what; experiments are independent of one another.
    fixed : mapping
        Values of the other parameters (inside units).
    scan : (name, low, high)
        The parameter and its range (inside units).
    cl : float
        Confidence level; Δχ² follows from Wilks' theorem with one degree of freedom.
    freeze_at : float, optional
        None profiles the pulls at every point. A value of the scanned parameter holds them at their best
        fit there, and counts Δχ² from that point: what the seed did, at m_Z' = 3 TeV.
    widths : mapping, optional
        Prior widths by name of pull, in place of the experiments' own.
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
    if not experiments:
        raise NurecoilError("a limit needs at least one experiment")
    name, low, high = scan
    parameter = find(model.parameters, name)
    if parameter.choices:
        raise NurecoilError(f"{name} cannot be scanned: it is a choice, {parameter.allowed()}")
    if name in fixed:
        raise NurecoilError(f"{name} is both set and scanned: do one or the other")
    if not low < high:
        raise NurecoilError(
            f"the range of {name}, {parameter.format(low)} to {parameter.format(high)}, is reversed or empty:"
            " write LOW..HIGH with LOW below HIGH"
        )
    parameter.check([low, high])
    resolved = model.resolve({**fixed, name: low})
    others = {key: value for key, value in resolved.items() if key != name}
    terms = likelihoods(model, experiments, others, widths)
    chi2, reference = _chi2(model, experiments, terms, others, name, freeze_at)
    curve = profile(
        chi2, low, high, threshold(cl), log=parameter.log_scan and low > 0, points=points, reference=reference
    )
    used = conventions(model, experiments, widths)
    used["nuisances"] = (
        "profiled"
        if freeze_at is None
        else f"frozen at their best fit for {name} = {parameter.format(freeze_at)}, Δχ² counted from there"
    )
    notes = (*model.notes(resolved), *_edge_notes(parameter, curve, low, high))
    return Limit(parameter, cl, curve, others, notes, used)


def _chi2(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    terms: Sequence[CountingLikelihood],
    others: Values,
    name: str,
    freeze_at: float | None,
) -> tuple[Callable[[Array], Array], float | None]:
    """Return χ² as a function of the scanned parameter, and its reference value if pulls are frozen."""

    def signals(x: Value) -> list[Array]:
        couplings = model.evaluate({**others, name: x})
        return [e.counts(couplings).sum(axis=-1) for e in experiments]

    def profiled(x: Value) -> Array:
        return _total(t.profiled(s) for t, s in zip(terms, signals(x), strict=True))

    if freeze_at is None:
        return profiled, None

    find(model.parameters, name).check(freeze_at)
    pulls = [t.best_pulls(s) for t, s in zip(terms, signals(freeze_at), strict=True)]

    def frozen(x: Value) -> Array:
        return _total(t.chi2(s, a) for t, s, a in zip(terms, signals(x), pulls, strict=True))

    return frozen, float(frozen(freeze_at))


def _total(chi2s: Iterable[Array]) -> Array:
    total: Array = np.stack(list(chi2s)).sum(axis=0)
    return total


def _edge_notes(parameter: Parameter, curve: Profile, low: float, high: float) -> tuple[str, ...]:
    width = high - low
    if min(curve.best_fit - low, high - curve.best_fit) > 1e-6 * width:
        return ()
    return (
        f"the best fit, {parameter.format(curve.best_fit, 4)}, lies at the edge of the scanned range: the"
        " intervals are relative to the best point inside the range.",
    )
