"""The engines agree: NumPy and the fused loops find the same minima of the same random likelihoods."""

import importlib.util
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from cases import gaussian_term, pull, signal_of
from closed_form import CountingLikelihood
from nurecoil.errors import NurecoilError
from nurecoil.experiment import Component, Shape, Statistics
from nurecoil.likelihood import (
    Expansion,
    JointLikelihood,
    binned_term,
    engines,
)
from nurecoil.likelihood.problem import evaluate_joint
from nurecoil.progress import heard_by

STRENGTHS, POINTS, BINS = 3, 60, 7


@pytest.fixture
def engine():
    """The engine that is compared with NumPy's."""
    pytest.importorskip("numba")
    return "fast"


def gaussian(seed, signal="flux", name="gaussian"):
    """A Gaussian term: a pull of the signal and two of backgrounds; one bin has no signal."""
    random = np.random.default_rng(seed)
    templates = random.uniform(1, 20, (STRENGTHS, BINS)) * (np.arange(BINS) != 2)
    parts = [(b, random.uniform(5, 30, BINS), pull(f"{name}_{b}", 0.2)) for b in ("first", "second")]
    observed = templates[0] + sum(counts for _, counts, _ in parts) + random.normal(0, 5, BINS)
    own = pull(signal, 0.1) if signal else None
    return gaussian_term(name, observed, random.uniform(3, 8, BINS), templates, own, parts)


def poisson(seed):
    """A Poisson term: pulls of the signal's rate, of its shape and a background's, and of that one's rate."""
    random = np.random.default_rng(seed)
    nominal = random.uniform(5, 20, (STRENGTHS, BINS)) * (np.arange(BINS) != 2)
    templates = np.stack([nominal, *(random.uniform(0.7, 1.4, (2, STRENGTHS, BINS)) * nominal)])
    counts = random.uniform(20, 50, BINS)
    ends = random.uniform(0.8, 1.2, (2, BINS)) * counts
    observed = random.poisson(nominal.sum(axis=0) + counts) * (np.arange(BINS) != 3.0)
    statistics = Statistics(
        observed=observed.astype(float),
        backgrounds=(Component("one", counts, (pull("rate", 0.2),), (Shape(pull("bend"), *ends),)),),
        signal=signal_of([pull("flux", 0.1)], [Shape(pull("bend"), None, None)]),
    )
    return binned_term("poisson", statistics, templates)


TERMS = {
    "poisson": lambda seed: (poisson(seed),),
    "gaussian": lambda seed: (gaussian(seed),),
    "gaussian, no pull of the signal": lambda seed: (gaussian(seed, None),),
    "two gaussian that share a pull": lambda seed: (gaussian(seed), gaussian(seed + 1, name="other")),
    "poisson and gaussian that share a pull": lambda seed: (poisson(seed), gaussian(seed)),
}


def strengths(seed):
    return np.random.default_rng(seed).uniform(0.2, 2.0, (POINTS, STRENGTHS))


def expansion(seed):
    """Strengths (1 + v·θ)² of two parameters: never negative."""
    v = np.random.default_rng(seed).uniform(-0.5, 0.5, (2, STRENGTHS))
    curvature = [2 * v[0] ** 2, 2 * v[0] * v[1], 2 * v[1] ** 2]
    parts = (np.zeros(2), np.ones(STRENGTHS), 2 * v, np.array(curvature))
    return Expansion(*(part[np.newaxis] for part in parts))


def scaling(seed):
    """Strengths q (1 + w·θ)² of two parameters, which scale the signal and change nothing else."""
    q, w = np.random.default_rng(seed).uniform(0.5, 2.0, STRENGTHS), np.array([0.3, -0.4])
    curvature = 2 * np.array([w[0] ** 2, w[0] * w[1], w[1] ** 2])
    parts = (np.zeros(2), q, 2 * np.outer(w, q), np.outer(curvature, q))
    return Expansion(*(part[np.newaxis] for part in parts))


