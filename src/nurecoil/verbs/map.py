"""`map`: which values of two parameters are allowed together."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array, undisturbed
from nurecoil.checks import require_whole
from nurecoil.errors import NurecoilError
from nurecoil.inference.contours import Axis, Contours, Plane, Region, Surface, contours
from nurecoil.inference.intervals import threshold
from nurecoil.likelihood import REACH
from nurecoil.models import STANDARD_MODEL
from nurecoil.parameters import Parameter, Range, at_border, find, written
from nurecoil.presentation.document import Area, Block, Figure, Pairs, Panel, Series, Table
from nurecoil.presentation.exchange import Arrays
from nurecoil.presentation.labels import LEVEL_COLOURS, axis_label, cl_label, symbol
from nurecoil.study.arguments import several_levels
from nurecoil.study.minima import held_at
from nurecoil.study.neighbours import Neighbours
from nurecoil.study.question import Question
from nurecoil.study.result import Result, Shown
from nurecoil.study.strengths import Coordinates
from nurecoil.study.study import Study
from nurecoil.verbs.intervals import at_edge, edge_note
from nurecoil.verbs.options import HOLDS, Levels, Scans, Told, Verb

HELP = """Find all values of two parameters that experiments allow together, as regions with exact contours.

Nuisance parameters are profiled: fitted anew at each point. Δχ² is counted from the best fit inside the
range; levels are those of two degrees of freedom. A grid of points shows where to look; contours are solved
for.

