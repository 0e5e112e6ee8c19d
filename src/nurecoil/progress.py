"""How far a long computation is, told to whoever listens.

What computes says how many steps there are and when each begins; steps inside a step are its parts. It never
asks who listens: often nobody. A worker process begins without a listener: only who sends work out is heard.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

Item = TypeVar("Item")


class Step(Protocol):
    """Is called as a step begins, with what it is and how many of the promised steps it counts for."""

    def __call__(self, text: str = "", size: float = 1.0, /) -> None:
        """Tell of it."""


Progress: TypeAlias = Callable[[float], AbstractContextManager[Step]]
"""Of the number of steps, at most: a context manager that gives what is told of each."""


class Listener(Protocol):
    """Whoever is told."""

    def say(self, text: str) -> None:
        """Pass on what is to be read at once."""

    def watch(self, report: "Report") -> AbstractContextManager[None]:
        """Return a context in which a report, which changes meanwhile, is shown."""


@dataclass
class Report:
    """How far it is: the share of the whole, 0 to 1, since when that is counted, and what is under way."""

    listener: Listener
    share: float = 0.0
    since: float = 0.0
    text: str = ""
    part: tuple[float, float] | None = None  # of the whole: the step under way


_REPORT: ContextVar[Report | None] = ContextVar("report", default=None)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Tell a listener of all that is computed in this context."""
    token = _REPORT.set(Report(listener))
    try:
        yield
    finally:
        _REPORT.reset(token)


def watched() -> AbstractContextManager[None]:
    """Return a context in which the listener, if there is one, shows how far it is."""
    report = _REPORT.get()
    return report.listener.watch(report) if report else nullcontext()


def tell(text: str) -> None:
    """Say something that is to be read at once, such as that loops are compiled first."""
    if report := _REPORT.get():
        report.listener.say(text)


@contextmanager
def in_steps(total: float) -> Iterator[Step]:
    """Give a function to be called as each of `total` steps, at most, begins."""
    report, done = _REPORT.get(), 0.0
    if report is None:
        yield lambda text="", size=1.0, /: None
        return
    whole = report.part
    low, high = whole or (0.0, 1.0)
    if not whole:
        report.share, report.since = 0.0, time.monotonic()

    def begin(text: str = "", size: float = 1.0, /) -> None:
        nonlocal done
        first, done = done, done + size
        begins, ends = (low + (high - low) * min(x / (total or 1), 1.0) for x in (first, done))
        report.part, report.share, report.text = (
            (begins, ends),
            max(report.share, begins),
            text or report.text,
        )

    try:
        yield begin
    finally:
        report.part = whole


def stepwise(items: Sequence[Item], text: str = "") -> Iterator[Item]:
    """Yield items, each of them a step."""
    with in_steps(len(items)) as begin:
        for item in items:
            begin(text)
            yield item


def parts(items: Sequence[Item]) -> Iterable[Item]:
    """Yield items, each of them a part of the step that is under way, if one is."""
    return stepwise(items) if (report := _REPORT.get()) and report.part else items