def simulated(likelihood, seed):
    """POINTS sets of data, the priors' centres drawn as well."""
    return likelihood.simulate(
        np.ones((1, STRENGTHS)), likelihood.centre, POINTS, np.random.default_rng(seed)
    )


def assert_same(found, expected, converged=1.0):
    """χ² to 1e-9; where it is least, pulls and parameters move it by their squares only."""
    np.testing.assert_array_equal(found.converged, expected.converged)
    assert expected.converged.mean() >= converged
    np.testing.assert_allclose(found.chi2, expected.chi2, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.pulls, expected.pulls, rtol=1e-4, atol=1e-4)


def check(likelihood, engine, ask, converged=1.0):
    numpy = replace(likelihood, engine_name="numpy")
    assert_same(ask(replace(likelihood, engine_name=engine)), ask(numpy), converged)


@pytest.mark.parametrize("name", TERMS)
def test_pulls_are_profiled_alike(name, engine):
    for seed in range(5):
        likelihood = JointLikelihood(TERMS[name](seed), {})
        check(likelihood, engine, lambda any_engine, s=seed: any_engine.profiled(strengths(s)))


@pytest.mark.parametrize("factor", [1e-5, 1e5])
def test_a_shape_changes_a_bin_a_thousandfold_at_most(factor, engine):
    term = poisson(2)
    templates = term.arrays.signal.templates.copy()
    templates[1, :, 4] *= factor  # up at +1
    arrays = replace(term.arrays, signal=replace(term.arrays.signal, templates=templates))
    likelihood = JointLikelihood((replace(term, arrays=arrays),), {})
    held = {"bend": np.linspace(-0.5, 1.0, POINTS)}
    check(likelihood, engine, lambda any_engine: any_engine.profiled(strengths(2), held))
    # and the templates scaled to a thousandfold are the same; between them, strengths would change the shape
    one, other = (
        JointLikelihood((replace(term, arrays=replace(arrays, signal=signal)),), {}, engine_name=engine)
        for signal in (arrays.signal, replace(arrays.signal, templates=at_most(templates)))
    )
    q = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    some = {"bend": np.array([0.3, 1.0])}
    np.testing.assert_allclose(one.profiled(q, some).chi2, other.profiled(q, some).chi2, rtol=1e-9)


def at_most(templates):
    """Templates (1 + 2 K, strengths, bins) within a thousandfold of the first."""
    return np.clip(templates, templates[0] / 1e3, templates[0] * 1e3)


def test_hops_find_the_same_valleys(engine):
    hopping = JointLikelihood(TERMS["poisson"](1), {})
    assert hopping.starts > 1
    start, edges = np.zeros((POINTS, 2)), (np.full(2, -0.15), np.full(2, 0.15))
    alone = {"pulls": hopping.begin}  # from where none hops
    for ask in (
        lambda likelihood, **how: likelihood.profiled(strengths(1), **how),
        lambda likelihood, **how: likelihood.profiled(strengths(1), {"flux": 0.05}, **how),
        lambda likelihood, **how: likelihood.fitted(expansion(1), start, *edges, **how),
    ):
        check(hopping, engine, ask)
        assert (ask(hopping).chi2 <= ask(hopping, **alone).chi2 + 1e-9).all()
    lowest = hopping.profiled(strengths(1), reach=np.inf).chi2
    assert (lowest < hopping.profiled(strengths(1), **alone).chi2 - 1).any()
    held = {"bend": np.full(POINTS, 0.3)}
    check(hopping, engine, lambda likelihood: likelihood.profiled(strengths(1), held))


