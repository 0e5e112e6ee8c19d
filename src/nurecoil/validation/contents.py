"""The validation page: for each experiment its table, its figure, and what moves the numbers."""

import math
from collections.abc import Sequence

from nurecoil._version import __version__
from nurecoil.document import Align, Document, Section, Table
from nurecoil.validation.changes import Change
from nurecoil.validation.compute import Result
from nurecoil.validation.pictures import figure
from nurecoil.validation.rows import Row, signed

PROFILED_ERRORS = 3  # from the best fit, that the table of the profile spans
TITLE = "Validation with the COHERENT data releases"
LEAD = """Each release is fitted with its card in `src/nurecoil/experiments/`: binned Poisson likelihood, the
signal from first principles (Standard Model, s_W² = 0.23857, radiative corrections, Helm form factor), the
steady-state background from its own sample. The signal's strength is free and takes the place of the
signal's own normalisation uncertainties, the neutrino flux among them. The liquid-argon signal is fitted as
the collaboration did, with the template of the release and only the rates free; fits of the first-principles
signal stand beside it. Signal rates have log-normal priors; shapes that the release varies to one side only
are mirrored in the logarithm, which keeps no sum. The liquid-argon times are those of the release's
template, one distribution for all flavours, also where the signal is called first-principles: with times per flavour its
best fit falls from 158 to 136 events, which the collaboration's template does not allow for.

The last column says what was measured where ours and the published number differ: one input was changed at a
time and everything else kept. *Pull* is the difference in units of the published error; where that is not
symmetric, of the mean. Cross sections are in 10⁻⁴⁰ cm², radii in fm. `delta_chi2_no_signal` is the
square of the significance over background alone. Numbers without a published one are there for completeness.
The same rows for programs: `nurecoil validate --json`."""


def document(results: Sequence[tuple[Result, tuple[Row, ...], tuple[Change, ...]]]) -> Document:
    """Return the whole page."""
    return Document(
        title=TITLE,
        subtitle=f"nurecoil {__version__}, written by `nurecoil validate --output DIR`",
        lead=LEAD,
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


def _section(result: Result, rows: tuple[Row, ...], changed: tuple[Change, ...]) -> Section:
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


def _changes_table(changed: Sequence[Change]) -> Table:
    base, *_ = changed
    return Table(
        title="One input changed at a time",
        caption="The Standard Model's signal and its shift; the signal fitted from first principles with all"
        " pulls, and χ² there.",
        columns=("input", "Standard Model", "shift", "best fit", "χ²", "no signal excluded by"),
        rows=tuple(
            (
                change.label,
                f"{change.standard_model:.1f}",
                "" if change is base else _percent(change.standard_model / base.standard_model - 1),
                f"{change.events:.1f}",
                f"{change.chi2:.1f}",
                f"{change.significance:.2f}σ",
            )
            for change in changed
        ),
        align=("left", "right", "right", "right", "right", "right"),
    )


def _percent(fraction: float) -> str:
    return signed(100 * fraction, "+.1f") + " %"


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
