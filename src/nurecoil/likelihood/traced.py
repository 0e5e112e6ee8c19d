"""The JAX engine: the NumPy engine's own source, traced, compiled and run on JAX's device in float64."""

from typing import Any

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.likelihood.newton import Minimum, minimise_traced
from nurecoil.likelihood.problem import Inputs, JointProblem, Layout, taken


def minimise(layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None) -> Minimum:
    """Return the minima of P points from `start` (J, P) inside the box (J, P)."""
    import jax

    points = start.shape[1]
    which = np.minimum(np.arange(_size(points)), points - 1)  # the last stands there again
    edges = [
        np.full_like(start, end) if edge is None else edge for edge, end in ((low, -np.inf), (high, np.inf))
    ]
    arrays = (array[:, which] for array in (start, *edges))
    with jax.enable_x64(True):
        found = layout.once(_compile)(taken(inputs._replace(signals=()), which), *arrays)
        return Minimum(*(np.asarray(array)[..., :points] for array in found))


def _size(points: int) -> int:
    """Return as how many points these are computed: each number is compiled once, so that there are few."""
    power = 1 << max(points - 1, 0).bit_length()
    step = max(power // 16, 1) if power > 512 else power  # of many, at most an eighth more
    return -(-points // step) * step


def _compile(layout: Layout) -> Any:
    import jax
    import jax.numpy as jnp

    def run(inputs: Inputs, start: Any, low: Any, high: Any) -> Any:
        problem = JointProblem(layout, inputs.prepared(layout, jnp))
        last = minimise_traced(problem, start, low, high, jnp, jax.lax.while_loop)
        return last.value, last.x, last.converged

    return jax.jit(run)