@pytest.mark.parametrize("name", ["poisson", "gaussian"])
def test_pulls_that_are_held_float_or_have_values_of_their_own(name, engine):
    terms = TERMS[name](3)
    last = terms[0].pulls[-1].name
    likelihood = JointLikelihood(terms, {"flux": 0.0, last: np.inf})
    check(likelihood, engine, lambda any_engine: any_engine.profiled(strengths(3)))
    values = {"flux": np.linspace(-0.1, 0.1, POINTS)}
    likelihood = JointLikelihood(terms, {})
    check(likelihood, engine, lambda any_engine: any_engine.profiled(strengths(3), values))


@pytest.mark.parametrize("name", ["poisson", "gaussian"])
def test_each_point_has_data_of_its_own(name, engine):
    likelihood = JointLikelihood(TERMS[name](5), {})
    likelihood = likelihood.with_data(simulated(likelihood, 5))
    check(likelihood, engine, lambda any_engine: any_engine.profiled(strengths(5)))
    check(likelihood, engine, lambda any_engine: any_engine.profiled(strengths(5)[:1]))


@pytest.mark.parametrize("name", ["poisson", "gaussian"])
def test_nothing_is_left_to_profile(name, engine):
    terms = TERMS[name](0)
    likelihood = JointLikelihood(terms, {p.name: 0.0 for p in terms[0].pulls})
    check(likelihood, engine, lambda any_engine: any_engine.profiled(strengths(0)))


@pytest.mark.parametrize("name", ["poisson", "gaussian"])
def test_parameters_are_fitted_alike_inside_a_box_and_at_its_edge(name, engine):
    likelihood = JointLikelihood(TERMS[name](7), {})
    likelihood = likelihood.with_data(simulated(likelihood, 7))
    start = np.random.default_rng(7).uniform(-0.1, 0.1, (POINTS, 2))

    def fitted(any_engine):
        return any_engine.fitted(expansion(7), start, np.full(2, -0.15), np.full(2, 0.15))

    check(likelihood, engine, fitted, converged=0.95)
    points = fitted(replace(likelihood, engine_name=engine)).points
    at_edge = (np.abs(points) == 0.15).any(axis=1)
    assert 0 < at_edge.sum() < POINTS
    np.testing.assert_allclose(points, fitted(likelihood).points, atol=1e-4)


@pytest.mark.parametrize("name", ["poisson", "gaussian"])
def test_a_prior_of_a_parameter_holds_it_as_tight_as_its_weight(name, engine):
    """Weak, it changes nothing; tight, the parameter stays where the prior is centred, point by point."""
    likelihood = JointLikelihood(TERMS[name](7), {})
    free, points = likelihood._free(()), slice(0, POINTS)
    layout, base = likelihood._layout(free, 2, ()), np.tile(likelihood.centre, (POINTS, 1))
    inputs = likelihood._inputs(points, np.empty((1, 0)), expansion(7), base, free, ())
    n, centres = len(free), np.random.default_rng(7).uniform(-0.1, 0.1, (POINTS, 2))
    inputs = inputs._replace(centres=np.hstack([np.zeros((POINTS, n)), centres]))

    def minima(which, weight):
        constrained = replace(layout, weights=(*layout.weights[:n], weight, 0.0))
        start, end = np.zeros((n + 2, POINTS)), np.full((n + 2, POINTS), 5.0)
        return engines.engine(which).minimise(constrained, inputs, start, -end, end)

    for weight in (0.0, 1e-20, 10.0, 1e6):
        found, expected = minima(engine, weight), minima("numpy", weight)
        np.testing.assert_array_equal(found.converged, expected.converged)
        np.testing.assert_allclose(found.value, expected.value, rtol=1e-9)
        np.testing.assert_allclose(found.x, expected.x, atol=1e-4)
    np.testing.assert_allclose(found.x[n], centres[:, 0], atol=1e-3)
    assert found.value.min() > minima(engine, 0.0).value.max() - 1e-9  # which is the same for all points


