"""Planes of two parameters: what each experiment allows, and what all allow together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nurecoil.papers.world.groups import SCHEME, WORDS, Group, together
from nurecoil.papers.world.nsi import symbol
from nurecoil.presentation.document import Area, Figure, Panel, Section, Series
from nurecoil.presentation.labels import axis_label
from nurecoil.verbs.map import Map
from nurecoil.verbs.map import map as ask

CL = 0.9
EPSILONS = (("eps_u_ee", "eps_d_ee", 1.0), ("eps_u_ee", "eps_u_mumu", 0.6))
MEDIATORS = {"light-vector": "A universal light vector", "light-scalar": "A universal light scalar"}
MEDIATOR = {"m_mediator": (0.1, 1e4), "g_mediator": (1e-6, 1e-1)}  # MeV; both in the logarithm
_POINTS, _POINTS_OF_MEDIATOR = 41, 49


def section(parts: Sequence[Group]) -> tuple[Section, dict[str, Any]]:
    """Return the section on planes of NSI, and its numbers."""
    words, every, numbers = WORDS["planes"], [*parts, together(parts)], dict[str, Any]()
    pictures = []
    for (x, y, end), caption in zip(EPSILONS, words["captions"], strict=True):
        maps = _maps(every, "nsi", {x: (-end, end), y: (-end, end)}, _POINTS)
        numbers[f"{x} {y}"] = {label: _bounds(found) for label, found in maps.items()}
        title = " and ".join(symbol(parameter) for parameter in maps["all"].parameters)
        pictures.append(Figure(f"world-{x}-{y}".replace("_", "-"), title, caption, (_panel(every, maps),)))
    return Section(words["title"], (words["text"], *pictures)), numbers


def mediators(parts: Sequence[Group]) -> tuple[Section, dict[str, Any]]:
    """Return the section on mass and coupling of light mediators, and its numbers."""
    words, every, numbers = WORDS["mediators"], [*parts, together(parts)], dict[str, Any]()
    pictures = []
    for (model, title), caption in zip(MEDIATORS.items(), words["captions"], strict=True):
        maps = _maps(every, model, MEDIATOR, _POINTS_OF_MEDIATOR)
        numbers[model] = {label: _bounds(found) for label, found in maps.items()}
        pictures.append(Figure(f"world-{model}", title, caption, (_panel(every, maps),)))
    return Section(words["title"], (words["text"], *pictures)), numbers


def _maps(
    every: Sequence[Group], model: str, within: Mapping[str, tuple[float, float]], points: int
) -> dict[str, Map]:
    """Return the map of each group of experiments."""
    return {
        each.label: ask(each.study(model, **SCHEME), within, cl=CL, points=points).values for each in every
    }


def _bounds(found: Map) -> list[list[list[float]]]:
    """Return the extents of all regions."""
    return [region.bounds.tolist() for region in found.contours[CL].regions]


def _panel(every: Sequence[Group], maps: Mapping[str, Map]) -> Panel:
    """Return lines of each experiment alone, and the regions that all allow."""
    last = maps[every[-1].label]
    x, y = last.parameters
    lines = []
    for each in every[:-1]:
        pieces = [
            piece for line in maps[each.label].contours[CL].polygons for piece in (line, [[np.nan] * 2])
        ]
        if pieces:
            points = np.concatenate(pieces)
            lines.append(Series(points[:, 0], points[:, 1], each.label, each.colour))
    found = last.contours[CL]
    rings = tuple(ring for region in found.regions for ring in (region.outer, *region.holes))
    area = Area(rings, tuple(found.polygons), every[-1].label, every[-1].colour)
    across, up = last.surface.axes
    return Panel(
        x_label=axis_label(x),
        y_label=axis_label(y),
        series=tuple(lines),
        x_log=across.log,
        y_log=up.log,
        x_range=(across.low, across.high),
        y_range=(up.low, up.high),
        areas=(area,),
    )
