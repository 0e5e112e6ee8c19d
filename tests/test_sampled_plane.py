"""χ² on a grid that is interpolated where its shape allows it, against functions in closed form."""

import numpy as np
import pytest

from nurecoil.inference.line import FORBIDDEN, Axis
from nurecoil.inference.mesh import Plane
from nurecoil.inference.sampled_plane import interpolation, sampled_mesh

POINTS = 241, 401


def bowl(x, y):
    return 30 * ((x - 0.3) ** 2 + (y - 0.6) ** 2)


def valley(x, y):
    return 40 * (1 - np.exp(-(((x - 0.7 * y - 0.2) / 0.02) ** 2))) + 8 * (y - 0.5) ** 2


def island(x, y):
    return 3 + 20 * x * y - 15 * np.exp(-((x - 0.62) ** 2 + (y - 0.31) ** 2) / 0.0018)


def disc(x, y):
    return np.where(np.hypot(x - 0.51, y - 0.49) < 0.02, 50.0, 0.0)


def wall(x, y):
    return np.where(x + 0.3 * y > 0.9, np.inf, 10 * np.sin(4 * x) + y**2)


@pytest.mark.parametrize(
    ("f", "share"), [(bowl, 0.06), (valley, 0.5), (island, 0.15), (disc, 0.1), (wall, 0.25)]
)
def test_what_is_interpolated_is_right_and_the_rest_computed(f, share):
    asked = []

    def chi2(x):
        asked.append(len(x))
        return f(*x.T), np.full(len(x), True)

    mesh = sampled_mesh(Plane(chi2, (Axis(0.0, 1.0), Axis(0.0, 1.0))), POINTS)
    exact = np.minimum(f(*np.meshgrid(*(np.linspace(0, 1, n) for n in POINTS), indexing="ij")), FORBIDDEN)
    assert sum(asked) == mesh.known.sum() < share * mesh.y.size
    assert mesh.y[mesh.known] == pytest.approx(exact[mesh.known], rel=1e-12, abs=1e-12)
    low = exact < exact.min() + 25
    assert np.abs(mesh.y - exact)[low].max() < 1e-3
    assert mesh.y[~low].min() > exact.min() + 24
    assert ((mesh.y >= FORBIDDEN) == (exact >= FORBIDDEN)).all()


@pytest.mark.parametrize("order", [1, 3, 5])
def test_polynomials_are_interpolated_exactly(order):
    at, to = np.array([0, 4, 8, 12, 16, 20, 23]), np.linspace(0, 23, 47)
    matrix = interpolation(at, to, order)
    assert matrix @ (at / 23) ** order == pytest.approx((to / 23) ** order, abs=1e-13)
    assert (matrix[::8][:3] == np.eye(7)[:3]).all()


def test_noise_far_above_is_not_looked_into():
    """Far out, pulls have many minima, and χ² is any of them."""
    asked = []

    def chi2(x):
        asked.append(len(x))
        y = 1e5 * bowl(*x.T)
        return np.where(y > 2e4, y * (1 + 1e6 * np.abs(np.sin(1e5 * y))), y), np.full(len(x), True)

    axes = (Axis(0.0, 1.0), Axis(0.0, 1.0))
    grid = sampled_mesh(Plane(chi2, axes, high=1e4), POINTS)
    few = sum(asked)
    first, second = (np.linspace(0, 1, n) for n in POINTS)
    real = 1e5 * bowl(first[:, np.newaxis], second)
    assert grid.y[real < 25] == pytest.approx(real[real < 25], abs=1e-3)
    assert grid.y[real < 5e3] == pytest.approx(real[real < 5e3], rel=0.1)
    assert grid.y[real > 2e4].min() > 1e4
    sampled_mesh(Plane(chi2, axes), POINTS)
    assert few < 0.1 * (sum(asked) - few)