def test_one_number_of_counts_has_the_closed_form_of_the_seed(engine):
    closed = CountingLikelihood(110.0, 50.0, 100.0, 0.1, 0.2)
    signal, background = pull("signal", 0.1), ("background", np.array([50.0]), pull("rate", 0.2))
    term = gaussian_term("one", np.array([110.0]), np.array([10.0]), np.ones((1, 1)), signal, [background])
    s = np.linspace(0.0, 500.0, 200)
    found = JointLikelihood((term,), {}, engine_name=engine).profiled(s[:, np.newaxis])
    np.testing.assert_allclose(found.chi2, closed.profiled(s), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.pulls.T, closed.best_pulls(s), rtol=1e-7, atol=1e-9)


def test_a_point_whose_strengths_are_no_number_does_not_converge(engine):
    q = strengths(1)
    q[3] = np.nan
    for name in ("poisson", "gaussian"):
        found = JointLikelihood(TERMS[name](1), {}, engine_name=engine).profiled(q)
        assert np.flatnonzero(~found.converged).tolist() == [3]


def test_negative_counts_are_refused_by_all(engine):
    """Infinite χ² is an answer of the likelihood, see `Fitted.known`."""
    likelihood = JointLikelihood(TERMS["poisson"](1), {}, engine_name=engine)
    found = likelihood.profiled(np.zeros((2, STRENGTHS)), {"rate": -2.0})
    assert np.isposinf(found.chi2).all()
    assert found.converged.all()


def test_logarithm_and_exponential_of_the_loops_are_right_to_rounding():
    pytest.importorskip("numba")
    from nurecoil.likelihood.fused.arithmetic import exp, ln

    x = np.concatenate([np.geomspace(1e-300, 1e300, 2001), np.linspace(0.5, 2.0, 2001)])
    logarithms = np.array([ln(value) for value in x])
    np.testing.assert_allclose(logarithms, np.log(x), rtol=3e-16, atol=3e-16)
    y = np.linspace(-200, 200, 2001)
    np.testing.assert_allclose([exp(value) for value in y], np.exp(y), rtol=5e-16)


def test_loops_are_compiled_again_when_any_of_their_sources_changes(monkeypatch):
    """Numba's cache alone would look at the file of the outermost loop, and run the old ones."""
    pytest.importorskip("numba")
    from nurecoil.likelihood.fused import compiling, parabola, points

    sources, read = compiling.compiled_sources(), Path.read_bytes
    for outermost in (points._minimise_points, parabola._minimise_points):
        assert [cell.cell_contents for cell in outermost.py_func.__closure__] == [sources]
    for name in ("counts.py", "derivatives.py", "steps.py", "parabola.py", "newton.py", "morphing.py"):
        monkeypatch.setattr(Path, "read_bytes", lambda self, n=name: read(self) + b"#" * (self.name == n))
        assert compiling.compiled_sources() != sources


@pytest.mark.parametrize("expanded", [expansion, scaling])
@pytest.mark.parametrize("seed", range(3))
def test_derivatives_of_the_loops_are_those_of_numpy(seed, expanded):
    """Where a Hessian is wrong the minimum is still found, slowly: so it is compared by itself."""
    pytest.importorskip("numba")
    import numba

    from nurecoil.likelihood.fused import chi2, packing

    evaluate, prepare = chi2.evaluate, chi2.prepare

    @numba.njit
    def evaluated(flat, points, work, x, gradient, hessian):
        prepare(flat, points, 0, work.rows)
        return evaluate(flat, points, 0, work, x, gradient, hessian)

    likelihood = JointLikelihood(TERMS["poisson and gaussian that share a pull"](seed), {})
    free, point = likelihood._free(()), slice(0, 1)
    layout, base = likelihood._layout(free, 2, ()), likelihood.centre[np.newaxis]
    inputs = likelihood._inputs(point, np.empty((1, 0)), expanded(seed), base, free, ())
    x = np.random.default_rng(seed).uniform(-0.9, 0.9, (layout.variables, 1)) * 0.5
    value, gradient, hessian = evaluate_joint(layout, inputs, x)
    flat, points = layout.once(packing.pack), packing.points_of(inputs, None, None, 2)
    assert points.scaled == (expanded is scaling)
    work, g, h = packing.work_of(flat), np.empty(len(x)), np.zeros((len(x), len(x)))
    for _ in range(2):  # what is left of one point changes nothing of the next
        found = evaluated(flat, points, work, x[:, 0], g, h)
    assert found == pytest.approx(value[0], rel=1e-12)
    np.testing.assert_allclose(g, gradient[:, 0], rtol=1e-11, atol=1e-10)
    np.testing.assert_allclose(h[np.tril_indices(len(x))], hessian[:, 0], rtol=1e-11, atol=1e-10)


