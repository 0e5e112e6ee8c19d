"""How far a long computation is, for whoever wants to be told."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

Progress: TypeAlias = Callable[[int], AbstractContextManager[Callable[[str], None]]]
"""Of the number of steps, at most: a context manager that gives a function, told each step as it begins."""


@contextmanager
def silent(steps: int) -> Iterator[Callable[[str], None]]:
    """Show no progress."""
    yield lambda step: None
