"""How long one question takes: commands from a cold process, beside the plainest script that fits.

`python benchmarks/latency.py [TIMES]` prints the table of the performance page: the shortest of several runs.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
CSI, LAR = ("--experiment", "coherent-csi-2021"), ("--experiment", "coherent-lar-2020")
MODEL = {name: ("--model", name) for name in ("standard-model", "scaled-standard-model", "nsi", "331-beta")}
MASS = (*MODEL["331-beta"], "--set", "beta=-sqrt(3)", "--scan", "m_zprime=0.2..20TeV")
ANGLE = (*MODEL["standard-model"], "--free", "sin2_theta_w=0.24")
EPSILON = (*MODEL["nsi"], *CSI, "--scan", "eps_u_ee=-0.5..1")
TOYS = (
    *MODEL["nsi"],
    *CSI,
    "--scan",
    "eps_u_ee=-0.4..0.8",
    "--toys",
    "100",
    "--points",
    "9",
    "--rounds",
    "0",
)

Row = tuple[str, float | None, tuple[str, ...]]
PLAIN: Sequence[Row] = (
    ("MIGRAD by hand, CsI 2021", None, ("coherent-csi-2021",)),
    ("MIGRAD by hand, CsI 2021 + LAr 2020", None, ("coherent-csi-2021", "coherent-lar-2020")),
)
COMMANDS: Sequence[Row] = (
    ("predict, CsI 2021", 1.0, ("predict", *MODEL["standard-model"], *CSI)),
    ("fit s_W², CsI 2021", 1.5, ("fit", *ANGLE, *CSI)),
    ("fit s_W², CsI 2021 + LAr 2020", 2.5, ("fit", *ANGLE, *CSI, *LAR)),
    ("limit m_Z', CsI 2021", 1.5, ("limit", *MASS, *CSI)),
    ("limit m_Z', LAr 2020", 2.5, ("limit", *MASS, *LAR)),
    ("limit m_Z', both", 3.5, ("limit", *MASS, *CSI, *LAR)),
    (
        "combine s_W², both",
        4.0,
        ("combine", *MODEL["standard-model"], *CSI, *LAR, "--scan", "sin2_theta_w=0.05..0.5"),
    ),
    ("sensitivity to ε, CsI 2021", 3.0, ("sensitivity", *EPSILON)),
    ("map 101 x 101 of two ε, CsI 2021", 4.0, ("map", *EPSILON, "--scan", "eps_u_mumu=-0.5..1")),
    (
        "map 300 x 1000 of mass and coupling, both",
        10.0,
        (
            "map",
            "--model",
            "light-vector",
            *CSI,
            *LAR,
            "--scan",
            "m_mediator=1..1000MeV",
            "--scan",
            "g_mediator=1e-6..1e-3",
            "--points",
            "300x1000",
        ),
    ),
    (
        "goodness, 100 toys, CsI 2021",
        2.0,
        ("goodness", *MODEL["standard-model"], *CSI, "--toys", "100"),
    ),
    (
        "significance, CsI 2021",
        None,
        (
            "significance",
            *MODEL["scaled-standard-model"],
            *CSI,
            "--free",
            "signal_strength=1",
            "--null",
            "signal_strength=0",
        ),
    ),
    ("impact on s_W², CsI 2021", None, ("impact", *ANGLE, *CSI)),
    ("feldman-cousins of the README, CsI 2021", 15.0, ("feldman-cousins", *TOYS)),
)


FIRST: Sequence[Row] = (
    ("fit s_W², CsI 2021, --engine fast, first use", 15.0, ("fit", *ANGLE, *CSI, "--engine", "fast")),
)


def seconds(command: Sequence[str], times: int, compiled: str | None = None) -> float:
    """Return the shortest time of a command, each in a process of its own; Numba keeps files in a folder.

    Python may keep what it compiles, as it does for whoever has installed the package.
    """
    others = ("OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE")
    surroundings = {key: value for key, value in os.environ.items() if key not in others}
    surroundings |= {"NUMBA_CACHE_DIR": compiled} if compiled else {}
    found = []
    for _ in range(times):
        start = time.perf_counter()
        done = subprocess.run(
            command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        found.append(time.perf_counter() - start)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return min(found)


def latency(times: int = 3) -> list[dict[str, object]]:
    """Measure all rows: what, bound and seconds."""
    os.environ.setdefault("NURECOIL_DATA", str(ROOT.parent / "shared" / "data"))
    plain = [sys.executable, str(ROOT / "benchmarks" / "plain_fit.py")]
    nurecoil = [sys.executable, "-m", "nurecoil"]
    with TemporaryDirectory() as empty:
        return [
            {"what": what, "bound": bound, "seconds": seconds([*first, *arguments], number, folder)}
            for first, rows, number, folder in (
                (plain, PLAIN, times, None),
                (nurecoil, COMMANDS, times, None),
                (nurecoil, FIRST, 1, empty),
            )
            for what, bound, arguments in rows
        ]


if __name__ == "__main__":
    for row in latency(*(int(text) for text in sys.argv[1:2])):
        bound = f"{row['bound']:g} s" if row["bound"] else ""
        print(f"{row['what']:42} {row['seconds']:7.2f} s  {bound}", flush=True)