# --- the engine that answers soonest ------------------------------------------------------------------


@pytest.fixture
def auto(monkeypatch):
    """An automatic engine, and what it asks of the loops: whether they may be compiled."""
    pytest.importorskip("numba")
    from nurecoil.likelihood import fused

    asked, ready = [], []

    def minimise(layout, inputs, start, low, high, may_compile):
        asked.append(may_compile)
        if not (may_compile or ready):
            raise fused.NotCompiled
        return minimised(layout, inputs, start, low, high)

    minimised = engines.NumpyEngine().minimise
    monkeypatch.setattr(fused, "minimise", minimise)
    made = engines.AutoEngine()
    monkeypatch.setattr(engines, "_automatic", lambda: made)
    return made, asked, ready


def profiled(seed=1, name="poisson", engine="auto"):
    return JointLikelihood(TERMS[name](seed), {}, engine_name=engine).profiled(strengths(seed))


def test_little_work_is_numpys(auto):
    made, asked, _ = auto
    assert_same(profiled(), profiled(engine="numpy"))
    assert not asked
    assert 0 < made.spent < engines._LOADING


@pytest.mark.parametrize("name", ["poisson", "gaussian"])
def test_loops_are_loaded_when_the_work_pays_for_it_and_compiled_when_it_pays_for_that(auto, name):
    made, asked, _ = auto
    made.spent = engines._LOADING
    profiled(name=name)
    assert asked == [False]  # they are not kept on disk: no more is asked until there is enough work
    profiled(name=name)
    assert asked == [False]
    made.spent = engines._COMPILING
    assert_same(profiled(name=name), profiled(name=name, engine="numpy"))
    assert set(asked[1:]) == {True}
    number = len(asked)
    profiled(name="gaussian" if name == "poisson" else "poisson")
    assert set(asked[number:]) == {True}


def test_loops_that_are_kept_on_disk_serve_from_then_on(auto):
    made, asked, ready = auto
    ready.append(True)
    made.spent = engines._LOADING
    profiled()
    profiled(2)
    assert asked
    assert not any(asked)


@pytest.mark.parametrize("parameters", [0, 2])
def test_work_is_counted_in_derivatives(auto, parameters):
    """A call of 2 ms, and 0.1 µs for each bin and variable of each point; four times that with parameters."""
    made, *_ = auto
    likelihood = JointLikelihood(TERMS["poisson"](1), {})
    free = likelihood._free(())
    layout = likelihood._layout(free, parameters, ())
    moving = expansion(1) if parameters else None
    for points in (1, POINTS):
        part, base = slice(0, points), np.tile(likelihood.centre, (points, 1))
        inputs = likelihood._inputs(part, strengths(1), moving, base, free, ())
        edge, before = np.full((3 + parameters, points), 0.2), made.spent
        made.minimise(layout, inputs, 0 * edge, -edge, edge)
        numbers = BINS * (3 + parameters) * points * (4 if parameters else 1)
        assert made.spent - before == pytest.approx(2e-3 + 1e-7 * numbers)


