"""Contours of functions whose regions are known in closed form."""

import numpy as np
import pytest
from scipy.optimize import minimize

from nurecoil.errors import NurecoilError
from nurecoil.inference.contours import Axis, Plane, contours
from nurecoil.inference.intervals import threshold

LOW, HIGH = np.array([-2.0, -2.0]), np.array([2.0, 2.0])
L68, L90 = threshold(0.68, dof=2), threshold(0.90, dof=2)
CENTRE, COVARIANCE = np.array([0.3123, -0.1456]), np.array([[0.04, -0.012], [-0.012, 0.01]])


def plane(chi2, low=LOW, high=HIGH, log=(False, False), noise=0.0):
    return Plane(chi2, tuple(map(Axis, low, high, log)), noise)


def surface(f, levels=(L90,), low=LOW, high=HIGH, log=(False, False), **options):
    """Return the regions of f(x, y), minimised with scipy from each start."""

    def chi2(x):
        return f(*x.T), np.full(len(x), True)

    def onto_minima(starts):
        box = list(zip(low, high, strict=True))
        found = [
            minimize(lambda x: float(f(*x)), s, method="L-BFGS-B", bounds=box, tol=1e-14) for s in starts
        ]
        return np.array([one.x for one in found]), np.full(len(found), True)

    return contours(plane(chi2, low, high, log), onto_minima, levels, **options)


def ellipse(x, y):
    d = np.stack(np.broadcast_arrays(x - CENTRE[0], y - CENTRE[1]))
    return 7.5 + np.einsum("i...,ij,j...->...", d, np.linalg.inv(COVARIANCE), d)


def annulus(x, y):
    return 100 * (x**2 + y**2 - 1) ** 2


def area(ring):
    x, y = ring.T
    return 0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])


def on_level(f, found, minimum=0.0):
    return all(
        np.allclose(f(*line.T) - minimum, c.level, rtol=1e-8) for c in found.contours for line in c.polygons
    )


def test_an_ellipse_at_two_levels():
    found = surface(ellipse, (L68, L90))
    assert found.best_fit == pytest.approx(CENTRE, abs=1e-6)
    assert found.minimum == pytest.approx(7.5, abs=1e-10)
    assert found.fitted
    assert on_level(ellipse, found, 7.5)
    for contour, level in zip(found.contours, (L68, L90), strict=True):
        (region,) = contour.regions
        reach = np.sqrt(level * np.diag(COVARIANCE))
        assert region.bounds == pytest.approx(np.stack([CENTRE - reach, CENTRE + reach], axis=1), abs=1e-7)
        assert area(region.outer) == pytest.approx(np.pi * level * np.linalg.det(COVARIANCE) ** 0.5, rel=2e-3)
        assert (region.holes, region.open, len(region.lines)) == ((), False, 1)
        assert (contour.settled, contour.unconverged) == (True, 0)


def test_the_best_fit_is_no_point_of_the_grid():
    found = surface(ellipse, points=(31, 41))
    assert found.delta_chi2.shape == found.converged.shape == (31, 41)
    assert found.delta_chi2.min() > 0.01
    x, y = np.meshgrid(*found.values, indexing="ij")
    assert found.delta_chi2 == pytest.approx(ellipse(x, y) - 7.5, abs=1e-8)


@pytest.mark.parametrize("points", [(17, 15), (20, 33), (150, 101)])
def test_extents_do_not_depend_on_the_grid(points):
    (region,) = surface(ellipse, points=points).contours[0].regions
    reach = np.sqrt(L90 * np.diag(COVARIANCE))
    assert region.bounds == pytest.approx(np.stack([CENTRE - reach, CENTRE + reach], axis=1), abs=5e-6)


def test_an_annulus_has_its_inner_boundary():
    found = surface(annulus, (L68, L90))
    assert on_level(annulus, found)
    for contour in found.contours:
        (region,) = contour.regions
        (hole,) = region.holes
        radii = np.sqrt([1 + 0.1 * contour.level**0.5, 1 - 0.1 * contour.level**0.5])
        for ring, radius in zip((region.outer, hole), radii, strict=True):
            assert np.hypot(*ring.T) == pytest.approx(np.full(len(ring), radius), rel=1e-8)
        assert area(region.outer) > 0 > area(hole)  # as a figure wants them
        assert not region.open
        assert len(contour.polygons) == 2


