"""Results as figures of a `document`, for `figures` to draw: one file, one figure."""

from nurecoil.exhibits.combination import combination_figure
from nurecoil.exhibits.feldman_cousins import feldman_cousins_figure
from nurecoil.exhibits.limit import limit_figure
from nurecoil.exhibits.map import map_figure
from nurecoil.exhibits.sensitivity import sensitivity_figure
from nurecoil.exhibits.variations import variations_table

__all__ = [
    "combination_figure",
    "feldman_cousins_figure",
    "limit_figure",
    "map_figure",
    "sensitivity_figure",
    "variations_table",
]
