"""Binh, Hue, Binh, Soa, Long, "COHERENT constraints on Z' in 331β model" (2021), recomputed.

`published.toml` holds what the paper prints, `compute` recomputes it, `verdicts` compares the two,
`pictures`, `contents` and `results` say what to show; `recipe` puts them in order.
"""

from nurecoil.papers.binh2021.recipe import BINH2021

__all__ = ["BINH2021"]
