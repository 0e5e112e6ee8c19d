"""The published results of the COHERENT releases, recomputed.

`published.toml` holds what is published, `compute` computes it from `signal`, `fits` and `cross_section`,
`changes` measures what it depends on, `rows` compares, `limits` what limits hang on, `pictures` and
`contents` say what to show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nurecoil.errors import unknown_name
from nurecoil.presentation.document import Document, Table
from nurecoil.validation.changes import changes
from nurecoil.validation.compute import compute
from nurecoil.validation.contents import document, table
from nurecoil.validation.limits import LIMITS, hanging
from nurecoil.validation.published import experiments
from nurecoil.validation.rows import Row, rows

__all__ = ["LIMITS", "Row", "Validation", "experiments", "validate"]


@dataclass(frozen=True)
class Validation:
    """Published and computed numbers: all rows, a table for each experiment, and the page."""

    rows: tuple[Row, ...]
    tables: tuple[Table, ...]
    document: Document


def validate(
    names: Sequence[str] = (), progress: Callable[[str], None] = lambda step: None, limits: bool = False
) -> Validation:
    """Compute what is published of experiments, all of them if none is named.

    `progress` is told of each experiment, and of each table of what `limits` hang on, if the page has them.
    """
    chosen = tuple(dict.fromkeys(names)) or experiments()
    for name in chosen:
        if name not in experiments():
            raise unknown_name("experiment with published results", name, experiments())
    found = []
    for name in chosen:
        progress(name)
        result = compute(name)
        changed = changes(result)
        found.append((result, rows(result, changed), changed))
    page = document(found)
    if limits and (section := hanging(chosen, progress)):
        page = replace(page, sections=(*page.sections, section))
    return Validation(
        rows=tuple(row for _, of_one, _ in found for row in of_one),
        tables=tuple(table(result.experiment.name, of_one) for result, of_one, _ in found),
        document=page,
    )
