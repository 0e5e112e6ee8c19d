"""The least time that a machine could need: its speed, and the arithmetic of a profiled point, counted."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from nurecoil.likelihood import JointLikelihood
from nurecoil.likelihood.problem import JointProblem, Layout

DGEMM = 1000
NEAR, FAR = 32_000, 8_000_000  # doubles: in a core's own cache, and far outside of any
BLOCK = 4096  # of exponentials


@dataclass(frozen=True)
class Machine:
    """What was measured, by number of threads (1 and 2).

    Attributes
    ----------
    flops
        Operations per second of a matrix product of 1000 x 1000 doubles.
    near, far
        Bytes per second of a copy, read and written, in cache and out of it.
    exp, log
        Calls per second, of NumPy.
    """

    flops: dict[int, float]
    near: dict[int, float]
    far: dict[int, float]
    exp: dict[int, float]
    log: dict[int, float]


@dataclass(frozen=True)
class Work:
    """What one point needs at least: operations, exponentials and logarithms, and bytes in and out."""

    flops: float
    calls: float
    bytes: float

    def floor(self, machine: Machine, threads: int) -> float:
        """Return max(operations/peak + calls/rate, bytes/bandwidth) in seconds."""
        calls = self.calls / min(machine.exp[threads], machine.log[threads])
        return max(self.flops / machine.flops[threads] + calls, self.bytes / machine.far[threads])


def best(function: Callable[[], object], seconds: float = 0.3, least: int = 3) -> float:
    """Return the shortest of several times: the others were disturbed."""
    function()
    times: list[float] = []
    while len(times) < least or sum(times) < seconds:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(seconds: float) -> Machine:
    """Measure the machine."""
    random = np.random.default_rng(0)
    a, b, c = (random.random((DGEMM, DGEMM)) for _ in range(3))
    flops = {}
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            flops[threads] = 2 * DGEMM**3 / best(lambda: np.matmul(a, b, out=c), seconds)
    return Machine(
        flops,
        _rates(lambda x, out: np.copyto(out, x), NEAR, 16 * NEAR, seconds),
        _rates(lambda x, out: np.copyto(out, x), FAR, 16 * FAR, seconds),
        _rates(lambda x, out: np.exp(x, out=out), BLOCK, BLOCK, seconds),
        _rates(lambda x, out: np.log(x, out=out), BLOCK, BLOCK, seconds),
    )


def _rates(
    step: Callable[[np.ndarray, np.ndarray], object], size: int, worth: float, seconds: float
) -> dict[int, float]:
    """Return `worth` per second of a step on `size` doubles, in one thread and in two at once."""
    pairs = [(np.linspace(0.1, 10.0, size), np.empty(size)) for _ in range(2)]
    repeats = max(1, 3_000_000 // size)

    def work(pair: tuple[np.ndarray, np.ndarray]) -> None:
        for _ in range(repeats):
            step(*pair)

    one = best(lambda: work(pairs[0]), seconds)
    with ThreadPoolExecutor(2) as pool:
        two = best(lambda: list(pool.map(work, pairs)), seconds)
    return {1: repeats * worth / one, 2: 2 * repeats * worth / two}


def evaluations(likelihood: JointLikelihood, strengths: np.ndarray) -> float:
    """Return how often χ² is evaluated per point on average, counted in the NumPy engine."""
    counted, evaluate = 0, JointProblem.evaluate

    def counting(self: JointProblem, x: np.ndarray) -> object:
        nonlocal counted
        counted += x.shape[1]
        return evaluate(self, x)

    JointProblem.evaluate = counting  # type: ignore[method-assign,assignment]
    try:
        JointLikelihood(likelihood.terms, likelihood.widths).profiled(strengths)
    finally:
        JointProblem.evaluate = evaluate  # type: ignore[method-assign]
    return counted / len(strengths)


def count(layout: Layout, passes: float, bins: int | None = None) -> Work:
    """Return the work of one profiled point of one experiment.

    b numbers per point of the counts (of a Gaussian term as many as its templates and backgrounds span,
    unless `bins` says otherwise), J pulls in C columns ∂μ of which K are shapes of the signal, S strengths
    that have templates. An addition and a multiplication are an operation each, and so is a division.

    Once: the signal and its shapes, 2 S b (1 + 2K); Poisson: ln(up/s) and ln(down/s), 2K b logarithms and
    6K b operations.
    Each pass, Poisson: exponent and its slopes 7K b and b exponentials if K > 0; μ 2b per component; φ, φ',
    φ'' 9b with b logarithms; columns 2 C b; gradient 2 C b; Hessian C b + C(C + 1) b; solution
    J³/3 + 2 J².
    Gaussian, one pass without iteration: μ - n 2b; gradient 2 J b; what of the Hessian depends on the signal
    2 J b; μ at the solution 2 J b; χ² 2b; solution J³/3 + 2 J².
    Bytes: 12 strengths, χ², J pulls and a flag, once.
    """
    (term,) = layout.terms
    free, shapes, bins = layout.free, len(term.signal.shapes), bins or term.bins
    strengths = int((term.signal.templates[0] != 0).any(axis=1).sum())
    columns = sum(place >= 0 for place in layout.places[0])
    solution = free**3 / 3 + 2 * free**2
    once = 2 * strengths * bins * (1 + 2 * shapes)
    moved = 8 * (12 + 1 + free) + 1
    if term.gaussian:
        return Work(once + bins * (4 + 6 * free) + solution, 0, moved)
    components = 1 + len(term.backgrounds)
    each = 7 * shapes + 2 * components + 9 + 4 * columns + columns + columns * (columns + 1)
    flops = once + 6 * shapes * bins + passes * (bins * each + solution)
    return Work(flops, bins * (2 * shapes + passes * (1 + (shapes > 0))), moved)
