"""The results file: every number of the report, for programs."""

from collections.abc import Sequence
from dataclasses import asdict

from nurecoil.models import ZPRIME_331
from nurecoil.papers.binh2021 import compute
from nurecoil.papers.binh2021.compute import LimitResult, Table3
from nurecoil.papers.binh2021.published import Published
from nurecoil.papers.binh2021.setup import (
    CL,
    MU_NU,
    N_SM_OF_THE_PAPER,
    REFERENCE_MASS,
    S13_TILDE,
    SIN2_THETA_W,
    Setup,
)
from nurecoil.papers.binh2021.verdicts import Row
from nurecoil.study.result import conventions


def paper_conventions(setup: Setup) -> dict[str, object]:
    """Return the convention ledger of the recomputed paper."""
    return {
        "sin2_theta_w": SIN2_THETA_W,
        "s13_tilde": S13_TILDE,
        "mu_nu [mu_B]": MU_NU,
        "reference_mass_of_frozen_pulls [TeV]": REFERENCE_MASS / 1e6,
        "cl": CL,
        "n_sm_of_the_paper": N_SM_OF_THE_PAPER,
        "scaling": 'table3 and limits of binh2021-csi in variant "numbers" have N_SM scaled to 188; variant'
        ' "equations" is not scaled',
        **conventions(ZPRIME_331, list(setup.experiments.values())),
    }


def results_file(
    setup: Setup,
    published: Published,
    table3: Table3,
    limits: Sequence[LimitResult],
    rows: Sequence[Row],
) -> dict[str, object]:
    """Return the numbers of the report, ready for JSON."""
    return {
        "table1": compute.table1(),
        "table3": {
            "printed": published.table3,
            "equations": table3.unscaled["equations"],
            "numbers": table3.scaled["numbers"],
            "equations_scaled": table3.scaled["equations"],
            "numbers_unscaled": table3.unscaled["numbers"],
        },
        "standard_model_totals": dict(setup.standard_model_totals),
        "limits": [
            {
                "experiment": r.experiment,
                "beta": r.beta,
                "variant": r.variant,
                "nuisances": r.nuisances,
                "sigma_sys": r.systematic,
                "cl": CL,
                "allowed_tev": [list(interval) for interval in r.allowed_tev],
                "lower_limit_tev": r.lower_limit_tev,
                "printed_tev": published.limit_tev(r.experiment, r.beta),
                "converged": r.profile.converged,
            }
            for r in limits
        ],
        "verdicts": [asdict(row) for row in rows],
        "conventions": paper_conventions(setup),
    }
