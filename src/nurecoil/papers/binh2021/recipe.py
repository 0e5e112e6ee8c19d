"""The recipe: compute, compare with what is printed, describe figures, report and results file."""

from collections.abc import Callable

from nurecoil.papers.binh2021 import compute, contents, paper, pictures, published
from nurecoil.papers.binh2021.equations import equation_findings
from nurecoil.papers.binh2021.statements import statement_findings
from nurecoil.papers.binh2021.verdicts import all_rows
from nurecoil.presentation.comparison import Comparison

STEPS = 9


def reproduce(progress: Callable[[str], None]) -> Comparison:
    """Recompute the paper; `progress` is told of each step."""
    progress("compiling the experiments")
    setup = paper.prepare()
    progress("computing Tables I and III")
    computed = compute.Computed(setup, compute.table3(setup), compute.all_limits(setup, progress))
    progress("comparing with the printed numbers")
    findings = equation_findings(published.COUPLINGS) | statement_findings(computed)
    rows = all_rows(computed, findings)
    progress("describing the figures")
    document = contents.document(setup, computed.limits, rows, pictures.all_figures(computed))
    return Comparison(document, (contents.summary_table(rows),), contents.results(computed, rows))
