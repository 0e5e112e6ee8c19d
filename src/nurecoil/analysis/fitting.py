"""Batched fits with several starts, for questions that fit often: without an experiment, to each toy, ..."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.analysis.question import Question
from nurecoil.errors import unknown_name
from nurecoil.likelihood import Fitted
from nurecoil.likelihood import lowest as lowest_of
from nurecoil.parameters import Parameter

Array = NDArray[np.float64]

_FAR = 1e3  # times the start (or 1): where the search ends for a parameter without a bound
_FAR_IN_LOGARITHM = 1e6


def starting_points(question: Question, starts: Sequence[Mapping[str, float]] = ()) -> Array:
    """Return the start of a question and more, shape (S, d), checked; one not named keeps its value."""
    for start in starts:
        for name in start:
            if name not in question.names:
                raise unknown_name("free parameter", name, question.names)
    rows = [[{**question.start, **more}[name] for name in question.names] for more in ({}, *starts)]
    for parameter, column in zip(question.free, zip(*rows, strict=True), strict=True):
        parameter.check(column)
    return np.array(rows, dtype=float).reshape(len(rows), len(question.names))


def lowest(question: Question, starts: Array) -> Fitted:
    """Return the lowest of the fits from several starts (S, d), for each set of data or pinned value."""
    low, high = _box(question.free, starts)
    return lowest_of([question.fitted(start[np.newaxis], low, high) for start in starts])


def held_at(question: Question, held: Mapping[str, ArrayLike]) -> Question:
    """Return a question with some parameters held, no longer free.

    Parameters
    ----------
    held : mapping
        A number for a parameter of the model; for a nuisance parameter a number, or one for each fit. It is
        held without its prior.
    """
    rest = tuple(p for p in question.free if p.name not in held)
    own = {p.name for p in question.model.parameters}
    return replace(
        question,
        free=rest,
        values={**question.values, **{name: value for name, value in held.items() if name in own}},
        start={p.name: question.start[p.name] for p in rest},
        pinned={**question.pinned, **{name: value for name, value in held.items() if name not in own}},
    )


def _box(parameters: Sequence[Parameter], starts: Array) -> tuple[Array, Array]:
    """Return a finite box around the starts, as far as the bounds of the parameters allow."""
    low, high = [], []
    for parameter, column in zip(parameters, starts.T, strict=True):
        far = _FAR * max(1.0, float(np.abs(column).max()))
        if parameter.log_scan and parameter.low > 0:
            far = _FAR_IN_LOGARITHM * float(column.max())
        low.append(parameter.low if math.isfinite(parameter.low) else -far)
        high.append(parameter.high if math.isfinite(parameter.high) else far)
    return np.array(low), np.array(high)
