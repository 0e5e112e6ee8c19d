"""What the analysis of Binh et al. (2021) gives with the binned data that COHERENT has since released."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from nurecoil.experiment import CompiledExperiment, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import ZPRIME_331
from nurecoil.models.zprime_331 import DOWN, ELECTRON, NEUTRINO, UP, VARIANTS, zprime_couplings
from nurecoil.papers.beta331_today.needs import Needs
from nurecoil.papers.binh2021.compute import Intervals, LimitResult
from nurecoil.papers.binh2021.paper import BETA_OF, BETA_TEXT, CL, S13_TILDE
from nurecoil.papers.binh2021.pictures import BETA_LABEL, limits_chart, printed_intervals
from nurecoil.papers.binh2021.published import BOUNDS, FIRST_LIMITS
from nurecoil.physics.constants import SIN2_THETA_W, SIN2_THETA_W_AT_Z
from nurecoil.presentation.comparison import Comparison, load_toml
from nurecoil.presentation.document import Document, Figure, Section, Table
from nurecoil.study.result import Result
from nurecoil.study.study import Study
from nurecoil.verbs.limit import Limit, limit

EXPERIMENTS = ("coherent-csi-2021", "coherent-lar-2020")
SCAN = (1e5, 1e8)  # MeV
POINTS = 1001
STEPS = 1 + len(BETA_OF)
WEAK_CHARGES = ("apv-cesium", "qweak-proton")
LHC = BOUNDS["LHC dileptons"]  # TeV


def reproduce(progress: Callable[[str], None]) -> Comparison:
    """Compute the limits and describe the page."""
    words = load_toml("nurecoil.papers.beta331_today", "report.toml")
    progress("compiling the experiments")
    compiled = [compile_experiment(load_experiment(name)) for name in EXPERIMENTS]
    results: dict[tuple[str, str], Result[Limit]] = {}
    for beta in BETA_OF:
        progress(f"limits for β = {BETA_TEXT[beta]}")
        results |= {(beta, variant): _limit(compiled, beta, variant) for variant in VARIANTS}
    charges = [compile_experiment(load_experiment(name)) for name in WEAK_CHARGES]
    weak = {beta: _reading(beta, "equations", _limit(charges, beta, "equations")) for beta in BETA_OF}
    progress("what it would take")
    limits = [_reading(beta, variant, result) for (beta, variant), result in results.items()]
    other = _reading("-sqrt3", "equations", _limit(compiled, "-sqrt3", "equations", SIN2_THETA_W_AT_Z))
    lows = {r.beta: r.lower_limit_tev or 0.0 for r in limits if r.variant == "equations"}
    shown = {"strong": lows.pop("-sqrt3"), "weak": max(lows.values()), "other": other.lower_limit_tev or 0.0}
    first, table = results["+sqrt3", "equations"], _table(limits)
    needs = Needs(LHC, first.values.profile.level)
    bounds = _bounds(limits, weak, words["bounds"])
    document = Document(
        title=words["title"],
        subtitle=words["subtitle"],
        lead=words["lead"].strip().format(**shown, other_s2=SIN2_THETA_W_AT_Z),
        sections=(
            Section("Allowed masses", (_figure(limits, words["caption"]), table)),
            Section("Beside other bounds", (bounds,)),
            Section("Couplings of the Z′", (words["couplings"].strip().format(**first.fixed), couplings())),
            Section(
                f"What it would take to reach the {LHC} TeV of the LHC",
                (
                    words["need"].strip(),
                    needs.by_beta(),
                    needs.by_setup(),
                    words["assumed"].strip(),
                    needs.figure(words["needs"]),
                ),
            ),
            Section("How", (words["how"].strip().format(**first.fixed),)),
        ),
    )
    records = [_record(r) for r in limits]
    raw = {"limits": records, "needs": needs.record(), "conventions": dict(first.conventions)}
    return Comparison(document, (table,), raw)


def _limit(
    compiled: Sequence[CompiledExperiment], beta: str, variant: str, sin2_theta_w: float = SIN2_THETA_W
) -> Result[Limit]:
    values: dict[str, Any] = {"beta": BETA_OF[beta], "variant": variant, "sin2_theta_w": sin2_theta_w}
    study = Study(ZPRIME_331, compiled, inside_units=True, **values)
    return limit(study, "m_zprime", SCAN, cl=CL, points=POINTS)


def _reading(beta: str, variant: str, result: Result[Limit]) -> LimitResult:
    return LimitResult(" + ".join(EXPERIMENTS), beta, variant, "profiled", None, result.values.profile)


def _figure(limits: Sequence[LimitResult], caption: str) -> Figure:
    groups = {
        f'CsI 2021 + LAr 2020, "{variant}"': {
            BETA_LABEL[r.beta]: r.allowed_tev for r in limits if r.variant == variant
        }
        for variant in VARIANTS
    }
    groups["printed by Binh et al. (2021)"] = printed_intervals()
    panel = limits_chart(groups, (0.1, 100.0))
    return Figure("331-beta-today", "Allowed masses of the Z′", caption, (panel,))


def _bounds(limits: Sequence[LimitResult], weak: dict[str, LimitResult], caption: str) -> Figure:
    groups: dict[str, dict[str, Intervals]] = {
        "CsI 2021 + LAr 2020": {
            BETA_LABEL[r.beta]: r.allowed_tev for r in limits if r.variant == "equations"
        },
        "weak charges of Cs and p": {BETA_LABEL[b]: r.allowed_tev for b, r in weak.items()},
        "quoted by Binh et al.": {label: ((tev, None),) for label, tev in BOUNDS.items()},
    }
    return Figure("331-beta-bounds", "All bounds on the Z′", caption, (limits_chart(groups, (0.1, 20.0)),))


def _table(limits: Sequence[LimitResult]) -> Table:
    rows = []
    for beta, text in BETA_TEXT.items():
        printed = (f"{x.detector} ≥ {x.tev:g}" for x in FIRST_LIMITS if x.beta == beta)
        rows.append((text, *(r.text() for r in limits if r.beta == beta), ", ".join(printed)))
    columns = ("β", *VARIANTS, "printed by Binh et al.")
    return Table("Allowed m<sub>Z′</sub> in TeV at 90 % CL", columns, tuple(rows))


def couplings() -> Table:
    """Return g_V and g_A of the Z' of every fermion that CEvNS and parity violation see, by β."""
    fermions = {"ν": NEUTRINO, "e, μ, τ": ELECTRON, "u": UP, "d": DOWN}
    rows = []
    for beta, text in BETA_TEXT.items():
        found = (
            zprime_couplings(f, BETA_OF[beta], SIN2_THETA_W, S13_TILDE**2 if f is DOWN else 0.0)
            for f in fermions.values()
        )
        rows.append((text, *(f"{float(g):.3f}".replace("-", "−") for pair in found for g in pair)))
    names = (f"g<sub>{kind}</sub>({name})" for name in fermions for kind in "VA")
    columns = ("β", *names)
    return Table("g<sub>V</sub> and g<sub>A</sub> of the Z′", columns, tuple(rows), right=tuple(range(1, 9)))


def _record(r: LimitResult) -> dict[str, object]:
    best = r.profile.best_fit / 1e6  # infinity, which JSON has not, where no Z' fits best
    return {
        "experiments": list(EXPERIMENTS),
        **r.record(),
        "best_fit_tev": best if math.isfinite(best) else None,
    }