def test_two_islands_of_equal_depth():
    found = surface(lambda x, y: 40 * (x**2 - 1) ** 2 + 100 * y**2)
    ends = np.sqrt([1 - (L90 / 40) ** 0.5, 1 + (L90 / 40) ** 0.5])
    regions = sorted(found.contours[0].regions, key=lambda region: region.bounds[0, 0])
    assert [region.bounds[0] for region in regions] == [
        pytest.approx(-ends[::-1], abs=1e-7),
        pytest.approx(ends, abs=1e-7),
    ]


def test_an_island_smaller_than_a_cell_is_found_by_its_minimum():
    def function(x, y):
        return np.minimum(4 * ((x + 1) ** 2 + y**2), 400 * ((x - 0.7) ** 2 + (y - 0.7) ** 2))

    found = surface(function, [1.0], points=(21, 21))  # the points next to it are at 8
    small = found.contours[0].regions[1]
    assert small.bounds == pytest.approx(np.array([[0.65, 0.75], [0.65, 0.75]]), abs=1e-5)
    assert found.contours[0].settled


def test_a_hole_smaller_than_a_cell_is_found_by_its_trace():
    """No point of the grid lies in it, but the bend of χ² at the points around it says so."""

    def function(x, y):
        return 0.1 * (x**2 + y**2) + 13 * np.exp(-((x - 0.1) ** 2 + (y - 0.1) ** 2) / 0.0072)

    found = surface(function, [1.0], points=(21, 21))
    assert found.delta_chi2[8:13, 8:13].max() < 0.9
    (region,) = found.contours[0].regions
    (hole,) = region.holes
    assert np.hypot(*(hole - 0.1).T) == pytest.approx(np.full(len(hole), 0.136), abs=0.003)


def test_a_narrow_band_across_the_grid_is_one_region():
    def band(x, y):
        return 1e3 * (x + 0.93 * y - 0.1) ** 2 + 0.1 * x**2

    found = surface(band, [1.0], points=(21, 21))  # a third of a cell wide
    (region,) = found.contours[0].regions
    assert region.open
    assert len(region.lines) == 2
    assert on_level(band, found)


@pytest.mark.parametrize("points", [27, 34, 41])
def test_a_band_narrower_than_a_cell_is_no_row_of_islands(points):
    """Two meshes may see as many pieces of it by chance."""

    def band(x, y):
        return (60 * (x - 0.7 * y)) ** 2 + 0.1 * y**2

    found = surface(band, levels=(1.0,), points=(points, points))
    assert len(found.contours[0].regions) == 1


def test_a_region_cut_by_the_range_is_open():
    found = surface(lambda x, y: 10 * (x - 1.9) ** 2 + 4 * y**2)
    (region,) = found.contours[0].regions
    (line,) = region.lines
    assert region.open
    assert line[[0, -1], 0] == pytest.approx([2, 2], abs=0)
    assert np.abs(line[[0, -1], 1]) == pytest.approx([((L90 - 0.1) / 4) ** 0.5] * 2)
    assert region.bounds[0] == pytest.approx([1.9 - (L90 / 10) ** 0.5, 2], abs=1e-7)
    assert (region.outer[0] == region.outer[-1]).all()


def test_a_region_in_a_corner_has_that_corner():
    (region,) = surface(lambda x, y: (x - 2) ** 2 + (y + 2) ** 2, [1.0]).contours[0].regions
    assert [2.0, -2.0] in region.outer.tolist()
    assert area(region.outer) == pytest.approx(np.pi / 4, rel=1e-3)
    (line,) = region.lines
    assert np.hypot(line[:, 0] - 2, line[:, 1] + 2) == pytest.approx(np.ones(len(line)), rel=1e-8)


