"""Moves of walkers for emcee; imported where they are used, because emcee costs time to import."""

from typing import Any

import numpy as np
from emcee.moves import RedBlueMove

from nurecoil.arithmetic import Array

_CROSSOVERS = (0.2, 0.5, 1.0)  # how large a part of the coordinates moves
_JITTER = 1e-5  # of γ, so that every point can be reached (Nelson et al. 2013)


class SubspaceMove(RedBlueMove):  # type: ignore[misc]
    r"""Differential evolution in some of the coordinates, the others left as they are.

    .. math:: z_i \to z_i + \gamma\,(z_j - z_k), \qquad \gamma = \frac{2.38}{\sqrt{2 d'}} \ \text{or} \ 1

    in d' coordinates chosen at random, for each walker i anew; j and k are walkers of the other half (ter
    Braak 2006; the choice of coordinates is that of DREAM, Vrugt et al. 2009). With γ = 1 a walker jumps from
    mode to mode; where modes differ in few parameters, the others stay, and many more jumps are accepted.

    Parameters
    ----------
    jumps : float
        The part of moves with γ = 1.
    """

    def __init__(self, jumps: float) -> None:
        """Split the walkers in halves, as emcee does, that move in turn."""
        super().__init__()
        self.jumps = jumps

    def get_proposal(self, s: Array, c: list[Array], random: np.random.RandomState) -> tuple[Array, Array]:
        """Return where the walkers s (n, D) would go, and no weights: the move is symmetric."""
        others: Any = np.concatenate(c)
        walkers, dimensions = s.shape
        first = random.randint(len(others), size=walkers)
        second = (first + random.randint(1, len(others), size=walkers)) % len(others)
        chosen = random.uniform(size=s.shape) < random.choice(_CROSSOVERS, size=(walkers, 1))
        chosen[np.arange(walkers), random.randint(dimensions, size=walkers)] = True
        scale = 2.38 / np.sqrt(2 * chosen.sum(axis=1))
        scale[random.uniform(size=walkers) < self.jumps] = 1.0
        scale *= 1 + _JITTER * random.standard_normal(walkers)
        return s + scale[:, np.newaxis] * chosen * (others[first] - others[second]), np.zeros(walkers)
