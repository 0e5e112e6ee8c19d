"""What is known of parameters after the data: samples of the posterior."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.density import Curve, curve, highest_density_intervals
from nurecoil.inference.nested import sample_nested
from nurecoil.inference.nuts import sample_nuts
from nurecoil.inference.priors import Prior, Target
from nurecoil.inference.sampling import Diagnostic, Samples, sample_ensemble
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values, Widths
from nurecoil.progress import Progress, in_steps
from nurecoil.study.question import Question
from nurecoil.study.result import Result

Array = NDArray[np.float64]

LEVELS = (0.68, 0.90, 0.95)
SAMPLERS: Mapping[
    str, tuple[Callable[[Target, int, int, Progress], Samples], int]
] = {  # and how many steps at most
    "emcee": (sample_ensemble, 32_000),
    "nuts": (sample_nuts, 9_900),
    "nested": (sample_nested, 1_000_000),
}
_CHUNK = 1000  # points at which χ² is computed at once: bounds the memory
_HIGH = math.exp(-2.0)  # of the highest density: Δχ² = 4


@dataclass(frozen=True)
class Summary:
    """What samples say of one parameter (inside units).

    Attributes
    ----------
    mean, deviation, median
        Of the samples; `deviation` is their standard deviation.
    intervals
        {probability: (low, high)}, equal-tailed: as much lies below as above.
    highest_density
        {probability: intervals}, the smallest set; of the density in ln x where the prior is flat in that.
    """

    mean: float
    deviation: float
    median: float
    intervals: Mapping[float, tuple[float, float]]
    highest_density: Mapping[float, tuple[tuple[float, float], ...]]


@dataclass(frozen=True, eq=False)
class Posterior:
    """Samples of the posterior density of some parameters.

    Attributes
    ----------
    parameters
        What is sampled: the free parameters, then the nuisance parameters that are marginalised.
    free
        How many of them are free parameters.
    priors
        One for each of them.
    samples : ndarray, shape (S, D)
        Equally weighted samples, inside units.
    chi2 : ndarray, shape (S,)
        χ² there, the priors of nuisance parameters included: -2 ln of the posterior density, up to a
        constant, in coordinates in which the priors of the free parameters are flat.
    summaries, diagnostics
        By name of parameter.
    profiled
        Whether nuisance parameters are profiled: then this is no posterior, but a profile likelihood times
        the prior.
    sampler, seed, steps, chains, acceptance
        How the samples were drawn: see `nurecoil.inference.sampling.Samples`.
    log_evidence : (value, error), optional
        ln ∫ exp(-χ²/2) with normalised priors; of nested sampling only.
    """

    parameters: tuple[Parameter, ...]
    free: int
    priors: tuple[Prior, ...]
    samples: Array
    chi2: Array
    summaries: Mapping[str, Summary]
    diagnostics: Mapping[str, Diagnostic]
    profiled: bool
    sampler: str
    seed: int
    steps: int
    chains: int
    acceptance: float
    log_evidence: tuple[float, float] | None

    def curve(self, number: int) -> Curve:
        """Return the smoothed density of one parameter; of ln x where its prior is flat in that."""
        parameter = self.parameters[number]
        size = self.diagnostics[parameter.name].bulk_size
        return _curve(self.samples[:, number], self.priors[number], size)


@undisturbed
def sample(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    ranges: Mapping[str, tuple[float, float]],
    *,
    log: Collection[str] = (),
    widths: Widths | None = None,
    profile: bool = False,
    sampler: str = "emcee",
    seed: int = 1,
    most_steps: int | None = None,
    engine: str = "auto",
    progress: Progress = in_steps,
) -> Result[Posterior]:
    r"""Return samples of the posterior of some parameters and all pulls.

    .. math:: p(\theta, x) \propto e^{-\chi^2(\theta, x)/2}\, \pi(\theta)

    χ² has the Gaussian priors of the pulls x, cut at their bounds; π is flat between bounds.

    Parameters
    ----------
    model, experiments, fixed, widths
        As for `limit`.
    ranges : mapping
        The free parameters and the ranges (low, high) of their priors (inside units): of the model, or
        nuisance parameters, which are then free of their Gaussian priors.
    log : collection of str
        Those of them whose prior is flat in the logarithm.
    profile : bool
        Minimise χ² over the pulls at each point instead of sampling them: a profile likelihood times the
        prior, which is no posterior.
    sampler : {"emcee", "nuts", "nested"}
        `nuts` and `nested` need `nurecoil[sampling]`; `nested` gives the evidence as well.
    seed : int
        Of all random numbers; the same seed gives the same samples.
    most_steps : int, optional
        Where to stop in any case: steps of each walker or chain, or iterations of nested sampling.
    engine : {"auto", "numpy", "jax", "fast"}
        What computes profiled pulls.
    progress : callable
        Shows how far it is, see `nurecoil.progress`.

    Raises
    ------
    NurecoilError
        If a prior could not be normalised, a name or value is not allowed, or the sampler is not installed.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> held = {"binh2021-csi_signal": 0.0, "binh2021-csi_background": 0.0}
    >>> result = sample(model, [csi], {}, {"signal_strength": (0.0, 2.0)}, widths=held)
    >>> result.converged, [round(x, 1) for x in result.values.summaries["signal_strength"].intervals[0.9]]
    (True, [0.4, 1.0])
    """
    if not ranges:
        raise NurecoilError("a posterior needs at least one free parameter")
    if sampler not in SAMPLERS:
        raise unknown_name("sampler", sampler, SAMPLERS)
    if not 0 <= seed < 2**32:
        raise NurecoilError(f"seed = {seed} is not allowed: it must be between 0 and {2**32 - 1}")
    for name in log:
        if name not in ranges:
            raise unknown_name("free parameter", name, ranges)
    start = {name: 0.5 * low + 0.5 * high for name, (low, high) in ranges.items()}
    question = Question.of(model, experiments, fixed, start, widths, engine)
    priors = tuple(_prior(p, ranges[p.name], p.name in log) for p in question.free)
    pulls = () if profile else _sampled_pulls(question)
    target = _target(question, priors, pulls, profile)
    draw, usual_steps = SAMPLERS[sampler]
    drawn = draw(target, seed, usual_steps if most_steps is None else most_steps, progress)
    parameters = (*question.free, *(question.likelihood.pulls[j] for j in pulls))
    names = [p.name for p in parameters]
    chunks = [target.chi2(drawn.values[i : i + _CHUNK]) for i in range(0, len(drawn.values), _CHUNK)]
    posterior = Posterior(
        parameters=parameters,
        free=len(question.free),
        priors=target.priors,
        samples=drawn.values,
        chi2=np.concatenate(chunks),
        summaries={
            name: _summary(drawn.values[:, i], target.priors[i], drawn.diagnostics[i].bulk_size)
            for i, name in enumerate(names)
        },
        diagnostics=dict(zip(names, drawn.diagnostics, strict=True)),
        profiled=profile,
        sampler=sampler,
        seed=seed,
        steps=drawn.steps,
        chains=drawn.chains,
        acceptance=drawn.acceptance,
        log_evidence=drawn.log_evidence,
    )
    texts = {p.name: prior_text(p, prior) for p, prior in zip(question.free, priors, strict=True)}
    question = replace(question, conventions={**question.conventions, "priors": texts})
    return question.result(
        "sample",
        posterior,
        converged=not drawn.problems,
        notes=(*(f"not converged: {problem}" for problem in drawn.problems), *_edge_notes(posterior)),
        nuisances="profiled: a profile likelihood times the prior, not a posterior"
        if profile
        else "marginalised with their priors",
        settings={
            "ranges": {name: list(pair) for name, pair in ranges.items()},
            "log": sorted(log),
            "sampler": sampler,
            "seed": seed,
            "most_steps": most_steps,
            "profile": profile,
        },
    )


def prior_text(parameter: Parameter, prior: Prior) -> str:
    """Return in words what the prior of a free parameter is.

    >>> prior_text(Parameter("m", "mass", "m", None, unit="TeV"), Prior(1e5, 1e7, log=True))
    'flat in the logarithm, 0.1 TeV to 10 TeV'
    """
    shape = "flat in the logarithm" if prior.log else "flat"
    return f"{shape}, {parameter.format(prior.low)} to {parameter.format(prior.high)}"


def _prior(parameter: Parameter, bounds: tuple[float, float], log: bool) -> Prior:
    low, high = bounds
    parameter.check([low, high])
    if not low < high:
        raise NurecoilError(
            f"the range of {parameter.name}, {parameter.format(low)} to {parameter.format(high)}, is reversed"
            " or empty: write LOW..HIGH with LOW below HIGH"
        )
    if log and low <= 0:
        raise NurecoilError(
            f"the prior of {parameter.name} cannot be flat in the logarithm from {parameter.format(low)}: its"
            " range must start above 0"
        )
    return Prior(low, high, log=log)


def _sampled_pulls(question: Question) -> tuple[int, ...]:
    """Return the numbers of the pulls that are neither free nor held."""
    likelihood = question.likelihood
    found = []
    for number, (pull, width) in enumerate(zip(likelihood.pulls, likelihood.width, strict=True)):
        if pull.name in question.names or width == 0:
            continue
        if not np.isfinite(width):
            raise NurecoilError(
                f"{pull.name} has an infinite prior width, a prior that cannot be normalised: free it inside"
                f" a range, {pull.name}=LOW..HIGH"
            )
        found.append(number)
    return tuple(found)


def _target(question: Question, priors: tuple[Prior, ...], pulls: tuple[int, ...], profile: bool) -> Target:
    """Return the likelihood and the priors as functions of the free parameters and, after them, the pulls."""
    if profile:
        return Target(lambda x: -0.5 * question.chi2(x), priors)
    likelihood, free, where = question.likelihood, len(question.free), list(pulls)
    centres = likelihood.observed.centres
    gaussians = tuple(
        Prior(
            likelihood.pulls[j].low,
            likelihood.pulls[j].high,
            centre=float(centres[j]),
            width=float(likelihood.width[j]),
        )
        for j in pulls
    )

    def log_likelihood(x: Array) -> Array:
        values = np.tile(centres, (len(x), 1))
        values[:, where] = x[:, free:]
        prior = ((x[:, free:] - centres[where]) / likelihood.width[where]) ** 2
        without: Array = -0.5 * (question.unprofiled(x[:, :free], values) - prior.sum(axis=1))
        return without

    return Target(log_likelihood, (*priors, *gaussians))


def _summary(values: Array, prior: Prior, size: float) -> Summary:
    smooth = _curve(values, prior, size)
    back = np.exp if prior.log else np.asarray
    return Summary(
        mean=float(values.mean()),
        deviation=float(values.std()),
        median=float(np.median(values)),
        intervals={
            level: (float(np.quantile(values, (1 - level) / 2)), float(np.quantile(values, (1 + level) / 2)))
            for level in LEVELS
        },
        highest_density={
            level: tuple(
                (float(back(low)), float(back(high)))
                for low, high in highest_density_intervals(smooth, level)
            )
            for level in LEVELS
        },
    )


def _curve(values: Array, prior: Prior, size: float) -> Curve:
    if prior.log:
        return curve(np.log(values), math.log(prior.low), math.log(prior.high), size)
    return curve(values, prior.low, prior.high, size)


def _edge_notes(posterior: Posterior) -> tuple[str, ...]:
    """Return which free parameters their range confines, and not the data."""
    notes = []
    for number, parameter in enumerate(posterior.parameters[: posterior.free]):
        prior, smooth = posterior.priors[number], posterior.curve(number)
        edges = np.log([prior.low, prior.high]) if prior.log else np.array([prior.low, prior.high])
        cell = smooth.x[1] - smooth.x[0]
        reached = [
            abs(smooth.x[end] - edges[end]) < cell and smooth.density[end] > _HIGH * smooth.density.max()
            for end in (0, -1)
        ]
        if any(reached):
            notes.append(
                f"the posterior of {parameter.name} has not vanished at the end of its range: its intervals"
                " depend on the range"
            )
    return tuple(notes)
