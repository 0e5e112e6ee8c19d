"""The 331β model with today's data: COHERENT CsI 2021 and LAr 2020 together, for all seven β."""

from nurecoil.papers.beta331_today.recipe import BETA331_TODAY

__all__ = ["BETA331_TODAY"]
