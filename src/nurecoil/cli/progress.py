"""How far a command is, on stderr."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from nurecoil.presentation.terminal import cell_len, plain

if TYPE_CHECKING:
    from nurecoil.progress import Report

SOON, SOON_IN_A_LOG = 1.0, 4.0  # seconds before anything is said of how far it is
BLINK, LONGEST_SILENCE = 0.2, 60.0  # seconds between two lines: of a terminal, and at most of a log


@dataclass
class Shown:
    """What a command says on stderr while it computes: in a terminal a line that is written over, else a line
    now and then; nothing of what ends soon.
    """

    name: str
    width: int = 0  # of the line that is to be written over
    lock: Lock = field(default_factory=Lock)

    def say(self, text: str) -> None:
        """Print a sentence at once."""
        self._write(f"{self.name}: {text}\n")

    @contextmanager
    def watch(self, report: "Report") -> Iterator[None]:
        """Show how far it is, by a thread: a step may last."""
        end = Event()
        thread = Thread(target=self._draw, args=(report, end), daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()
            self._write("")

    def _draw(self, report: "Report", end: Event) -> None:
        live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        begun, pause = time.monotonic(), SOON if live else SOON_IN_A_LOG
        while not end.wait(pause):
            line = f"{self.name}: {_how_far(report, begun)}"
            self._write(line[: shutil.get_terminal_size().columns - 1] if live else line + "\n")
            pause = BLINK if live else min(2 * pause, LONGEST_SILENCE)

    def _write(self, line: str) -> None:
        """Write over what is not to stay; that nobody reads on is no reason to stop."""
        with self.lock, suppress(OSError, ValueError):
            over = f"\r{'':{self.width}}\r" if self.width else ""
            self.width = 0 if line.endswith("\n") else cell_len(line)
            print(over + line, end="", file=sys.stderr, flush=True)


def _how_far(report: "Report", begun: float) -> str:
    """Return the share that is done, the time that the rest takes at this pace, and what is being done."""
    now, share = time.monotonic(), report.share
    if share > 0:
        text = f"{100 * share:.0f} %, {_duration((now - report.since) * (1 / share - 1))} left"
    else:
        text = f"{_duration(now - begun)} so far"
    return f"{text}, {plain(report.text)}" if report.text else text


def _duration(seconds: float) -> str:
    """Return a time in seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
