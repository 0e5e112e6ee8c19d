"""Binh, Hue, Binh, Soa, Long, "COHERENT constraints on Z' in 331β model" (2021), recomputed.

`published` holds what the paper prints and `paper` where it works; `compute` recomputes it, `equations` and
`statements` check what else it says, `verdicts` compares; `pictures` and `contents` say what to show,
`recipe` puts them in order.
"""
