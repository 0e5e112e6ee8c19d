"""Samples and evidence of a posterior by nested sampling (ultranest)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.inference.priors import Target
from nurecoil.inference.sampling import SMALLEST_SIZE, Diagnostic, Samples, seeds
from nurecoil.progress import in_steps

_REGION_ENDS = 10  # dimensions; beyond, ellipsoids around the live points accept too little
_IMPOSSIBLE = -1e300  # ultranest takes no -inf


def sample_nested(target: Target, seed: int, most_steps: int) -> Samples:
    r"""Return samples and the evidence, by reactive nested sampling (Buchner 2021, ultranest).

    .. math:: \ln Z = \ln \int L(x)\, \pi(x)\, dx

    with normalised priors π. Up to ten parameters new points come from ellipsoids around the live points,
    beyond that from slices. Converged means: all of the evidence is integrated, at least 400 effective
    samples, and the order of insertion is that of independent draws (Fowlie et al. 2020).

    Parameters
    ----------
    target, seed, most_steps
        As for `sample_ensemble`; the iterations, at each of which one point is replaced.
    """
    try:
        import ultranest  # type: ignore[import-not-found,import-untyped,unused-ignore]
        from ultranest.popstepsampler import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
            PopulationSliceSampler,
            generate_mixture_random_direction,
        )
    except ImportError:
        raise NurecoilError(
            "the sampler nested needs ultranest: pip install 'nurecoil[sampling]' brings it"
        ) from None
    from scipy.special import ndtri  # type: ignore[import-untyped]

    def coordinates(cube: Array) -> Array:
        z: Array = ndtri(np.clip(cube, 1e-16, 1 - 1e-16))
        return z

    def log_likelihood(z: Array) -> Array:
        return np.maximum(target.log_likelihood_at(z), _IMPOSSIBLE)

    with in_steps(1) as say, _quiet(), _seeded(seeds(seed, 1)[0]):
        say(f"nested sampling, at most {most_steps} iterations")
        sampler = ultranest.ReactiveNestedSampler(
            [f"z{n}" for n in range(target.dimensions)], log_likelihood, coordinates, vectorized=True
        )
        if target.dimensions > _REGION_ENDS:
            sampler.stepsampler = PopulationSliceSampler(
                popsize=64, nsteps=2 * target.dimensions, generate_direction=generate_mixture_random_direction
            )
        found = sampler.run(
            min_ess=int(SMALLEST_SIZE), max_iters=most_steps, show_status=False, viz_callback=False
        )
    size, values = float(found["ess"]), target.values(np.asarray(found["samples"]))
    problems = []
    if found["niter"] >= most_steps:
        problems.append(f"{most_steps} iterations were too few: part of the evidence is missing")
    if not size > SMALLEST_SIZE:
        problems.append(f"the effective sample size is {size:.0f}, and {SMALLEST_SIZE:.0f} are needed")
    if not found["insertion_order_MWW_test"]["converged"]:
        problems.append("new points are not independent of the old ones: the order of insertion shows it")
    return Samples(
        values=values,
        diagnostics=(Diagnostic(np.nan, size, size, np.nan),) * target.dimensions,
        steps=int(found["niter"]),
        chains=1,
        acceptance=float(found["niter"] / found["ncall"]),
        problems=tuple(problems),
        log_evidence=(float(found["logz"]), float(found["logzerr"])),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep ultranest from logging: it adds a handler that prints unless it finds one."""
    logger, nowhere = logging.getLogger("ultranest"), logging.NullHandler()
    before = logger.propagate
    logger.addHandler(nowhere)
    logger.propagate = False
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        logger.removeHandler(nowhere)
        logger.propagate = before


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed NumPy's global numbers, which ultranest draws, and put them back as they were."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
