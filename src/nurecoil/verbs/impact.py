"""`impact`: what each systematic does to a fitted parameter."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from nurecoil.arithmetic import Array, pair, undisturbed
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.likelihood import Fitted
from nurecoil.parameters import Parameter
from nurecoil.presentation.document import Bars, Block, Figure, Pairs, RowChart, Table
from nurecoil.presentation.labels import axis_label, symbol, symbols
from nurecoil.progress import stepwise
from nurecoil.quantities import printed
from nurecoil.study.minima import fitted_from, held_at, spread
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.study import Study
from nurecoil.verbs.fit import Fit, fit_of
from nurecoil.verbs.options import Free, Starts, Told, Verb

HELP = """Rank nuisance parameters by their impact on a fitted parameter: how far each is pulled from its
prior, how well the data constrain it, and how far the parameter moves when it is off by one standard
deviation, all else fitted.

\b
Examples:
  nurecoil impact --model scaled-standard-model --experiment coherent-lar-2020 \\
    --set electroweak=radiative --free signal_strength=1 --plot pulls.png
  nurecoil impact --model standard-model --experiment coherent-csi-2021 \\
    --free sin2_theta_w=0.24 --fix sns_flux"""
_MOST_BARS = 30  # rows of the figure
_HALVES: tuple[Literal["upper"], Literal["lower"]] = ("upper", "lower")
_MOST_ROUNDS = 12
_EXACT = 1e-3  # of Δχ² = 1, where a nuisance parameter is off by its fitted error


@dataclass(frozen=True)
class Impact:
    """One nuisance parameter. Pairs are of it moved down and moved up; NaN where no fit converged.

    Attributes
    ----------
    pull, value
        The nuisance parameter, and its best fit in its own unit.
    pulled, error
        How far that is from the centre of its prior, in units of the prior's width; and how far below and
        above it χ², all else fitted, is higher by 1, in the same units.
    pre_fit, post_fit
        The change of the parameter of interest when this one is off its best fit by its prior's width, and
        by `error`, all else fitted (inside units).
    """

    pull: Parameter
    value: float
    pulled: float
    error: tuple[float, float]
    pre_fit: tuple[float, float]
    post_fit: tuple[float, float]

    @property
    def size(self) -> float:
        """The larger change of the parameter of interest, after the fit."""
        known = [abs(change) for change in self.post_fit if math.isfinite(change)]
        return max(known, default=0.0)

    def record(self, unit: float) -> dict[str, object]:
        """Return it as plain data; `unit` is that of the parameter of interest."""
        return {
            "value": self.value,
            "unit": self.pull.unit,
            "pull": self.pulled,
            "below": self.error[0],
            "above": self.error[1],
            "pre_fit": [change / unit for change in self.pre_fit],
            "post_fit": [change / unit for change in self.post_fit],
        }

    def row(self, unit: float) -> tuple[str, ...]:
        """Return it as texts; those of a pair are for the nuisance parameter moved down and up."""
        error = " ".join(f"{sign}{error:.2f}" for sign, error in zip("-+", self.error, strict=True))
        post, pre = (
            " ".join(f"{change / unit:+.2g}" for change in changes)
            for changes in (self.post_fit, self.pre_fit)
        )
        return self.pull.name, f"{self.pulled:+.2f}", error, post, pre


@dataclass(frozen=True, repr=False)
class Impacts(Shown):
    """How each nuisance parameter moves the parameter of interest, the largest impact first.

    Attributes
    ----------
    parameter, fit
        The parameter of interest, and the fit.
    rows
        One for each nuisance parameter with a prior.
    """

    parameter: Parameter
    fit: Fit
    rows: tuple[Impact, ...]

    def record(self, result: Result["Impacts"]) -> dict[str, object]:
        parameter, unit = self.parameter, self.parameter.inside
        return {
            "parameter": parameter.name,
            "unit": parameter.unit,
            "best_fit": {parameter.name: self.fit.record(parameter)},
            "chi2": self.fit.minimum,
            "pulls": {row.pull.name: row.record(unit) for row in self.rows},
        }

    def blocks(self, result: Result["Impacts"]) -> Iterator[Block]:
        parameter = self.parameter
        best, chi2 = (parameter.name, self.fit.text(parameter)), ("χ²", f"{self.fit.minimum:.2f}")
        yield Pairs(result.title("Impact of systematics"), (best, chi2, result.convergence()))
        unit = f" [{printed(parameter.unit)}]" if parameter.unit else ""
        yield Table(
            f"Pull and error in prior widths, and the impact on {parameter.name}",
            ("nuisance parameter", "pull", "error", f"impact{unit}", f"pre-fit impact{unit}"),
            tuple(row.row(parameter.inside) for row in self.rows),
            right=(1, 2, 3, 4),
        )

    def figure(self, result: Result["Impacts"]) -> Figure:
        parameter, shown = self.parameter, self.rows[:_MOST_BARS]
        names = tuple(symbols([row.pull for row in shown]))
        after, before = [row.post_fit for row in shown], [row.pre_fit for row in shown]
        impacts = RowChart(
            x_label=f"change of {axis_label(parameter)}",
            rows=names,
            bars=(
                self._bars(before, 0, r"prior, $-1\sigma$", "sky", False),
                self._bars(before, 1, r"prior, $+1\sigma$", "orange", False),
                self._bars(after, 0, r"fitted, $-1\sigma$", "blue", True),
                self._bars(after, 1, r"fitted, $+1\sigma$", "vermillion", True),
            ),
            lines=(0.0,),
        )
        pulled = np.array([row.pulled for row in shown])
        below, above = np.nan_to_num([row.error for row in shown]).T  # an unknown error has no bar
        low, high = pulled - below, pulled + above
        furthest = max(1.3, 1.1 * float(np.abs([low, high]).max()))
        pulls = RowChart(
            x_label=r"(fit − prior) / prior $\sigma$",
            rows=names,
            bars=(Bars(np.arange(len(shown)), low, high, "fitted, in prior widths", pulled, colour="black"),),
            lines=(-1.0, 0.0, 1.0),
            x_range=(-furthest, furthest),
        )
        return Figure(
            "impact",
            f"Impact of systematics on {symbol(parameter)}",
            "Outlined: one nuisance parameter off by its prior width; filled: by its fitted error."
            + (f" The first {_MOST_BARS} of {len(self.rows)}." if len(self.rows) > _MOST_BARS else ""),
            (impacts, pulls),
            columns=2,
            subtitle=result.facts,
        )

    def _bars(
        self, pairs: list[tuple[float, float]], side: int, label: str, colour: str, filled: bool
    ) -> Bars:
        """Return the bars of one side, where they are known."""
        ends = np.array([pair[side] for pair in pairs]) / self.parameter.inside
        (known,) = np.isfinite(ends).nonzero()
        zero = np.zeros(known.size)
        return Bars(known, zero, ends[known], label, colour=colour, filled=filled, half=_HALVES[side])


@undisturbed
def impact(
    study: Study,
    free: Free,
    *,
    of: Annotated[str | None, Told("The parameter of interest.", "NAME", shown="the first free one")] = None,
    starts: Starts = 5,
) -> Result[Impacts]:
    r"""Return how far each nuisance parameter is pulled, and what it does to the parameter of interest.

    .. math:: \Delta\theta_k^\pm = \hat\theta(x_k = \hat x_k \pm \sigma_k) - \hat\theta

    with everything but x_k fitted anew; σ_k is the width of its prior (before the fit), or where χ² is higher
    by 1 (after it). As the LHC experiments rank their systematics.

    Parameters
    ----------
    free : mapping
        Parameters to fit and where to start, ``{"m_zprime": "1 TeV"}``.
    of
        The parameter of interest, one of `free`; its first by default.
    starts
        Starts in all; the others are spread around the first.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("scaled-standard-model", "binh2021-csi")
    >>> first, _ = study.impact({"signal_strength": 1.0}).values.rows
    >>> first.pull.name, [round(change, 3) for change in first.post_fit]
    ('binh2021-csi_signal', [0.266, -0.15])
    """
    question = study.question(study.free(free))
    more = spread(question, starts)
    interest = next(iter(question.names), "") if of is None else of
    if question.free and interest not in question.names:
        raise unknown_name("free parameter", interest, question.names)
    found = fit_of(question, more)
    if interest in found.values.fit.flat:
        raise NurecoilError(f"no systematic can move {interest}: χ² is flat in it, there is no best fit")
    number = question.names.index(interest)
    values = found.values.fit.values
    best = fitted_from(question, np.array([[values[name] for name in question.names]]))
    pulls = _constrained(question)
    if not pulls:
        raise NurecoilError("there is no systematic to study: no nuisance parameter has a prior")
    rows = [_impact(question, best, number, pull) for pull in stepwise(pulls)]
    unsettled = [row.pull.name for row in rows if not np.isfinite([*row.error, *row.pre_fit]).all()]
    notes = [] if found.converged else [f"the fit did not converge: {found.values.fit.message}."]
    notes += [f"no error or impact could be found of {', '.join(unsettled)}."] if unsettled else []
    answer = Impacts(
        parameter=question.free[number],
        fit=found.values.fit,
        rows=tuple(sorted(rows, key=lambda row: -row.size)),
    )
    return question.result(
        "impact",
        answer,
        converged=found.converged and bool(best.converged[0]) and not unsettled,
        notes=notes,
        settings={"start": dict(question.start), "starts": more, "parameter": interest},
    )


def _constrained(question: Question) -> list[int]:
    """Return the numbers of the nuisance parameters that are fitted with a prior."""
    widths = {name: w for name, w in question.prior_widths.items() if name not in question.constrained}
    return [n for n, p in enumerate(question.likelihood.pulls) if 0 < widths.get(p.name, 0.0) < math.inf]


def _impact(question: Question, best: Fitted, interest: int, number: int) -> Impact:
    """Return the impact of one nuisance parameter."""
    pull, width = question.likelihood.pulls[number], float(question.likelihood.width[number])
    centre, value = float(question.likelihood.observed.centres[number]), float(best.pulls[0, number])

    def moved(distance: Array) -> tuple[Array, Array]:
        """Return the rise of χ² and the change of interest so far below and above, all else fitted."""
        values = value + np.array([-1.0, 1.0]) * distance
        found = fitted_from(held_at(question, {pull.name: values}), best.points)
        rise = found.chi2 + ((values - centre) / width) ** 2 - best.chi2[0]
        change = found.points[:, interest] - best.points[0, interest]
        return rise, np.where(found.converged, change, np.nan)

    distance = np.full(2, width)
    rise, change = moved(distance)
    before = change
    for _ in range(_MOST_ROUNDS):
        if not (np.abs(rise - 1.0) > _EXACT).any():
            break
        distance = distance / np.sqrt(np.clip(rise, 0.05, 20.0))
        rise, change = moved(distance)
    settled = np.abs(rise - 1.0) <= _EXACT
    return Impact(
        pull=pull,
        value=value,
        pulled=(value - centre) / width,
        error=pair(np.where(settled, distance / width, np.nan)),
        pre_fit=pair(before),
        post_fit=pair(np.where(settled, change, np.nan)),
    )


COMMAND = Verb(impact, HELP, plots=True)
