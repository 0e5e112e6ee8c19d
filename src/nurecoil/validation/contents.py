"""The validation page: for each experiment its table, its figure, and what moves the numbers."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from nurecoil._version import __version__
from nurecoil.presentation import comparison
from nurecoil.presentation.comparison import Row, signed
from nurecoil.presentation.document import Document, Section, Table
from nurecoil.validation.fits import SignalFit, SignalFits
from nurecoil.validation.pictures import figure
from nurecoil.validation.published import WORDS

PROFILED_ERRORS = 3  # from the best fit, that the table of the profile spans


def document(found: Sequence[tuple[SignalFits, tuple[Row, ...], Mapping[str, SignalFit]]]) -> Document:
    """Return the whole page."""
    return Document(
        title=WORDS["title"],
        subtitle=f"nurecoil {__version__}, written by `nurecoil validate --output DIR`",
        lead=WORDS["lead"],
        sections=tuple(_section(*of_one) for of_one in found),
    )


def table(title: str, rows: Sequence[Row]) -> Table:
    """Return the rows of one experiment as a table."""
    return comparison.table(title, rows, ("quantity", "published", "ours", "difference", "pull", "why"))


def _section(fits: SignalFits, rows: tuple[Row, ...], changed: Mapping[str, SignalFit]) -> Section:
    experiment = fits.experiment
    sources: dict[str, list[str]] = {}
    for row in rows:
        if row.where:
            sources.setdefault(row.where, []).append(f"`{row.quantity}`")
    listed = "; ".join(f"{', '.join(names)}: {source}" for source, names in sources.items())
    return Section(
        experiment.name,
        (
            f"{experiment.title}. {experiment.reference}.",
            table("Published and ours", rows),
            *([f"Sources of the published numbers: {listed}."] if listed else []),
            figure(fits),
            _profile_table(fits.main),
            _changes_table(changed),
        ),
    )


def _profile_table(fit: SignalFit) -> Table:
    low, high = (fit.events + sign * PROFILED_ERRORS * fit.profile.error for sign in (-1, 1))
    high = min(high, fit.profile.events[-1])
    events = [0, *range(max(20, 20 * math.ceil(low / 20)), math.floor(high) + 1, 20)]
    shown = np.interp(events, fit.profile.events, fit.profile.delta_chi2)
    return Table(
        title="−2Δ ln L of N signal events",
        columns=("N", *(str(n) for n in events)),
        rows=(("−2Δ ln L", *(f"{chi2:.2f}" for chi2 in shown)),),
        right=tuple(range(1, len(events) + 1)),
    )


def _changes_table(changed: Mapping[str, SignalFit]) -> Table:
    base, *_ = changed.values()

    def cells(fit: SignalFit) -> tuple[str, ...]:
        shift = signed(100 * (fit.standard_model / base.standard_model - 1), "+.1f")
        return (
            f"{fit.standard_model:.1f}",
            "" if fit is base else f"{shift} %",
            f"{fit.events:.1f}",
            f"{fit.chi2:.1f}",
            f"{fit.significance:.2f}σ",
        )

    return Table(
        title="One input changed at a time",
        caption=WORDS["changes"],
        columns=("input", "Standard Model", "shift", "best fit", "χ²", "no signal excluded by"),
        rows=tuple((label, *cells(fit)) for label, fit in changed.items()),
        right=(1, 2, 3, 4, 5),
    )
