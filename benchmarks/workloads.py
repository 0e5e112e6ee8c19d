"""What is measured: likelihoods of any size with invented counts, and questions to real experiments."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import nurecoil
from nurecoil.experiment import Component, Shape, Statistics, Variance
from nurecoil.likelihood import JointLikelihood, Term, binned_term
from nurecoil.parameters import Parameter, find
from nurecoil.scans import Axis, Grid, Spaced
from nurecoil.study.question import Question

Array = NDArray[np.float64]

STRENGTHS = 12  # of the couplings: three products for each of three flavours, and three magnetic moments
EPSILONS = ("eps_u_ee", "eps_d_ee", "eps_u_emu", "eps_u_mumu")
REAL = ("coherent-csi-2021", "coherent-lar-2020")


def pull(name: str, width: float) -> Parameter:
    """Return a nuisance parameter."""
    return Parameter(name, name, name, 0.0, reference="benchmark", prior_width=width)


def _shapes(bins: int) -> tuple[Array, Array]:
    """Return the counts of a signal, falling from 40 to 2, and of a flat background."""
    return np.geomspace(40.0, 2.0, bins), np.full(bins, 20.0)


def _templates(bins: int) -> Array:
    """Return the signal's counts per strength, as of a pion source: of ν_e and ν_μ at their own times."""
    signal, _ = _shapes(bins)
    x = np.linspace(-1, 1, bins)
    rows = []
    for late in (0.3, -0.3):
        of_flavour = signal * (1 + late * np.sin(7 * x))
        rows += [of_flavour * (1 + 0.1 * power * x) ** 2 for power in range(3)]  # Z²F_p², ZN F_p F_n, N²F_n²
    moments = [np.exp(-3 * x), np.exp(-3 * x) * np.cos(5 * x)]
    none = np.zeros((3, bins))
    return np.concatenate([rows, none, moments, none[:1]])


def gaussian(bins: int = 60, pulls: int = 2) -> Term:
    """Return a Gaussian term: a pull of the signal's rate, and one of each of `pulls` - 1 backgrounds."""
    signal, flat = _shapes(bins)
    parts = []
    for k in range(max(pulls - 1, 0)):
        counts = flat * (1 + 0.5 * np.cos(np.pi * k * np.arange(bins) / bins))
        parts.append(Component(f"background {k}", counts, (pull(f"b{k}", 0.1),)))
    own = (pull("signal", 0.1),) if pulls else ()
    mean = signal + sum((part.nominal for part in parts), np.zeros(bins))
    observed = np.random.default_rng(1).normal(mean, np.sqrt(mean))
    statistics = Statistics(
        observed, Component("signal", None, own), tuple(parts), Variance(mean - observed, 1.0)
    )
    return binned_term("gaussian", statistics, _templates(bins)[np.newaxis])


def poisson(bins: int = 88, rates: int = 1, shapes: int = 0, backgrounds: int = 3) -> Term:
    """Return a Poisson term: pulls of the signal's rate and shape, and one of each background's rate."""
    signal, flat = _shapes(bins)
    x = np.linspace(-1, 1, bins)
    parts = []
    for k in range(backgrounds):
        counts = flat * (1 + 0.5 * np.cos(np.pi * k * np.arange(bins) / bins)) / max(backgrounds, 1)
        parts.append(Component(f"background {k}", counts, (pull(f"b{k}", 0.1),)))
    mean = signal + sum((part.nominal for part in parts), np.zeros(bins))
    own = Component(
        "signal",
        None,
        tuple(pull(f"rate {k}", 0.1) for k in range(rates)),
        tuple(Shape(pull(f"shape {k}", 1.0), None, None) for k in range(shapes)),
    )
    statistics = Statistics(np.random.default_rng(1).poisson(mean).astype(float), own, tuple(parts))
    nominal = _templates(bins)
    ends = [nominal * (1 + sign * 0.1 * x ** (k + 1)) for k in range(shapes) for sign in (1, -1)]
    return binned_term("poisson", statistics, np.array([nominal, *ends]))


def hard() -> tuple[Term, dict[str, float]]:
    """Return a Poisson term with four pulls, two of which change the signal's shape, and its prior widths.

    Its background is known exactly.
    """
    return poisson(rates=2, shapes=2, backgrounds=1), {"b0": 0.0}


def likelihood(term: Term, engine: str, widths: dict[str, float] | None = None) -> JointLikelihood:
    """Return the likelihood of one term."""
    return JointLikelihood((term,), widths or {}, engine_name=engine)


@dataclass(frozen=True)
class NsiPoints:
    """Random points of an NSI grid and, ready, what the model expects there."""

    points: Array
    strengths: Array


def nsi_points(number: int) -> NsiPoints:
    """Return random ε, all four within ±0.3, and their strengths (P, 12)."""
    points = np.random.default_rng(2).uniform(-0.3, 0.3, (number, len(EPSILONS)))
    return NsiPoints(points, strengths_of(points))


def strengths_of(points: Array) -> Array:
    """Return the strengths of the couplings at ε (P, 4), through the NSI model."""
    from nurecoil.experiment import STANDARD_BASIS
    from nurecoil.study.strengths import strengths_of

    model = nurecoil.load_model("nsi")
    values = model.resolve(dict(zip(EPSILONS, points.T, strict=True)))
    return strengths_of(STANDARD_BASIS, model, values)


def question(names: tuple[str, ...], free: dict[str, float], model: str, engine: str) -> Question:
    """Return a question to real experiments, radiative corrections included."""
    compiled = [nurecoil.compile_experiment(nurecoil.load_experiment(name)) for name in names]
    return Question.of(
        nurecoil.load_model(model), compiled, {"electroweak": "radiative"}, free, engine=engine
    )


@dataclass(frozen=True)
class Scanned:
    """χ² of points of the first few ε, as a scan asks for it: picklable, from points (P, d) to columns."""

    question: Question

    @classmethod
    def of(cls, likelihood: JointLikelihood, parameters: int = 2) -> "Scanned":
        """Return the χ² of a likelihood through the NSI model."""
        model, names = nurecoil.load_model("nsi"), EPSILONS[:parameters]
        others = {name: value for name, value in model.resolve({}).items() if name not in names}
        free = tuple(find(model.parameters, name) for name in names)
        return cls(Question(model, likelihood, free, others, dict.fromkeys(names, 0.0), {}))

    def __call__(self, points: Array) -> dict[str, NDArray]:
        found = self.question.profiled(points)
        return {"chi2": found.chi2, "converged": found.converged}


def grid(side: int, parameters: int = 2) -> Grid:
    """Return a grid of `side` values of each of the first few ε."""
    return Grid(tuple(Axis(name, Spaced(-0.3, 0.3, side)) for name in EPSILONS[:parameters]))
