"""The validation page: for each experiment its table, its figure, and what moves the numbers."""

import math
from collections.abc import Mapping, Sequence

from nurecoil._version import __version__
from nurecoil.presentation.document import Align, Document, Section, Table
from nurecoil.validation.compute import Result
from nurecoil.validation.fits import SignalFit
from nurecoil.validation.pictures import figure
from nurecoil.validation.published import load_toml
from nurecoil.validation.rows import Row, signed

PROFILED_ERRORS = 3  # from the best fit, that the table of the profile spans


def document(results: Sequence[tuple[Result, tuple[Row, ...], Mapping[str, SignalFit]]]) -> Document:
    """Return the whole page."""
    words = load_toml("page.toml")
    return Document(
        title=words["title"],
        subtitle=f"nurecoil {__version__}, written by `nurecoil validate --output DIR`",
        lead=words["lead"],
        sections=tuple(_section(*result) for result in results),
    )


def table(title: str, rows: Sequence[Row]) -> Table:
    """Return the rows of one experiment as a table."""
    return Table(
        title=title,
        columns=("quantity", "published", "ours", "difference", "pull", "why"),
        rows=tuple(_cells(row) for row in rows),
        align=("left", "right", "right", "right", "right", "left"),
    )


def _section(result: Result, rows: tuple[Row, ...], changed: Mapping[str, SignalFit]) -> Section:
    experiment = result.experiment
    sources: dict[str, list[str]] = {}
    for row in rows:
        if row.source:
            sources.setdefault(row.source, []).append(f"`{row.quantity}`")
    listed = "; ".join(f"{', '.join(names)}: {source}" for source, names in sources.items())
    return Section(
        experiment.name,
        (
            f"{experiment.title}. {experiment.reference}.",
            table("Published and ours", rows),
            f"Sources of the published numbers: {listed}.",
            figure(result),
            _profile_table(result),
            _changes_table(changed),
        ),
    )


def _profile_table(result: Result) -> Table:
    profile, fit = result.main.profile, result.main
    low, high = (fit.events + sign * PROFILED_ERRORS * fit.error for sign in (-1, 1))
    events = [0, *range(max(20, 20 * math.ceil(low / 20)), math.floor(high) + 1, 20)]
    right: list[Align] = ["right"] * len(events)
    return Table(
        title="−2Δ ln L of N signal events",
        columns=("N", *(str(n) for n in events)),
        rows=(("−2Δ ln L", *(f"{profile.at(n):.2f}" for n in events)),),
        align=("left", *right),
    )


def _changes_table(changed: Mapping[str, SignalFit]) -> Table:
    base, *_ = changed.values()
    return Table(
        title="One input changed at a time",
        caption=load_toml("page.toml")["changes"],
        columns=("input", "Standard Model", "shift", "best fit", "χ²", "no signal excluded by"),
        rows=tuple(
            (
                label,
                f"{fit.standard_model:.1f}",
                ""
                if fit is base
                else f"{signed(100 * (fit.standard_model / base.standard_model - 1), '+.1f')} %",
                f"{fit.events:.1f}",
                f"{fit.chi2:.1f}",
                f"{fit.significance:.2f}σ",
            )
            for label, fit in changed.items()
        ),
        align=("left", "right", "right", "right", "right", "right"),
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.quantity,
        "" if row.published is None else _with_error(row.published, row.error),
        _with_error(row.ours, row.ours_error),
        "" if row.difference is None else signed(row.difference, "+.2g"),
        "" if row.pull is None else signed(row.pull),
        row.why,
    )


def _with_error(value: float, error: float | None) -> str:
    return f"{value:.4g}" if error is None else f"{value:.4g} ± {error:.2g}"