@pytest.mark.parametrize("error", [ImportError("Numba needs another NumPy"), RuntimeError("no locator")])
def test_numba_that_does_not_work_leaves_numpy(auto, monkeypatch, error):
    made, asked, _ = auto
    made.spent = 2 * engines._COMPILING

    def broken(name):
        raise error

    monkeypatch.setattr(engines, "import_module", broken)
    monkeypatch.setattr(engines, "_loops", engines._loops.__wrapped__)
    assert profiled().converged.all()
    assert not asked
    assert engines.settled("auto", 1e12) == "numpy"


def test_what_processes_share_has_one_engine_that_hangs_on_the_work_alone(auto):
    made, *_ = auto
    made.spent = 2 * engines._COMPILING
    likelihood = JointLikelihood(TERMS["poisson"](1), {}, engine_name="auto")
    assert [likelihood.settled(points).engine_name for points in (1, 1e4, 1e8)] == ["numpy", "numpy", "fast"]
    for name in ("numpy", "fast"):
        assert replace(likelihood, engine_name=name).settled(1e8).engine_name == name


def test_without_numba_the_engine_is_numpys(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert engines._automatic.__wrapped__() == engines.NumpyEngine()
    with pytest.raises(NurecoilError, match="numba, which is not installed"):
        engines.engine("fast")


def test_the_automatic_engine_is_one_for_all_questions_of_a_process():
    assert engines.engine("auto") is engines.engine("auto")


def test_loops_have_one_type_whatever_the_layout_and_the_arrays():
    pytest.importorskip("numba")
    from nurecoil.likelihood.fused import parabola, points

    loops = (points._minimise_points, parabola._minimise_points)
    before = [set(loop.signatures) for loop in loops]
    ask = (
        np.asfortranarray(strengths(1)),
        strengths(1)[::2],
        np.broadcast_to(strengths(1)[:1], (5, STRENGTHS)),
    )
    for name in TERMS:
        for q in ask:
            q.flags.writeable = False
            fast = JointLikelihood(TERMS[name](1), {}, engine_name="fast")
            assert fast.profiled(q).converged.all()
            start = np.zeros((len(q), 2))
            fast.with_data(simulated(fast, 1).at(slice(0, len(q)))).fitted(
                expansion(1), start, np.full(2, -0.1), np.full(2, 0.1)
            )
    assert all(len(before | set(loop.signatures)) == 1 for before, loop in zip(before, loops, strict=True))


# --- what is compiled is said, and compiled once --------------------------------------------------------


def shared(folder, allowed, points=3):
    """Use a loop that is kept in a folder; return what was heard."""
    import numba

    from nurecoil.likelihood.fused import compiling

    numba.config.CACHE_DIR, heard, seen = str(folder), [], np.zeros(points)

    @numba.njit(cache=True, nogil=True)
    def loop(first, last, seen):
        for p in range(first, last):
            seen[p] += 1.0

    with heard_by(heard.append, lambda report: nullcontext()):
        for _ in range(2):
            compiling.share(loop, lambda first, last: loop(first, last, seen), points, 1, allowed)
    assert (seen == 2).all()
    return heard


def test_what_is_compiled_is_said_once_and_kept(tmp_path, monkeypatch):
    numba = pytest.importorskip("numba")
    from nurecoil.likelihood import fused

    monkeypatch.setattr(numba.config, "CACHE_DIR", numba.config.CACHE_DIR)
    with pytest.raises(fused.NotCompiled):
        shared(tmp_path, allowed=False)
    assert shared(tmp_path, allowed=True) == ["compiling the fast engine, once: some 10 s"]
    assert shared(tmp_path, allowed=False) == []  # it is on disk
    assert shared(tmp_path, allowed=False, points=1000) == []


def test_processes_that_begin_together_compile_once(tmp_path):
    pytest.importorskip("numba")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        heard = list(pool.map(shared, [tmp_path] * 2, [True] * 2))
    assert sorted(map(len, heard)) == [0, 1]