def test_a_band_across_a_corner_has_two_lines():
    def band(x, y):
        return (5 * (0.3 * x + y - 2.1)) ** 2

    found = surface(band)
    (region,) = found.contours[0].regions
    assert len(region.lines) == 2
    assert on_level(band, found)
    half = L90**0.5 / 5
    assert region.bounds == pytest.approx(np.array([[(0.1 - half) / 0.3, 2], [1.5 - half, 2]]), abs=1e-7)


def test_where_all_is_allowed_there_is_no_line():
    (region,) = surface(lambda x, y: 0.1 * x + 0 * y).contours[0].regions
    assert region.lines == ()
    assert region.open
    assert region.bounds.tolist() == [[-2, 2], [-2, 2]]


def test_a_logarithmic_axis():
    low, high = np.array([0.01, -2.0]), np.array([100.0, 2.0])
    found = surface(
        lambda x, y: 10 * np.log(x / 3) ** 2 + 4 * y**2,
        low=low,
        high=high,
        log=(True, False),
        points=(51, 51),
    )
    assert np.diff(np.log(found.values[0])) == pytest.approx(np.full(50, np.log(1e4) / 50))
    assert (found.values[0][[0, -1]] == [0.01, 100]).all()
    reach = (L90 / 10) ** 0.5
    (region,) = found.contours[0].regions
    assert region.bounds[0] == pytest.approx(3 * np.exp([-reach, reach]), rel=1e-6)


def test_the_forbidden_is_not_allowed():
    found = surface(lambda x, y: np.where(x > 0.3, np.inf, x**2 + y**2), [1.0])
    (region,) = found.contours[0].regions
    assert region.bounds == pytest.approx(np.array([[-1, 0.3], [-1, 1]]), abs=1e-7)
    assert not region.open
    assert np.isinf(found.delta_chi2[-1]).all()


def test_what_did_not_converge_is_counted():
    def chi2(x):
        return x[:, 0] ** 2 + x[:, 1] ** 2, x[:, 0] < 0.5

    def onto_minimum(starts):
        return np.zeros_like(starts), np.full(len(starts), True)

    found = contours(plane(chi2), onto_minimum, [1.0], points=(21, 21))
    (contour,) = found.contours
    assert (~found.converged).sum() == 8 * 21
    (line,) = contour.polygons
    assert contour.unconverged == pytest.approx((line[:-1, 0] >= 0.5).sum(), abs=1)


@pytest.mark.parametrize("centre", [(0.31, -0.52), (1.3, 5.0)])
def test_a_failed_minimisation_is_walked_from(centre):
    def chi2(x):
        return ((x - centre) ** 2).sum(axis=1) + np.prod(x - centre, axis=1), np.full(len(x), True)

    found = contours(plane(chi2, noise=1e-9), lambda s: (s, np.full(len(s), False)), [1.0], points=(11, 11))
    inside = {5.0: (1.3 + 1.5, 2.0)}.get(centre[1], centre)
    expected = np.minimum(inside, 2.0)
    assert found.fitted
    assert found.best_fit == pytest.approx(expected, abs=1e-4)
    assert found.minimum == pytest.approx(chi2(expected[np.newaxis])[0][0], abs=1e-7)


def test_what_is_too_thin_for_any_grid_is_not_settled():
    found = surface(lambda x, y: 1e10 * (x - y) ** 2 + (x * y) ** 2, points=(12, 13))
    assert not found.contours[0].settled


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"low": np.array([2.0, -2.0])}, "2.0 to 2.0 is not allowed"),
        ({"log": (True, False)}, "a logarithmic scan from -2.0"),
        ({"levels": (0.0,)}, r"levels = .* is not allowed"),
        ({"points": (4, 10)}, r"points = \[4, 10\] is not allowed"),
        ({"points": (2000, 2000)}, r"points = \[2000, 2000\] is not allowed"),
        ({"f": lambda x, y: np.where(x > 0, np.nan, 1.0)}, r"chi2 is nan at the point \(0\."),
        ({"f": lambda x, y: np.full_like(x, np.inf)}, "chi2 is infinite everywhere"),
    ],
)
def test_bad_input_is_refused(change, text):
    with pytest.raises(NurecoilError, match=text):
        surface(**{"f": ellipse, **change})
