"""Batched fits with several starts, for questions that fit often: without an experiment, to each toy, ..."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.analysis.question import Question
from nurecoil.errors import unknown_name
from nurecoil.likelihood import Data, Fitted
from nurecoil.parameters import Parameter

Array = NDArray[np.float64]

_FAR = 1e3  # times the start (or 1): where the search ends for a parameter without a bound
_FAR_IN_LOGARITHM = 1e6
_NARROW = 1e-5  # of a prior's width: holds a nuisance parameter, and χ² to 1e-9


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
    """Return the lowest of the fits from several starts (S, d), for each set of data of the question."""
    low, high = _box(question.free, starts)
    if question.likelihood.observed.sets == 1:
        found = question.fitted(starts, low, high)
        best = slice(int(found.chi2.argmin()), int(found.chi2.argmin()) + 1)
        return Fitted(found.chi2[best], found.points[best], found.pulls[best], found.converged[best])
    found = question.fitted(starts[:1], low, high)
    for start in starts[1:]:
        found = _lower(found, question.fitted(start[np.newaxis], low, high))
    return found


def held_at(question: Question, held: Mapping[str, ArrayLike]) -> Question:
    """Return a question with some parameters held, no longer free.

    Parameters
    ----------
    held : mapping
        A number for a parameter of the model; for a nuisance parameter a number, or one for each of D sets
        of data. It is held without its prior.
    """
    rest = tuple(p for p in question.free if p.name not in held)
    of_model = {question.names[i] for i in question.of_model}
    likelihood, centres, widths = question.likelihood, question.likelihood.observed.centres, {}
    for number, pull in enumerate(likelihood.pulls):
        if pull.name in held:
            value = np.asarray(held[pull.name], dtype=float)
            centres = np.array(np.broadcast_to(centres, (*value.shape, len(likelihood.pulls))))
            centres[..., number] = value
            widths[pull.name] = _NARROW * (pull.prior_width or 1.0)
    if widths:
        data = Data(likelihood.observed.counts, centres)
        likelihood = replace(likelihood, widths={**likelihood.widths, **widths}, data=data)
    return replace(
        question,
        likelihood=likelihood,
        free=rest,
        values={**question.values, **{name: held[name] for name in of_model if name in held}},
        start={p.name: question.start[p.name] for p in rest},
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


def _lower(first: Fitted, second: Fitted) -> Fitted:
    """Return, for each set of data, the lower of two fits."""
    better = second.chi2 < first.chi2
    return Fitted(
        chi2=np.where(better, second.chi2, first.chi2),
        points=np.where(better[:, np.newaxis], second.points, first.points),
        pulls=np.where(better[:, np.newaxis], second.pulls, first.pulls),
        converged=np.where(better, second.converged, first.converged),
    )
