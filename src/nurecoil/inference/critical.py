"""Toys thrown at points, and the critical values that follow from them."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass, field

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.inference.intervals import threshold
from nurecoil.progress import in_steps

Draw = Callable[[float, int, np.random.SeedSequence], tuple[Array, int]]

_BATCH = 1000  # toys of one task, whatever the executor: their seeds make the numbers
_BEYOND = 10  # toys that must lie above the critical value


def fewest_toys(cl: float) -> int:
    """Return how many toys the critical value of a confidence level needs: ten beyond it.

    >>> fewest_toys(0.9), fewest_toys(0.9973)
    (100, 3704)
    """
    threshold(cl)
    return math.ceil(_BEYOND / (1.0 - cl) - 1e-6)


def critical_value(statistic: Array, cl: float) -> tuple[float, float]:
    r"""Return the quantile of toys that belongs to a confidence level, and its statistical error.

    .. math:: t_c = t_{(k)}, \quad k = \lceil n\,\mathrm{cl} \rceil, \qquad
              \sigma = \tfrac12 [t_{(k+s)} - t_{(k-s)}], \quad s = \sqrt{n\,\mathrm{cl}\,(1 - \mathrm{cl})}

    with t₍₁₎ ≤ t₍₂₎ ≤ ... the sorted t of n toys: a fraction of at least cl has t ≤ t_c.

    Parameters
    ----------
    statistic : ndarray, shape (n,)
    cl : float

    Examples
    --------
    >>> critical_value(np.arange(1.0, 101.0), 0.9)
    (90.0, 3.0)
    """
    n = statistic.size
    check_toys(n, cl)
    t = np.sort(statistic)
    rank = math.ceil(n * cl - 1e-9) - 1
    spread = round(math.sqrt(n * cl * (1.0 - cl)))
    upper, lower = t[min(rank + spread, n - 1)], t[max(rank - spread, 0)]
    return float(t[rank]), float(0.5 * (upper - lower))


def check_toys(toys: float, cl: float) -> None:
    """Refuse fewer toys than a confidence level needs, and what is no whole number."""
    if toys < fewest_toys(cl) or toys % 1:
        raise NurecoilError(
            f"toys = {toys} is not allowed: a confidence level of {100 * cl:g} % needs"
            f" {fewest_toys(cl)} or more"
        )


@dataclass(eq=False)
class Node:
    """A point and its toys."""

    number: int
    value: float
    parts: list[Array] = field(default_factory=list)
    failed: int = 0

    @property
    def statistic(self) -> Array:
        """All toys of the point."""
        return np.concatenate(self.parts)


def throw(
    draw: Draw,
    nodes: Sequence[Node],
    toys: int,
    seed: tuple[int, int],
    executor: Executor | None,
) -> None:
    """Add toys to the points, in batches that have seeds of their own."""
    entropy, stream = seed
    tasks = []
    for node in nodes:
        for first in range(0, toys, _BATCH):
            key = (stream, node.number, len(node.parts) + first // _BATCH)
            tasks.append((node, min(_BATCH, toys - first), np.random.SeedSequence(entropy, spawn_key=key)))
    where, sizes, seeds = zip(*tasks, strict=True)
    run = map if executor is None else executor.map
    with in_steps(len(tasks)) as say:
        try:
            answers = run(draw, [node.value for node in where], sizes, seeds)
            for node, (statistic, failed) in zip(where, answers, strict=True):
                say(f"toys at {node.value:.4g}")
                node.parts.append(statistic)
                node.failed += failed
                if (bad := ~(np.isfinite(statistic) & (statistic >= 0.0))).any():
                    t = statistic[bad][0]
                    raise NurecoilError(f"a toy at {node.value!r} has Δχ² = {t}: it must be 0 or more")
        except BrokenExecutor as error:
            raise NurecoilError(
                f"the workers were lost ({error}): use fewer of them, or look at their memory"
            ) from None
