"""What a scan costs besides its physics: time per point, and memory that does not grow."""

import json
import subprocess
import sys

import numpy as np
import pytest

from nurecoil.scans import Axis, Grid, Spaced, run

GRID = Grid((Axis("a", Spaced(-1.0, 1.0, 1000)), Axis("b", Spaced(0.1, 10.0, 1000, log=True))))
STREAM = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_scan import bowl
from nurecoil.scans import Axis, Grid, Spaced, run
side = int(sys.argv[2])
grid = Grid((Axis("a", Spaced(-1.0, 1.0, side)), Axis("b", Spaced(0.1, 10.0, side, log=True))))
start = time.perf_counter()
run(bowl, grid, Path(sys.argv[3]), identity={}, attributes={})
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6]))
"""


def bowl(points):
    return {"chi2": points[:, 0] ** 2 + points[:, 1], "converged": np.ones(len(points), bool)}


def test_a_scan_of_a_million_points_of_a_function_that_costs_nothing(benchmark, tmp_path):
    """The time in seconds is the overhead in microseconds a point, on one core."""

    def scan():
        run(bowl, GRID, tmp_path / "x.nc", identity={}, attributes={}, restart=True)

    benchmark.pedantic(scan, rounds=5, warmup_rounds=1)


@pytest.mark.parametrize("side", [1000, 3162, 10_000])
def test_memory_of_a_streamed_scan(benchmark, tmp_path, side):
    """In a process of its own: what it needed at most is `peak_GB`."""

    def scan():
        command = [sys.executable, "-c", STREAM, __file__.rpartition("/")[0], str(side), tmp_path / "x.nc"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    seconds, gigabytes = benchmark.pedantic(scan, rounds=1)
    benchmark.extra_info.update(
        {"points": side**2, "seconds": round(seconds, 2), "peak_GB": round(gigabytes, 3)}
    )
    print(f"\n{side**2:.0e} points: {1e6 * seconds / side**2:.3f} us a point, {gigabytes:.3f} GB")
    assert gigabytes < 1
