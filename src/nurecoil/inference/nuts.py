"""Samples of a posterior with the No-U-Turn sampler of NumPyro, for a likelihood that is plain NumPy."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.inference.priors import Target
from nurecoil.inference.sampling import Diagnostic, Samples, annealed, seeds, shortcomings
from nurecoil.progress import in_steps

if TYPE_CHECKING:
    from jax import Array as JaxArray


_CHAINS = 8
_WARM_UP, _DRAWS = 300, 300
_PARTICLES = 256
_MOST_DIVERGING = 0.001  # of all draws

Slopes = Callable[[Array], tuple[Array, Array]]


def sample_nuts(target: Target, seed: int, most_steps: int) -> Samples:
    """Return samples from eight chains of NUTS (Hoffman and Gelman 2014).

    The chains start at draws that are annealed from the prior, chosen as far apart as can be, in coordinates
    that are whitened by the draws' covariance. Gradients are the target's, of all chains in one call; the
    energy is exact, and so are the samples (leapfrog steps with any force are reversible and keep
    the volume). Chains hardly go from mode to mode: starts far apart land in each, and R̂ says so.

    Parameters
    ----------
    target, seed, most_steps
        As for `sample_ensemble`; steps of each chain, 300 of warm-up included.
    """
    try:
        import jax
        import jax.numpy as jnp
        from numpyro.infer import MCMC, NUTS
    except ImportError:
        raise NurecoilError(
            "the sampler nuts needs numpyro: pip install 'nurecoil[sampling]' brings it"
        ) from None
    if most_steps < _WARM_UP + _DRAWS:
        raise NurecoilError(f"{most_steps} steps are not allowed: it must be {_WARM_UP + _DRAWS} or more")
    random = np.random.RandomState(seeds(seed, 1)[0])
    start = annealed(target, _PARTICLES, random)
    mean, root = start.mean(axis=0), np.linalg.cholesky(np.atleast_2d(np.cov(start.T)))
    start = _far_apart(np.linalg.solve(root, (start - mean).T).T)
    chains = np.empty((0, _CHAINS, target.dimensions))

    def slopes(w: Array) -> tuple[Array, Array]:
        value, gradient = target.log_posterior_slopes_at(mean + w @ root.T)
        return -value, -gradient @ root

    with jax.enable_x64(True), in_steps((most_steps - _WARM_UP) // _DRAWS) as say:
        potential = _potential(slopes, target.dimensions)
        sampler = MCMC(
            NUTS(potential_fn=potential),
            num_warmup=_WARM_UP,
            num_samples=_DRAWS,
            num_chains=_CHAINS,
            chain_method="vectorized",
            progress_bar=False,
        )
        key = jax.random.PRNGKey(seeds(seed, 2)[1])
        accepted, diverging = [], 0
        while True:
            say(f"{_WARM_UP + len(chains) + _DRAWS} of at most {most_steps} steps")
            sampler.run(key, init_params=jnp.asarray(start), extra_fields=("accept_prob", "diverging"))
            w = np.asarray(sampler.get_samples(group_by_chain=True)).swapaxes(0, 1)
            chains = np.concatenate([chains, mean + w @ root.T])
            accepted.append(float(sampler.get_extra_fields()["accept_prob"].mean()))
            diverging += int(sampler.get_extra_fields()["diverging"].sum())
            values = target.values(chains)
            diagnostics = tuple(Diagnostic.of(v, v) for v in np.moveaxis(values, -1, 0))
            problems = shortcomings(diagnostics)
            if not problems or _WARM_UP + len(chains) + _DRAWS > most_steps:
                break
            sampler.post_warmup_state = sampler.last_state
            key = sampler.last_state.rng_key
    draws = len(chains) * _CHAINS
    if diverging > _MOST_DIVERGING * draws:
        problems = (
            *problems,
            f"{diverging} of {draws} draws diverged: the posterior has a corner too narrow",
        )
    return Samples(
        values=values.reshape(-1, target.dimensions),
        diagnostics=diagnostics,
        steps=_WARM_UP + len(chains),
        chains=_CHAINS,
        acceptance=float(np.mean(accepted)),
        problems=problems,
    )


def _far_apart(points: Array) -> Array:
    """Return a start for each chain: the central one of some points, then always the farthest from all."""
    chosen = [int(np.argmin((points**2).sum(axis=1)))]
    while len(chosen) < _CHAINS:
        distance = ((points[:, np.newaxis] - points[chosen]) ** 2).sum(axis=-1).min(axis=1)
        chosen.append(int(np.argmax(distance)))
    return points[chosen]


def _potential(slopes: Slopes, dimensions: int) -> "Callable[[JaxArray], Any]":
    """Return a function of NumPy arrays with its gradient, (P, D) -> (P,) and (P, D), as one of JAX.

    Numbers cross as pairs of uint32: in the thread where JAX calls back, `enable_x64` is not set, and
    float64 would become float32 (jax-ml/jax, `pure_callback`).
    """
    import jax
    import jax.numpy as jnp

    def evaluate(bits: Any) -> NDArray[np.uint32]:
        w = np.ascontiguousarray(bits).view(np.float64)[..., 0]
        value, gradient = slopes(w.reshape(-1, dimensions))
        found = np.concatenate([value[:, np.newaxis], gradient], axis=1)
        return found.reshape(*w.shape[:-1], -1, 1).view(np.uint32)

    def both(w: "JaxArray") -> "tuple[JaxArray, JaxArray]":
        shape = jax.ShapeDtypeStruct((dimensions + 1, 2), jnp.uint32)
        bits = jax.lax.bitcast_convert_type(w, jnp.uint32)
        found = jax.pure_callback(evaluate, shape, bits, vmap_method="expand_dims")
        numbers = jax.lax.bitcast_convert_type(found, jnp.float64)
        return numbers[0], numbers[1:]

    potential = jax.custom_vjp(lambda w: both(w)[0])
    potential.defvjp(both, lambda gradient, factor: (gradient * factor,))
    found: Callable[[Any], Any] = potential
    return found
