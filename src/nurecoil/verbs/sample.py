"""`sample`: what is known of parameters after the data, as samples of the posterior."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np

from nurecoil.arithmetic import Array, pair, undisturbed
from nurecoil.checks import require_whole
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.inference.density import Curve, curve, highest_density_intervals
from nurecoil.inference.nested import sample_nested
from nurecoil.inference.nuts import sample_nuts
from nurecoil.inference.priors import Prior, Target
from nurecoil.inference.sampling import Diagnostic, Samples, sample_ensemble
from nurecoil.parameters import Parameter, Range
from nurecoil.presentation.corner import Axis, draw_corner
from nurecoil.presentation.document import Block, Pairs, Table
from nurecoil.presentation.exchange import Arrays
from nurecoil.presentation.labels import symbols, unit_label
from nurecoil.presentation.look import Look
from nurecoil.study.arguments import several
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study, Within
from nurecoil.verbs.options import Seed, Told, Verb
from nurecoil.verbs.sample_files import samples_format, save_samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

HELP = """Sample the posterior of parameters: exp(-χ²/2) times a prior.

The prior of a free parameter is flat inside the range that --free gives or, with --flat-in-log, flat in its
logarithm. Nuisance parameters are sampled along with their Gaussian priors, and so marginalised; with
--profile-pulls they are fitted at each point, which gives a profile likelihood and no posterior.

The default sampler, emcee, runs until it has converged and says so if it has not. `nuts` and `nested`, which
gives the evidence as well, need: pip install 'nurecoil[sampling]'