\b
Examples:
  nurecoil map --model nsi --experiment coherent-csi-2021 --cl 90% \\
    --scan eps_u_ee=-1..1 --scan eps_d_ee=-1..1 --plot map.png
  nurecoil map --model 331-beta --experiment binh2021-csi --experiment binh2021-lar \\
    --scan 'beta=-sqrt(3)..sqrt(3)' --scan m_zprime=0.1..10TeV --cl 68% --cl 95%
  nurecoil map --model standard-model --experiment coherent-csi-2021 \\
    --scan sin2_theta_w=0.1..0.4 --scan neutron_radius_csi=4..6fm --json"""
FEWEST_POINTS, MOST_POINTS = 21, 1001
MOST_ROWS = 20  # regions of one confidence level that are printed
_HIGH = 1e4  # in χ²: levels lie far below
_COMPUTED = 20_000  # points of a large map, the others interpolated


@dataclass(frozen=True, eq=False, repr=False)
class Map(Shown):
    """The profile of two parameters: Δχ² on a grid, the best fit, and the allowed regions.

    Attributes
    ----------
    parameters : two Parameters
    surface : Surface
        The grid, Δχ² on it, and the best fit (inside units).
    contours : mapping
        Level of Δχ² and allowed regions, with their boundaries (inside units), by confidence level.
    standard_model : ndarray, shape (2,), or None
        The Standard Model's point (inside units), if it lies in the plane and in the range.
    """

    parameters: tuple[Parameter, Parameter]
    surface: Surface
    contours: Mapping[float, Contours]
    standard_model: Array | None

    def record(self, result: Result["Map"]) -> dict[str, object]:
        units = [parameter.inside for parameter in self.parameters]
        names = [parameter.name for parameter in self.parameters]
        surface, best = self.surface, dict(zip(names, self.surface.best_fit.tolist(), strict=True))
        return {
            "scanned": [
                {"name": p.name, "unit": p.unit, "spacing": "log" if axis.log else "linear"}
                for p, axis in zip(self.parameters, surface.axes, strict=True)
            ],
            "best_fit": at_border(self.parameters, best),
            "chi2": surface.minimum,
            "levels": [
                {
                    "cl": cl,
                    "level": contours.level,
                    "settled": contours.settled,
                    "not_converged": contours.unconverged,
                    "regions": [
                        {
                            "bounds": dict(zip(names, (r.bounds.T / units).T, strict=True)),
                            "open": dict(zip(names, self._cut(r), strict=True)),
                            "outer": r.outer / units,
                            "holes": [hole / units for hole in r.holes],
                        }
                        for r in contours.regions
                    ],
                }
                for cl, contours in self.contours.items()
            ],
            "grid": {
                "values": {n: v / u for n, v, u in zip(names, surface.values, units, strict=True)},
                "delta_chi2": surface.delta_chi2,
            },
        }

    def arrays(self, result: Result["Map"]) -> Arrays:
        both = tuple(p.name for p in self.parameters)
        axes = {
            p.name: ((p.name,), values / p.inside, p.unit)
            for p, values in zip(self.parameters, self.surface.values, strict=True)
        }
        return {**axes, "delta_chi2": (both, self.surface.delta_chi2, "")}

    def blocks(self, result: Result["Map"]) -> Iterator[Block]:
        names = [parameter.name for parameter in self.parameters]
        best = written(self.parameters, dict(zip(names, self.surface.best_fit, strict=True)))
        yield Pairs(
            result.title(" and ".join(names)),
            (("best fit", f"{best}, χ² = {self.surface.minimum:.2f}"), result.convergence()),
        )
        cut = any(np.any(self._cut(region)) for found in self.contours.values() for region in found.regions)
        yield Table(
            "Allowed regions and their extents",
            ("CL", "Δχ² up to", *names, ""),
            tuple(row for cl, found in self.contours.items() for row in self._rows(cl, found)),
            whole=(2, 3),
            caption="* the range ends there; the region does not" if cut else "",
        )

    def _rows(self, cl: float, found: Contours) -> Iterator[tuple[str, ...]]:
        shown = found.regions[:MOST_ROWS]
        for number, region in enumerate(shown):
            level = (f"{100 * cl:g} %", f"{found.level:.4g}") if number == 0 else ("", "")
            extents = [
                f"{p.format(low, 4)}{'*' * at_low} to {p.format(high, 4)}{'*' * at_high}"
                for p, (low, high), (at_low, at_high) in zip(
                    self.parameters, region.bounds, self._cut(region), strict=True
                )
            ]
            holes = len(region.holes)
            yield (*level, *extents, f"{holes} hole{'s' * (holes > 1)}" if holes else "")
        if len(shown) < len(found.regions):
            yield "", "", f"and {len(found.regions) - len(shown)} smaller ones", "", ""

    def _cut(self, region: Region) -> list[list[bool]]:
        """Return for each parameter whether the range cuts the region at its low and at its high end."""
        return [
            [bool(low == values[0]), bool(high == values[-1])]
            for (low, high), values in zip(region.bounds, self.surface.values, strict=True)
        ]

    def figure(self, result: Result["Map"]) -> Figure:
        units = [parameter.inside for parameter in self.parameters]
        levels = sorted(self.contours.items(), reverse=True)  # the smaller region above the larger
        best = self.surface.best_fit / units
        points = [Series(best[:1], best[1:], "best fit", colour="black", style="points")]
        if self.standard_model is not None:
            standard = self.standard_model / units
            points.append(
                Series(standard[:1], standard[1:], "Standard Model", colour="black", style="crosses")
            )
        axes = self.surface.axes
        x, y = ((axis.low / unit, axis.high / unit) for axis, unit in zip(axes, units, strict=True))
        panel = Panel(
            x_label=axis_label(self.parameters[0]),
            y_label=axis_label(self.parameters[1]),
            series=tuple(points),
            areas=tuple(
                Area(
                    rings=tuple(ring / units for r in contours.regions for ring in (r.outer, *r.holes)),
                    lines=tuple(line / units for line in contours.polygons),
                    label=f"allowed at {cl_label(cl)}, 2 d.o.f.",
                    colour=colour,
                )
                for (cl, contours), colour in zip(levels, LEVEL_COLOURS * len(levels), strict=False)
                if contours.regions
            ),
            x_log=axes[0].log,
            y_log=axes[1].log,
            x_range=x,
            y_range=y,
        )
        names = " and ".join(symbol(parameter) for parameter in self.parameters)
        title = f"{names} at {cl_label(*self.contours)}"
        return Figure("map", title, "", (panel,), subtitle=result.facts)


@undisturbed
def map(
    study: Study,
    within: Scans,
    *,
    cl: Levels = ("68%", "90%"),
    spacing: Annotated[
        Mapping[str, str] | None,
        Told(
            "How the points of a parameter are spaced.",
            "NAME=log|linear",
            many=True,
            shown="as the parameter is usually scanned",
        ),
    ] = None,
    points: Annotated[
        int | str | tuple[int, int],
        Told(f"Points on each axis, {FEWEST_POINTS} to {MOST_POINTS}, or on the one and the other.", "N|NxM"),
    ] = 101,
) -> Result[Map]:
    """Return the map of Δχ² of two parameters, pulls profiled, and all regions that are allowed.

    Parameters
    ----------
    within
        Two parameters and their ranges: of the model, or nuisance parameters, which are then free of their
        priors.
    cl
        Confidence levels; Δχ² follows from Wilks' theorem with two degrees of freedom.
    spacing
        "log" or "linear" by name of parameter; by default as the parameter is usually scanned.
    points
        Points on each axis, or on the first and the second: 101, (300, 1000) or "300x1000". χ² is computed
        at 49 or more of an axis and, between these, where its shape asks for it; the other points are
        interpolated: to 1e-3 or so where Δχ² < 25, roughly above. The contours are solved for and do not
        depend on the points, unless a region is so small that none sees it.

    Raises
    ------
    NurecoilError
        For an unknown parameter, one that is set as well, a range that is reversed or out of bounds, or a
        confidence level that is not between 0 and 1.

    Examples
    --------
    >>> import nurecoil
    >>> study = nurecoil.Study("331-beta", "binh2021-csi")
    >>> result = study.map({"beta": "-1.7..1.7", "m_zprime": "0.1..10 TeV"}, cl=0.9, points=51)
    >>> [region.open for region in result.values.contours[0.9].regions]
    [True]
    """
    axes = _axes(points)
    if len(within) != 2:
        names = ", ".join(str(name) for name in within)
        raise NurecoilError(
            f"a map has two different parameters, not {names or 'none'}: give --scan twice, or two ranges"
        )
    levels = several_levels(cl)
    ranges = study.ranges(within)
    low, high = np.array([each.ends for each in ranges]).T
    log = _spacing(ranges, spacing or {})
    question = study.question({each.parameter.name: each.low for each in ranges})
    settled = question.likelihood.settled(min(axes[0] * axes[1], _COMPUTED))
    if settled.engine_name == "fast":  # so long that its loops pay from the first point on
        question = replace(question, likelihood=settled)
    known = Neighbours(question, Coordinates(log, low, high))

    def chi2(x: Array) -> tuple[Array, NDArray[np.bool_]]:
        profiled = known.fits(x)
        return profiled.chi2, profiled.converged | (profiled.chi2 > known.lowest + REACH)

    def minimise(starts: Array) -> tuple[Array, NDArray[np.bool_]]:
        fitted = question.fitted(starts, low, high, known.fits(starts).pulls)
        inside = ((fitted.points >= low) & (fitted.points <= high)).all(axis=1)  # where pulls may leave
        found = np.broadcast_to(fitted.points, starts.shape)  # of pulls alone there is one minimum
        return found, np.broadcast_to(fitted.converged & inside, len(starts))

    at_infinity = _at_infinity(question, low, high)
    first, second = (Axis(*each.ends, log=spaced) for each, spaced in zip(ranges, log, strict=True))
    plane = Plane(chi2, (first, second), question.likelihood.noise, _HIGH)
    thresholds = [threshold(level, dof=2) for level in levels]
    surface = contours(plane, minimise, thresholds, points=axes, at_infinity=at_infinity)
    answer = Map(
        parameters=(question.free[0], question.free[1]),
        surface=surface,
        contours=dict(zip(levels, surface.contours, strict=True)),
        standard_model=_standard_model(question, low, high),
    )
    failures = list(_failures(surface, levels))
    return question.result(
        "map",
        answer,
        converged=not failures,
        notes=(*failures, *_best_fit_notes(answer, surface.unique, at_infinity)),
        settings={
            "scans": [[each.parameter.name, *each.ends] for each in ranges],
            "cl": levels,
            "points": axes[0] if axes[0] == axes[1] else axes,
            "log": list(log),
        },
    )


def _axes(points: int | str | tuple[int, int]) -> tuple[int, int]:
    """Return the points on either axis: of 101, (300, 1000) or "300x1000"."""
    given = points.split("x") if isinstance(points, str) else points
    try:
        numbers = [int(number) for number in (given if isinstance(given, list | tuple) else [given])]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise NurecoilError(f"points = {points} is not allowed: write one number, or two as in 300x1000")
    for number in numbers:
        require_whole("points", number, FEWEST_POINTS, MOST_POINTS)
    return numbers[0], numbers[-1]


def _spacing(ranges: Sequence[Range], given: Mapping[str, str]) -> tuple[bool, bool]:
    """Return for each parameter whether its points are spaced in the logarithm."""
    log = {each.parameter.name: each.log for each in ranges}
    for name, word in given.items():
        find([each.parameter for each in ranges], name, "scanned parameter")
        if word not in ("log", "linear"):
            raise NurecoilError(f"the spacing of {name}, {word}, is not allowed: it must be log or linear")
        log[name] = word == "log"
    first, second = log.values()
    return first, second


def _standard_model(question: Question, low: Array, high: Array) -> Array | None:
    """Return the point of the defaults: the Standard Model, if all that is new stands at its default."""
    own = {parameter.name for parameter in STANDARD_MODEL.parameters}
    for parameter in question.model.parameters:
        new = parameter.name not in own and not parameter.choices
        if new and question.values.get(parameter.name, parameter.default) != parameter.default:
            return None
    if any(not isinstance(parameter.default, int | float) for parameter in question.free):
        return None
    point = np.array([parameter.default for parameter in question.free], dtype=float)
    return point if ((low <= point) & (point <= high)).all() else None


def _failures(surface: Surface, cl: Sequence[float]) -> Iterator[str]:
    """Yield in sentences what did not converge."""
    if not surface.fitted:
        yield "the best fit did not converge: Δχ² may be counted from too high a point."
    if bad := int((~surface.converged).sum()):
        yield f"the pulls did not converge at {bad} of {surface.converged.size} grid points."
    for level, found in zip(cl, surface.contours, strict=True):
        at = f"at {100 * level:g} % CL"
        if found.unconverged:
            yield f"{found.unconverged} vertices of the contours {at} are not exact."
        if not found.settled:
            yield (
                f"{at} the number of regions still changes with the grid, or one is too small for it: use"
                " more points or a narrower range."
            )


def _at_infinity(question: Question, low: Array, high: Array) -> float:
    """Return χ² where a parameter decouples, the other fitted in its range; infinite if none does."""
    found = [math.inf]
    for n, parameter in enumerate(question.free):
        if parameter.decouples:
            rest, other = held_at(question, {parameter.name: math.inf}), [1 - n]
            found.append(float(rest.fitted(low[other], low[other], high[other]).chi2[0]))
    return min(found)


def _best_fit_notes(answer: Map, unique: bool, at_infinity: float) -> Iterator[str]:
    if answer.surface.minimum == at_infinity:
        names = [p.name for p in answer.parameters if p.decouples]
        yield f"χ² is lowest where {' or '.join(names)} decouples: the regions are relative to that point."
        return
    if not unique:
        yield "the best fit is not the only one: other points fit as well, to 0.001 in Δχ²."
    surface = answer.surface
    for parameter, best, values in zip(answer.parameters, surface.best_fit, surface.values, strict=True):
        if at_edge(best, values):
            yield edge_note(f", {parameter.name} = {parameter.format(best, 4)},", "the regions")


COMMAND = Verb(map, HELP, holds=(*HOLDS, "profile"), plots=True)
