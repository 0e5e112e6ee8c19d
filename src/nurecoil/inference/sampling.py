"""Samples of a posterior: several ensembles of walkers (emcee), until they have converged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.inference.diagnostics import bulk_size, effective_size, r_hat, tail_size
from nurecoil.inference.priors import Target
from nurecoil.progress import in_steps

if TYPE_CHECKING:
    from emcee import EnsembleSampler


ENSEMBLES = 4  # started independently; R̂ compares them
LARGEST_R_HAT = 1.01  # Vehtari et al. 2021, section 4.1
SMALLEST_SIZE = 400.0  # the same, section 4: 100 for each of four chains
_TIMES = 50  # autocorrelation times; emcee's documentation, "Autocorrelation analysis & convergence"
_FEWEST_WALKERS = 32
_PARTICLES = 8  # for each walker, while the prior is annealed to the posterior
_KEPT = 500  # steps of each walker; with every doubling of the run, every second one is kept
_BURN_IN = 1 / 5  # of all steps
_MOST_STAGES = 500


@dataclass(frozen=True)
class Diagnostic:
    """How well one parameter is sampled.

    Attributes
    ----------
    r_hat
        Rank-normalised split-R̂ of the independent ensembles or chains; NaN for nested sampling.
    bulk_size, tail_size
        Effective number of samples for the centre and for the 5 % and 95 % quantiles.
    autocorrelation_time
        Steps after which a walker or chain is as good as a new one; NaN for nested sampling.
    """

    r_hat: float
    bulk_size: float
    tail_size: float
    autocorrelation_time: float

    @classmethod
    def of(cls, draws: Array, independent: Array, thin: int = 1) -> "Diagnostic":
        """Judge draws (N, M) of one parameter, every thin-th kept, and the chains of them that R̂ compares."""
        time = thin * draws.size / effective_size(draws)
        return cls(r_hat(independent), bulk_size(draws), tail_size(draws), time)


@dataclass(frozen=True, eq=False)
class Samples:
    """What a sampler returns.

    Attributes
    ----------
    values : ndarray, shape (S, D)
        Equally weighted samples of the parameters.
    diagnostics
        One for each parameter.
    steps : int
        Steps of each walker or chain, those not kept included; of nested sampling, its iterations.
    chains : int
        Walkers of all ensembles together, or chains.
    acceptance : float
        The part of proposals that was accepted; of NUTS, the mean acceptance probability.
    problems : tuple of str
        What has not converged, in words; empty if all has.
    log_evidence : (value, error), optional
        ln ∫ L(x) π(x) dx.
    """

    values: Array
    diagnostics: tuple[Diagnostic, ...]
    steps: int
    chains: int
    acceptance: float
    problems: tuple[str, ...]
    log_evidence: tuple[float, float] | None = None


def sample_ensemble(target: Target, seed: int, most_steps: int) -> Samples:
    r"""Return samples from four independent ensembles of walkers (emcee), all at once evaluated.

    Each ensemble starts as draws of the prior, which are annealed to the posterior: L^β with β from 0 to 1
    in steps that halve the effective number of draws, resampled and moved in each (Del Moral et al. 2006).
    So separate modes are found and filled by their weights. Moves: differential evolution in some or all
    coordinates, 90 %, two fifths of them with γ = 1, which take a walker from mode to mode (`moves`);
    stretch (Goodman and Weare 2010), 10 %. The run doubles until it has converged: R̂ of the four ensembles
    below 1.01, bulk and tail sizes above 400 and more than 50 autocorrelation times. The first fifth is
    left out.

    Parameters
    ----------
    target : Target
    seed : int
        Of all random numbers: the same seed gives the same samples.
    most_steps : int
        Steps of each walker after which to stop in any case.

    Notes
    -----
    Walkers of one ensemble move each other, so that they are no independent chains: R̂ takes each ensemble,
    with all its walkers, for one chain. For the sizes each walker is a chain, which is right once the
    ensemble is in equilibrium, where walkers are independent; as the spread between walkers counts in full,
    one that stays in a mode shows as a long autocorrelation time. emcee's own estimate, around each walker's
    own mean, misses that. emcee's DESnookerMove is not used: it does not leave a Gaussian unchanged
    (emcee 3.1.6: variance 0.61 for 1 in 10 dimensions).

    Examples
    --------
    >>> from nurecoil.inference.priors import Prior
    >>> gaussian = Target(lambda x: -0.5 * ((x[:, 0] - 1.0) / 0.1) ** 2, (Prior(-5.0, 5.0),))
    >>> found = sample_ensemble(gaussian, seed=1, most_steps=2000)
    >>> found.problems, round(float(found.values.mean()), 2), round(float(found.values.std()), 2)
    ((), 1.0, 0.1)
    """
    if most_steps < _KEPT:
        raise NurecoilError(f"{most_steps} steps are not allowed: it must be {_KEPT} or more")
    doublings = int(np.log2(most_steps / _KEPT))
    with in_steps(ENSEMBLES + 2**doublings) as say:
        ensembles = []
        for number, one in enumerate(seeds(seed, ENSEMBLES)):
            say(f"from the prior to the posterior, {number + 1} of {ENSEMBLES}")
            ensembles.append(_Ensemble(target, one))
        steps, thin = _KEPT, 1
        say(f"on to {steps} of at most {most_steps} steps")
        for ensemble in ensembles:
            ensemble.advance(_KEPT, thin)
        values, diagnostics = _judged(target, ensembles, thin)
        while (problems := _problems(diagnostics, steps)) and 2 * steps <= most_steps:
            steps, thin = 2 * steps, 2 * thin
            say(f"on to {steps} of at most {most_steps} steps", steps / _KEPT / 2)
            for ensemble in ensembles:
                ensemble.halve()
                ensemble.advance(_KEPT // 2, thin)
            values, diagnostics = _judged(target, ensembles, thin)
    return Samples(
        values=values.reshape(-1, target.dimensions),
        diagnostics=diagnostics,
        steps=steps,
        chains=sum(ensemble.walkers for ensemble in ensembles),
        acceptance=float(np.mean([ensemble.acceptance for ensemble in ensembles])),
        problems=problems,
    )


def seeds(seed: int, number: int) -> list[int]:
    """Return seeds for parts of a run that are to be independent."""
    return [int(word) for word in np.random.SeedSequence(seed).generate_state(number)]


def _judged(
    target: Target, ensembles: "Sequence[_Ensemble]", thin: int
) -> tuple[Array, tuple[Diagnostic, ...]]:
    """Return the parameters (N, ensembles, walkers, D) after the burn-in, and how well each is sampled."""
    z = np.stack([ensemble.chain for ensemble in ensembles], axis=1)
    values = target.values(z[int(_BURN_IN * len(z)) :])
    steps, number, _, dimensions = values.shape
    walkers, whole = (
        values.reshape(steps, -1, dimensions),
        values.swapaxes(1, 2).reshape(-1, number, dimensions),
    )
    return values, tuple(Diagnostic.of(walkers[..., n], whole[..., n], thin) for n in range(dimensions))


def _problems(diagnostics: Sequence[Diagnostic], steps: int) -> tuple[str, ...]:
    kept = (1 - _BURN_IN) * steps
    times = kept / float(np.max([d.autocorrelation_time for d in diagnostics]))
    problems = shortcomings(diagnostics)
    if not times >= _TIMES:
        short = f"{kept:g} steps are {times:.3g} autocorrelation times, and {_TIMES} are needed"
        problems = (*problems, short)
    return problems


def shortcomings(diagnostics: Sequence[Diagnostic]) -> tuple[str, ...]:
    """Return in words which limits on R̂ and on effective sizes the parameters miss."""
    worst = float(np.max([d.r_hat for d in diagnostics]))
    least = float(np.min([min(d.bulk_size, d.tail_size) for d in diagnostics]))
    problems = []
    if not worst < LARGEST_R_HAT:
        problems.append(f"R̂ is {worst:.3f}, and less than {LARGEST_R_HAT} is needed")
    if not least > SMALLEST_SIZE:
        problems.append(f"the effective sample size is {least:.0f}, and {SMALLEST_SIZE:.0f} are needed")
    return tuple(problems)


def annealed(target: Target, number: int, random: np.random.RandomState) -> Array:
    """Return coordinates z (number, D) that follow the posterior, annealed from draws of the prior."""
    z = random.standard_normal((number, target.dimensions))
    beta = 0.0
    for _ in range(_MOST_STAGES):
        log_likelihood = target.log_likelihood_at(z)
        if not np.isfinite(log_likelihood).any():
            raise NurecoilError(f"none of {number} draws of the prior has a finite likelihood")
        step = _largest_step(log_likelihood, 1.0 - beta)
        beta = 1.0 if step >= 1.0 - beta else beta + step
        weights = np.exp(step * (log_likelihood - log_likelihood.max()))
        ladder = (random.uniform() + np.arange(number)) / number
        z = z[np.searchsorted(np.cumsum(weights) / weights.sum(), ladder).clip(max=number - 1)]
        z = _moved(target, z, beta, random)
        if beta == 1.0:
            return z
    raise NurecoilError(
        f"the likelihood is too narrow for its priors: {_MOST_STAGES} stages did not reach it, so narrow the"
        " range of the parameters"
    )


def _largest_step(log_likelihood: Array, most: float) -> float:
    """Return by how much β may grow if half of the draws are to keep their worth."""

    def worth(step: float) -> float:
        weights = np.exp(step * (log_likelihood - log_likelihood.max()))
        return float(weights.sum() ** 2 / (weights**2).sum())

    half = 0.5 * np.isfinite(log_likelihood).sum()
    if worth(most) >= half:
        return most
    low, high = -700.0, float(np.log(most))  # of ln step
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if worth(float(np.exp(middle))) >= half else (low, middle)
    return float(np.exp(low))


def _moved(target: Target, z: Array, beta: float, random: np.random.RandomState) -> Array:
    """Return the draws after some moves among themselves that leave L^β times the prior as it is."""
    sampler = _sampler(target, z, beta, random)
    state = sampler.run_mcmc(z, 10 + 2 * z.shape[1], skip_initial_state_check=True, store=False)
    moved: Array = state.coords
    return moved


def _sampler(target: Target, z: Array, beta: float, random: np.random.RandomState) -> "EnsembleSampler":
    from emcee import EnsembleSampler
    from emcee.moves import StretchMove

    from nurecoil.inference.moves import SubspaceMove

    def density(z: Array) -> Array:
        found: Array = beta * target.log_likelihood_at(z) - 0.5 * (z**2).sum(axis=1)
        return found

    moves = [(SubspaceMove(jumps=0.4), 0.9), (StretchMove(), 0.1)]
    sampler = EnsembleSampler(*z.shape, density, moves=moves, vectorize=True)
    sampler.log_prob_fn = density  # as it is: emcee's wrapper prints each error
    sampler._random = random
    return sampler


class _Ensemble:
    """Walkers that start from the annealed prior and go on from where they are."""

    def __init__(self, target: Target, seed: int) -> None:
        random = np.random.RandomState(seed)
        self.walkers = max(_FEWEST_WALKERS, 4 * target.dimensions)
        particles = annealed(target, _PARTICLES * self.walkers, random)
        self._state: Any = particles[random.choice(len(particles), self.walkers, replace=False)]
        self._sampler = _sampler(target, self._state, 1.0, random)
        self.chain = np.empty((0, self.walkers, target.dimensions))

    def advance(self, kept: int, thin: int) -> None:
        """Take kept · thin steps and keep every thin-th."""
        self._sampler.reset()
        self._state = self._sampler.run_mcmc(self._state, kept, thin_by=thin, skip_initial_state_check=True)
        self.chain = np.concatenate([self.chain, self._sampler.get_chain()])

    def halve(self) -> None:
        """Keep every second step."""
        self.chain = self.chain[1::2]

    @property
    def acceptance(self) -> float:
        """The part of proposals accepted, in the last advance."""
        return float(np.mean(self._sampler.acceptance_fraction))
