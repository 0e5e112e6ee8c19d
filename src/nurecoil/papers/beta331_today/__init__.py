"""The 331β model with today's data: COHERENT CsI 2021 and LAr 2020 together, for all seven β."""

from nurecoil.papers.beta331_today.recipe import STEPS, reproduce

__all__ = ["STEPS", "reproduce"]
