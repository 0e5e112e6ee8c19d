"""Papers: one folder recomputes one paper, its published numbers beside the recipe."""

from nurecoil.errors import unknown_name
from nurecoil.papers.beta331_today import BETA331_TODAY
from nurecoil.papers.binh2021 import BINH2021
from nurecoil.papers.paper import Paper, Reproduction

__all__ = ["Paper", "Reproduction", "load_paper"]

_PAPERS = {paper.name: paper for paper in (BINH2021, BETA331_TODAY)}


def load_paper(name: str) -> Paper:
    """Return the paper called `name`."""
    if name not in _PAPERS:
        raise unknown_name("paper", name, _PAPERS)
    return _PAPERS[name]
