"""The published results of data releases, recomputed.

`published.toml` holds what is published; `fits` fits the signal, `rows` fills the comparison in, `changes`
measures what it depends on, `limits` what limits hang on; `pictures` and `contents` say what to show.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from nurecoil.errors import unknown_name
from nurecoil.presentation.comparison import Comparison, Row
from nurecoil.validation.changes import changes
from nurecoil.validation.contents import document, table
from nurecoil.validation.fits import signal_fits
from nurecoil.validation.limits import LIMITS, hanging
from nurecoil.validation.published import PUBLISHED
from nurecoil.validation.rows import rows

__all__ = ["LIMITS", "experiments", "validate"]


def experiments() -> tuple[str, ...]:
    """Return the names of the experiments that have published numbers."""
    return tuple(PUBLISHED)


def validate(
    names: Sequence[str] = (), progress: Callable[[str], None] = lambda step: None, limits: bool = False
) -> Comparison:
    """Compute what is published of experiments, all of them if none is named.

    `progress` is told of each experiment, and of each table of what `limits` hang on, if the page has them.
    """
    chosen = tuple(dict.fromkeys(names)) or experiments()
    for name in chosen:
        if name not in PUBLISHED:
            raise unknown_name("experiment with published results", name, PUBLISHED)
    found = []
    for name in chosen:
        progress(name)
        fits = signal_fits(name)
        changed = changes(fits)
        found.append((fits, rows(fits, changed), changed))
    page = document(found)
    if limits and (section := hanging(chosen, progress)):
        page = replace(page, sections=(*page.sections, section))
    return Comparison(
        page,
        tables=tuple(table(name, of_one) for name, (_, of_one, _) in zip(chosen, found, strict=True)),
        results=[_record(row) for _, of_one, _ in found for row in of_one],
    )


def _record(row: Row) -> dict[str, object]:
    ours = row.ours["ours"]
    return {
        "experiment": row.group,
        "quantity": row.quantity,
        "published": row.printed.value,
        "error": row.printed.error,
        "ours": ours.value,
        "ours_error": ours.error,
        "why": row.why,
    }