\b
Examples:
  nurecoil sample --model scaled-standard-model --experiment binh2021-csi \\
    --free signal_strength=0..5
  nurecoil sample --model nsi --experiment coherent-csi-2021 \\
    --free eps_u_ee=-0.2..0.2 --plot nsi.png --output nsi.csv
  nurecoil sample --model 331-beta --experiment binh2021-csi --set beta=0 \\
    --free m_zprime=0.1TeV..10TeV --flat-in-log m_zprime --sampler nested --json"""
LEVELS = (0.68, 0.90, 0.95)
SAMPLERS: Mapping[str, tuple[Callable[[Target, int, int], Samples], int]] = {  # and how many steps at most
    "emcee": (sample_ensemble, 32_000),
    "nuts": (sample_nuts, 9_900),
    "nested": (sample_nested, 1_000_000),
}
_DIAGNOSTICS = {"r_hat": ".4f", "bulk_size": ".0f", "tail_size": ".0f", "autocorrelation_time": ".1f"}
_CHUNK = 1000  # points at which χ² is computed at once: bounds the memory
_HIGH = math.exp(-2.0)  # of the highest density: Δχ² = 4


@dataclass(frozen=True)
class Summary:
    """What samples say of one parameter (inside units).

    Attributes
    ----------
    intervals, highest_density
        {probability: (low, high)}, equal-tailed: as much lies below as above; and {probability: intervals},
        the smallest set, of the density in ln x where the prior is flat in that.
    """

    mean: float
    deviation: float
    median: float
    intervals: Mapping[float, tuple[float, float]]
    highest_density: Mapping[float, tuple[tuple[float, float], ...]]

    def record(self, unit: float) -> dict[str, object]:
        """Return it as plain data at the border unit."""
        return {
            "mean": self.mean / unit,
            "deviation": self.deviation / unit,
            "median": self.median / unit,
            "intervals": {f"{p:g}": [low / unit, high / unit] for p, (low, high) in self.intervals.items()},
            "highest_density": {
                f"{p:g}": [[low / unit, high / unit] for low, high in pieces]
                for p, pieces in self.highest_density.items()
            },
        }


@dataclass(frozen=True, eq=False, repr=False)
class Posterior(Shown):
    """Samples of the posterior density of some parameters.

    Attributes
    ----------
    parameters, priors
        What is sampled: the `free` free parameters, then the nuisance parameters that are marginalised.
    drawn : Samples
        The samples (inside units), and how they were drawn.
    chi2 : ndarray, shape (S,)
        χ² there, the priors of nuisance parameters included: -2 ln of the posterior density, up to a
        constant, in coordinates in which the priors of the free parameters are flat.
    summaries
        By name of parameter.
    profiled
        Whether nuisance parameters are profiled: then this is no posterior, but a profile likelihood times
        the prior.
    sampler, seed
        What drew them, from which random numbers.
    """

    parameters: tuple[Parameter, ...]
    free: int
    priors: tuple[Prior, ...]
    drawn: Samples
    chi2: Array
    summaries: Mapping[str, Summary]
    profiled: bool
    sampler: str
    seed: int

    @property
    def samples(self) -> Array:
        """Equally weighted samples, shape (S, D), inside units."""
        return self.drawn.values

    @property
    def diagnostics(self) -> Mapping[str, Diagnostic]:
        """How well each parameter is sampled, by its name."""
        return dict(zip((p.name for p in self.parameters), self.drawn.diagnostics, strict=True))

    def curve(self, number: int) -> Curve:
        """Return the smoothed density of one parameter; of ln x where its prior is flat in that."""
        return _curve(self.samples[:, number], self.priors[number], self.drawn.diagnostics[number].bulk_size)

    def record(self, result: Result["Posterior"]) -> dict[str, object]:
        drawn, diagnostics = self.drawn, self.diagnostics
        evidence, error = drawn.log_evidence or (None, None)
        of_each = {
            p.name: {
                "unit": p.unit,
                **self.summaries[p.name].record(p.inside),
                **vars(diagnostics[p.name]),
            }
            for p in self.parameters
        }
        free = [p.name for p in self.parameters[: self.free]]
        return {
            "kind": "profile likelihood times prior" if self.profiled else "posterior",
            "sampler": self.sampler,
            "seed": self.seed,
            "samples": len(self.samples),
            "steps": drawn.steps,
            "chains": drawn.chains,
            "acceptance": drawn.acceptance,
            "lowest_chi2": self.chi2.min(),
            "log_evidence": evidence,
            "log_evidence_error": error,
            "free": {name: of_each.pop(name) for name in free},
            "pulls": of_each,
        }

    def blocks(self, result: Result["Posterior"]) -> Iterator[Block]:
        kind = "Profile likelihood times prior (no posterior)" if self.profiled else "Posterior"
        drawn = self.drawn
        number = f"{len(self.samples)} from {drawn.steps} steps of {drawn.chains} chains"
        rows = [
            *(
                (f"prior of {p.name}", prior_text(p, prior))
                for p, prior in zip(self.parameters[: self.free], self.priors, strict=False)
            ),
            ("sampler", f"{self.sampler}, seed {self.seed}"),
            ("samples", f"{number}, {100 * drawn.acceptance:.0f} % accepted"),
            ("lowest χ²", f"{self.chi2.min():.2f}"),
            result.convergence(),
        ]
        if drawn.log_evidence:
            rows.insert(-2, ("ln Z", "{:.2f} ± {:.2f}".format(*drawn.log_evidence)))
        yield Pairs(result.title(kind), tuple(rows))
        summaries = [(p, self.summaries[p.name]) for p in self.parameters]
        yield Table(
            "Equal-tailed credible intervals",
            ("name", "mean", "median", "68 %", "95 %"),
            tuple(
                (
                    p.name,
                    p.format(found.mean, 3),
                    p.format(found.median, 3),
                    *(_range_text(p, found.intervals[level], 3) for level in (0.68, 0.95)),
                )
                for p, found in summaries
            ),
            right=(1, 2),
            whole=(3, 4),
        )
        yield Table(
            "Intervals of highest density",
            ("name", "probability", "intervals"),
            tuple(
                (p.name, f"{100 * level:g} %", " or ".join(_range_text(p, piece) for piece in pieces))
                for p, found in summaries[: self.free]
                for level, pieces in found.highest_density.items()
            ),
            right=(1,),
        )
        yield Table(
            "Convergence (Vehtari et al. 2021)",
            ("name", "R̂", "bulk size", "tail size", "autocorrelation time"),
            tuple(
                (name, *(_number(getattr(d, each), form) for each, form in _DIAGNOSTICS.items()))
                for name, d in self.diagnostics.items()
            ),
            right=(1, 2, 3, 4),
        )

    def canvas(self, result: Result["Posterior"], look: Look, pulls: bool = False) -> "Canvas":
        """Draw the densities of all free parameters and pairs, with `pulls` of nuisance parameters too."""
        if look.overlay:
            raise NurecoilError("nothing can be laid over densities of several parameters")
        shown = self.parameters if pulls else self.parameters[: self.free]
        axes = [
            Axis(
                label=label + unit_label(p),
                unit=p.inside,
                log=self.priors[number].log,
                curve=self.curve(number),
                samples=self.samples[:, number],
                size=self.drawn.diagnostics[number].bulk_size,
                median=self.summaries[p.name].median,
            )
            for number, (p, label) in enumerate(zip(shown, symbols(shown), strict=True))
        ]
        what = "Profile likelihood × prior" if self.profiled else "Posterior"
        return draw_corner(what, result.facts if look.title else (), axes, look.width)

    def arrays(self, result: Result["Posterior"]) -> Arrays:
        along, columns = ("sample",), zip(self.parameters, self.samples.T, strict=True)
        return {p.name: (along, x / p.inside, p.unit) for p, x in columns} | {"chi2": (along, self.chi2, "")}

    def write(self, result: Result["Posterior"], path: Path) -> None:
        """Write the samples to a .csv or .npz file."""
        names = ("question", "converged", "fixed", "notes", "conventions", "provenance")
        about = {name: getattr(result, name) for name in names}
        save_samples(path, self.parameters, self.samples, self.chi2, about)


@undisturbed
def sample(
    study: Study,
    free: Annotated[
        Mapping[str, Within],
        Told("A parameter, and the range of its prior; repeat.", "NAME=LOW..HIGH", many=True),
    ],
    *,
    flat_in_log: Annotated[
        str | Sequence[str],
        Told(
            "A free parameter whose prior is flat in its logarithm.",
            "NAME",
            many=True,
            shown="flat in the parameter",
        ),
    ] = (),
    profile_pulls: Annotated[bool, Told("Fit nuisance parameters at each point.")] = False,
    sampler: Annotated[str, Told("emcee, nuts or nested.", "NAME")] = "emcee",
    seed: Seed = 1,
    max_steps: Annotated[
        int | None,
        Told(
            "Where to stop even if it has not converged.",
            "N",
            shown="emcee 32000, nuts 9900, nested 1000000",
        ),
    ] = None,
) -> Result[Posterior]:
    r"""Return samples of the posterior of some parameters and all pulls.

    .. math:: p(\theta, x) \propto e^{-\chi^2(\theta, x)/2}\, \pi(\theta)

    χ² has the Gaussian priors of the pulls x, cut at their bounds; π is flat between bounds.

    Parameters
    ----------
    free
        Of the model, or nuisance parameters, which are then free of their Gaussian priors.
    flat_in_log
        Free parameters whose prior is flat in the logarithm.
    profile_pulls
        Minimise χ² over the pulls at each point instead of sampling them: a profile likelihood times the
        prior, which is no posterior.
    sampler
        The last two need `nurecoil[sampling]`; `nested` gives the evidence as well.
    seed
        Of the random numbers.
    max_steps
        Of each walker or chain, or iterations of nested sampling.

    Examples
    --------
    >>> import nurecoil
    >>> held = ["binh2021-csi_signal", "binh2021-csi_background"]
    >>> study = nurecoil.Study("scaled-standard-model", "binh2021-csi", fix=held)
    >>> result = study.sample({"signal_strength": "0..2"})
    >>> result.converged, [round(x, 1) for x in result.values.summaries["signal_strength"].intervals[0.9]]
    (True, [0.4, 1.0])
    """
    if not free:
        raise NurecoilError("a posterior needs at least one free parameter")
    if sampler not in SAMPLERS:
        raise unknown_name("sampler", sampler, SAMPLERS)
    require_whole("seed", seed, 0, 2**32 - 1)
    log = several(flat_in_log, "flat_in_log")
    for name in log:
        if name not in free:
            raise unknown_name("free parameter", name, free)
    study.require_nothing_profiled("sample")
    ranges = study.ranges(free, "free")
    priors = tuple(_prior(each, each.parameter.name in log) for each in ranges)
    question = study.question({each.parameter.name: 0.5 * each.low + 0.5 * each.high for each in ranges})
    pulls = () if profile_pulls else _sampled_pulls(question)
    target = _target(question, priors, pulls, profile_pulls)
    draw, usual_steps = SAMPLERS[sampler]
    drawn = draw(target, seed, usual_steps if max_steps is None else max_steps)
    parameters = (*question.free, *(question.likelihood.pulls[j] for j in pulls))
    chunks = [target.chi2(drawn.values[i : i + _CHUNK]) for i in range(0, len(drawn.values), _CHUNK)]
    posterior = Posterior(
        parameters=parameters,
        free=len(question.free),
        priors=target.priors,
        drawn=drawn,
        chi2=np.concatenate(chunks),
        summaries={
            p.name: _summary(drawn.values[:, i], target.priors[i], drawn.diagnostics[i].bulk_size)
            for i, p in enumerate(parameters)
        },
        profiled=profile_pulls,
        sampler=sampler,
        seed=seed,
    )
    texts = {p.name: prior_text(p, prior) for p, prior in zip(question.free, priors, strict=True)}
    question = replace(question, conventions={**question.conventions, "priors": texts})
    return question.result(
        "sample",
        posterior,
        converged=not drawn.problems,
        notes=(*(f"not converged: {problem}" for problem in drawn.problems), *_edge_notes(posterior)),
        nuisances="profiled: a profile likelihood times the prior, not a posterior"
        if profile_pulls
        else "marginalised with their priors",
        settings={
            "ranges": {each.parameter.name: list(each.ends) for each in ranges},
            "log": sorted(log),
            "sampler": sampler,
            "seed": seed,
            "most_steps": max_steps,
            "profile": profile_pulls,
        },
    )


def prior_text(parameter: Parameter, prior: Prior) -> str:
    """Return in words what the prior of a free parameter is.

    >>> prior_text(Parameter("m", "mass", "m", None, unit="TeV"), Prior(1e5, 1e7, log=True))
    'flat in the logarithm, 0.1 TeV to 10 TeV'
    """
    shape = "flat in the logarithm" if prior.log else "flat"
    return f"{shape}, {parameter.format(prior.low)} to {parameter.format(prior.high)}"


def _prior(within: Range, log: bool) -> Prior:
    parameter = within.parameter
    if log and within.low <= 0:
        raise NurecoilError(
            f"the prior of {parameter.name} cannot be flat in the logarithm from"
            f" {parameter.format(within.low)}: its range must start above 0"
        )
    return Prior(*within.ends, log=log)


def _sampled_pulls(question: Question) -> tuple[int, ...]:
    """Return the numbers of the pulls that are neither free nor held."""
    widths, bounds = question.prior_widths, question.likelihood.bounds
    pulls = question.likelihood.pulls
    for pull, low, high in zip(pulls, *bounds, strict=True):
        if math.isinf(widths.get(pull.name, 0.0)) and not math.isfinite(high - low):
            raise NurecoilError(
                f"{pull.name} has an infinite prior width, a prior that cannot be normalised: free it inside"
                f" a range, {pull.name}=LOW..HIGH"
            )
    return tuple(n for n, pull in enumerate(pulls) if widths.get(pull.name))


def _target(question: Question, priors: tuple[Prior, ...], pulls: tuple[int, ...], profile: bool) -> Target:
    """Return the likelihood and the priors as functions of the free parameters and, after them, the pulls."""
    low, high = (np.array([getattr(prior, end) for prior in priors]) for end in ("low", "high"))
    if profile:

        def of_profile(x: Array) -> tuple[Array, Array]:
            pulls = question.profiled(x).pulls  # in which χ² has no slope there
            chi2, slope, _ = question.slopes(x, pulls, low, high)
            return -0.5 * chi2, -0.5 * slope

        return Target(lambda x: -0.5 * question.chi2(x), priors, of_profile)
    likelihood, free, where = question.likelihood, len(question.free), list(pulls)
    centres = likelihood.observed.centres
    gaussians = tuple(
        Prior(
            likelihood.pulls[j].low,
            likelihood.pulls[j].high,
            centre=float(centres[j]),
            width=float(likelihood.width[j]) if math.isfinite(likelihood.width[j]) else None,
        )
        for j in pulls
    )

    def log_likelihood(x: Array) -> Array:
        values = np.tile(centres, (len(x), 1))
        values[:, where] = x[:, free:]
        prior = ((x[:, free:] - centres[where]) / likelihood.width[where]) ** 2
        without: Array = -0.5 * (question.unprofiled(x[:, :free], values) - prior.sum(axis=1))
        return without

    def slopes(x: Array) -> tuple[Array, Array]:
        values = np.tile(centres, (len(x), 1))
        values[:, where] = x[:, free:]
        pulled = (x[:, free:] - centres[where]) / likelihood.width[where]
        chi2, of_points, of_pulls = question.slopes(x[:, :free], values, low, high)
        of_likelihood = of_pulls[:, where] - 2 * pulled / likelihood.width[where]
        without = -0.5 * (chi2 - (pulled**2).sum(axis=1))
        return without, -0.5 * np.concatenate([of_points, of_likelihood], axis=1)

    return Target(log_likelihood, (*priors, *gaussians), slopes)


def _summary(values: Array, prior: Prior, size: float) -> Summary:
    smooth = _curve(values, prior, size)
    back = np.exp if prior.log else np.asarray
    return Summary(
        mean=float(values.mean()),
        deviation=float(values.std()),
        median=float(np.median(values)),
        intervals={p: pair(np.quantile(values, [(1 - p) / 2, (1 + p) / 2])) for p in LEVELS},
        highest_density={
            p: tuple(pair(back(ends)) for ends in highest_density_intervals(smooth, p)) for p in LEVELS
        },
    )


def _curve(values: Array, prior: Prior, size: float) -> Curve:
    low, high = prior.flat([prior.low, prior.high])
    return curve(prior.flat(values), float(low), float(high), size)


def _edge_notes(posterior: Posterior) -> Iterator[str]:
    """Yield which free parameters their range confines, and not the data."""
    for number, parameter in enumerate(posterior.parameters[: posterior.free]):
        prior, smooth = posterior.priors[number], posterior.curve(number)
        edges = prior.flat([prior.low, prior.high])
        cell = smooth.x[1] - smooth.x[0]
        reached = [
            abs(smooth.x[end] - edges[end]) < cell and smooth.density[end] > _HIGH * smooth.density.max()
            for end in (0, -1)
        ]
        if any(reached):
            yield (
                f"the posterior of {parameter.name} has not vanished at the end of its range: its intervals"
                " depend on the range"
            )


def _range_text(parameter: Parameter, ends: tuple[float, float], digits: int = 4) -> str:
    return f"{parameter.format(ends[0], digits)} to {parameter.format(ends[1], digits)}"


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "–"


COMMAND = Verb(sample, HELP, plots=True, output="Write the samples, .csv or .npz.", accepts=samples_format)
