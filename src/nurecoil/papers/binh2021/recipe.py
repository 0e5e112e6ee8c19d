"""The recipe: compute, compare with what is printed, describe figures, report and results file."""

from collections.abc import Callable

from nurecoil.papers.binh2021 import compute, contents, pictures
from nurecoil.papers.binh2021.equations import equation_findings
from nurecoil.papers.binh2021.published import load_published
from nurecoil.papers.binh2021.setup import prepare
from nurecoil.papers.binh2021.statements import statement_findings
from nurecoil.papers.binh2021.verdicts import all_rows
from nurecoil.presentation.comparison import Comparison

STEPS = 9


def reproduce(progress: Callable[[str], None]) -> Comparison:
    """Recompute the paper; `progress` is told of each step."""
    published = load_published()
    progress("compiling the experiments")
    setup = prepare()
    progress("computing Tables I and III")
    table3 = compute.table3(setup, published.table3_masses_gev)
    limits = compute.all_limits(setup, progress)
    progress("comparing with the printed numbers")
    findings = equation_findings(published.couplings) | statement_findings(setup, published, table3, limits)
    rows = all_rows(setup, published, table3, limits, findings)
    progress("describing the figures")
    figures = pictures.all_figures(setup, published, limits)
    return Comparison(
        contents.document(setup, published, limits, rows, figures),
        (contents.summary_table(rows),),
        contents.results(setup, published, table3, limits, rows),
    )
