"""How a figure is drawn for its reader: with a title or as in a paper, how wide, and what lies over it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nurecoil.errors import NurecoilError

if TYPE_CHECKING:  # the command line needs a look before anything is computed
    from nurecoil.presentation.document import Figure, Series

_COLOURS = ("green", "purple", "orange", "black", "sky")
_STYLES = ("dashed", "dotted")
DRAWN = (".png", ".svg", ".pdf")
"""What a figure is saved as."""


@dataclass(frozen=True)
class Look:
    """What a reader asks of a figure.

    Attributes
    ----------
    title
        A title, and what the figure rests on; a paper's has none.
    width
        In inches: 3.4 for a column of a journal, 7 for two.
    overlay
        Files with curves of others, see `read_curve`.
    """

    title: bool = True
    width: float | None = None
    overlay: tuple[Path | str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a width, and files that are no curves, before anything is computed."""
        if self.width is not None:
            from nurecoil.presentation.figures import require_width

            require_width(float(self.width))
        _ = self.curves

    @cached_property
    def curves(self) -> list["Series"]:
        """The curves of the files, read once."""
        return [read_curve(path, number) for number, path in enumerate(self.overlay)]

    def on(self, figure: "Figure") -> "Figure":
        """Return the figure as it is to be drawn."""
        from nurecoil.presentation.document import Panel

        found = figure if self.title else _untitled(figure)
        if not self.overlay:
            return found
        first, *others = found.panels
        if not isinstance(first, Panel):
            raise NurecoilError(f"nothing can be laid over {figure.title}: it has no curves")
        series = (*first.series, *self.curves)
        labels = [each.label for each in series]
        for label in labels:
            if labels.count(label) > 1:
                raise NurecoilError(f"two curves are called '{label}': name one otherwise, in its first line")
        return replace(found, panels=(replace(first, series=series), *others))


def _untitled(figure: "Figure") -> "Figure":
    """Return a figure without titles, but for those that tell panels apart."""
    several = sum(bool(panel.title) for panel in figure.panels) > 1
    panels = figure.panels if several else tuple(replace(panel, title="") for panel in figure.panels)
    return replace(figure, subtitle=(), panels=panels)


def read_curve(path: Path | str, number: int = 0) -> "Series":
    """Return the curve in a CSV file: two columns, x and y in the units of the axes.

    A first line of words names the columns; the second name is the legend's, else the file's own name. A
    line of no numbers parts pieces of a curve.
    """
    from nurecoil.presentation.document import Series

    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NurecoilError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    rows = [line for line in csv.reader(text.splitlines()) if not "".join(line).startswith("#")]
    label, points = path.stem.replace("_", " "), list[Sequence[float]]()
    for at, row in enumerate(rows):
        if not "".join(row).strip():
            points.append((float("nan"),) * 2)
            continue
        try:
            x, y = map(float, row)
        except ValueError:
            if at or len(row) != 2:
                line = ",".join(row)
                raise NurecoilError(
                    f"{path}: '{line}' is no point: a line has x and y, with a comma"
                ) from None
            label = row[1].strip() or label
            continue
        points.append((x, y))
    if not any(x == x and y == y for x, y in points):
        raise NurecoilError(f"{path} has no points")
    xs, ys = zip(*points, strict=True)
    colour, style = _COLOURS[number % len(_COLOURS)], _STYLES[number // len(_COLOURS) % len(_STYLES)]
    return Series(xs, ys, label, colour, style)  # type: ignore[arg-type]


AS_USUAL = Look()
