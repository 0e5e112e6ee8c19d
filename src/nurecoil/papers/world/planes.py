"""Planes of two parameters: what each experiment allows, and what all allow together."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nurecoil.papers.world.groups import SCHEME, WORDS, Group, together
from nurecoil.presentation.document import Area, Figure, Panel, Section, Series
from nurecoil.presentation.labels import axis_label
from nurecoil.verbs.map import Map
from nurecoil.verbs.map import map as ask

CL = 0.9
EPSILONS = (("eps_u_ee", "eps_d_ee", 1.0), ("eps_u_ee", "eps_u_mumu", 0.6))
MASSES, COUPLINGS = (0.1, 1e4), (1e-6, 0.1)  # MeV, and none
MEDIATORS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "universal vector": ("light-vector", {}),
    "vector, B − L": ("u1-prime", {"charges": "B-L"}),
    "vector, L_μ − L_τ": ("u1-prime", {"charges": "L_mu-L_tau"}),
    "universal scalar": ("light-scalar", {}),
}
_POINTS = 41


def nsi_section(parts: Sequence[Group]) -> tuple[Section, dict[str, Any]]:
    """Return the section on planes of NSI, and its numbers."""
    words, every, numbers = WORDS["planes"], [*parts, together(parts)], dict[str, Any]()
    pictures = []
    for (x, y, end), caption in zip(EPSILONS, words["captions"], strict=True):
        ranges = {x: (-end, end), y: (-end, end)}
        maps = {
            each.label: ask(each.study("nsi", **SCHEME), ranges, cl=CL, points=_POINTS).values
            for each in every
        }
        numbers[f"{x} {y}"] = {label: _bounds(found) for label, found in maps.items()}
        names = " and ".join(f"${parameter.latex}$" for parameter in maps["all"].parameters)
        pictures.append(
            Figure(f"world-{x}-{y}".replace("_", "-"), f"{names}", caption, (_panel(every, maps),))
        )
    return Section(words["title"], (words["text"], *pictures)), numbers


def mediator_section(parts: Sequence[Group], begin: Callable[[str], None]) -> tuple[Section, dict[str, Any]]:
    """Return the section on light mediators, and its numbers."""
    words, every, panels, numbers = WORDS["mediators"], [*parts, together(parts)], [], dict[str, Any]()
    for title, (model, values) in MEDIATORS.items():
        begin(f"a light mediator: {title}")
        ranges = {"m_mediator": MASSES, "g_mediator": COUPLINGS}
        maps = {
            each.label: ask(each.study(model, **SCHEME, **values), ranges, cl=CL, points=_POINTS).values
            for each in every
        }
        numbers[title] = {label: _bounds(found) for label, found in maps.items()}
        panels.append(_panel(every, maps, title))
    picture = Figure(
        "world-mediators", "Light mediators, 90 % CL", words["caption"], tuple(panels), columns=2
    )
    return Section(words["title"], (words["text"], picture)), numbers


def _bounds(found: Map) -> list[list[list[float]]]:
    """Return the extents of all regions."""
    return [region.bounds.tolist() for region in found.contours[CL].regions]


def _panel(every: Sequence[Group], maps: Mapping[str, Map], title: str = "") -> Panel:
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
        title=title,
        x_log=across.log,
        y_log=up.log,
        x_range=(across.low, across.high),
        y_range=(up.low, up.high),
        areas=(area,),
    )
