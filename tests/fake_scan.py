"""A scan that costs nothing, for the tests of scans; as a script it is killed at every moment in turn.

`python fake_scan.py sweep FOLDER` runs it again and again, each time killed at the next system call that
changes a file, and resumed; `python fake_scan.py run OUTPUT WORKERS` runs it once, slowly.
"""

import os
import signal
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nurecoil.scans import Axis, Grid, Spaced, netcdf, run
from nurecoil.scans.executors import processes

GRID = Grid((Axis("a", Spaced(-2.0, 2.0, 13), {"units": "TeV"}), Axis("b", Spaced(0.1, 10.0, 23, log=True))))


@dataclass(frozen=True)
class Bowl:
    """χ² = 3 + a² + ln²b, not converged where a = -2.

    As with BLAS, the last bits depend on which points are evaluated together.
    """

    log: Path | None = None  # gets one byte for each block
    seconds: float = 0.0

    def __call__(self, points):
        time.sleep(self.seconds)
        if self.log:
            with open(self.log, "ab") as file:
                file.write(b".")
        a, b = points.T
        return {
            "chi2": 3 + a**2 + np.log(b) ** 2 + 1e-13 * (b[0] + len(b)),
            "converged": a > -2,
            "extra": a * b,
        }


def bowl(output, executor=None, evaluate=None, **more):
    """Run the scan: many chunks of one block each, if nothing else is asked for."""
    settings = {"identity": {"model": "bowl"}, "attributes": {"title": "bowl"}, "seconds": 1e-9, **more}
    return run(evaluate or Bowl(), GRID, Path(output), executor=executor, **settings)


def _sweep(folder):
    """Print, for each moment at which the scan is killed, how many blocks it took in all.

    And whether a file that was there after the kill was whole.
    """
    bowl(folder / "first.nc")  # imports what is needed once, for all children
    for moment in range(10_000):
        place = folder / str(moment)
        place.mkdir()
        killed = _in_a_child(lambda place=place, moment=moment: _die_at(moment, place))
        left = [path.read_bytes() for path in place.glob("*.nc") if path.is_file()]
        _in_a_child(lambda place=place: bowl(place / "x.nc", evaluate=Bowl(place / "log")))
        whole = left in ([], [(folder / "first.nc").read_bytes()])
        print((place / "log").stat().st_size, "whole" if whole else "PARTIAL", flush=True)
        if not killed:
            return


def _in_a_child(function):
    """Call a function in a child, and return whether that was killed."""
    if child := os.fork():
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    function()
    os._exit(0)


def _die_at(moment, place):
    countdown = iter(range(moment, -1, -1))

    def deadly(call):
        def do(*arguments, **named):
            if next(countdown, 1) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return do

    for name in ("fsync", "replace", "unlink", "rmdir", "mkdir"):
        setattr(os, name, deadly(getattr(os, name)))
    netcdf.hyperslabs = deadly(netcdf.hyperslabs)
    bowl(place / "x.nc", evaluate=Bowl(place / "log"))


if __name__ == "__main__":
    if sys.argv[1] == "sweep":
        _sweep(Path(sys.argv[2]))
    else:
        workers = int(sys.argv[3])
        with processes(workers) if workers else nullcontext() as pool:
            bowl(sys.argv[2], pool, evaluate=Bowl(seconds=0.05))
