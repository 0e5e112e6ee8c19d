"""Papers: one folder recomputes one paper, its published numbers beside the recipe."""

from collections.abc import Callable
from dataclasses import dataclass

from nurecoil.errors import unknown_name
from nurecoil.papers.beta331_today import recipe as today
from nurecoil.papers.binh2021 import recipe as binh
from nurecoil.papers.world import recipe as world
from nurecoil.presentation.comparison import Comparison

__all__ = ["Paper", "load_paper"]


@dataclass(frozen=True)
class Paper:
    """A paper that can be recomputed; `reproduce` calls its argument once in each of `steps` steps."""

    name: str
    steps: int
    reproduce: Callable[[Callable[[str], None]], Comparison]


_PAPERS = {
    paper.name: paper
    for paper in (
        Paper("binh2021", binh.STEPS, binh.reproduce),
        Paper("331-beta-today", today.STEPS, today.reproduce),
        Paper("world", world.STEPS, world.reproduce),
    )
}


def load_paper(name: str) -> Paper:
    """Return the paper called `name`."""
    if name not in _PAPERS:
        raise unknown_name("paper", name, _PAPERS)
    return _PAPERS[name]
