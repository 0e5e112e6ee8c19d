"""Binh, Hue, Binh, Soa, Long, "COHERENT constraints on Z' in 331β model" (2021), recomputed.

`published.toml` holds what the paper prints, `compute` recomputes it, `equations` and `statements` check what
else it says, `verdicts` compares; `pictures` and `contents` say what to show, `recipe` puts them in order.
"""
