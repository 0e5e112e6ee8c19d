"""How far a long computation is, told to whoever listens.

What computes says how many steps there are and when each begins; steps inside a step are its parts. It never
asks who listens: often nobody. A worker process begins without a listener: only who sends work out is heard.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

Item = TypeVar("Item")


Step: TypeAlias = Callable[..., None]
"""Is called as a step begins, with what it is ("") and how many of the promised steps it counts for (1.0)."""
Progress: TypeAlias = Callable[[float], AbstractContextManager[Step]]
"""Of the number of steps, at most: a context manager that gives what is told of each."""


@dataclass
class Report:
    """How far it is: the share of the whole, 0 to 1, since when that is counted, and what is under way.

    Of the listener it has what passes on a sentence, and what gives a context in which the report is shown.
    """

    say: Callable[[str], None]
    watch: Callable[["Report"], AbstractContextManager[None]]
    share: float = 0.0
    since: float = 0.0
    text: str = ""
    part: tuple[float, float] | None = None  # of the whole: the step under way


_REPORT: ContextVar[Report | None] = ContextVar("report", default=None)


@contextmanager
def heard_by(
    say: Callable[[str], None], watch: Callable[[Report], AbstractContextManager[None]]
) -> Iterator[None]:
    """Tell a listener of all that is computed in this context, see `Report`."""
    token = _REPORT.set(Report(say, watch))
    try:
        yield
    finally:
        _REPORT.reset(token)


def watched() -> AbstractContextManager[None]:
    """Return a context in which the listener, if there is one, shows how far it is."""
    report = _REPORT.get()
    return report.watch(report) if report else nullcontext()


def tell(text: str) -> None:
    """Say something that is to be read at once, such as that loops are compiled first."""
    if report := _REPORT.get():
        report.say(text)


@contextmanager
def in_steps(total: float) -> Iterator[Step]:
    """Give a function to be called as each of `total` steps, at most, begins."""
    report, done = _REPORT.get(), 0.0
    if report is None:
        yield lambda *step: None
        return
    whole = report.part
    low, high = whole or (0.0, 1.0)
    if not whole:
        report.share, report.since = 0.0, time.monotonic()

    def begin(text: str = "", size: float = 1.0) -> None:
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
