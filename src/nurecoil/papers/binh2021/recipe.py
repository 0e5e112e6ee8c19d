"""The recipe: compute, compare with what is printed, describe figures, report and results file."""

from collections.abc import Callable

from nurecoil.papers.binh2021 import compute, contents, pictures, verdicts
from nurecoil.papers.binh2021.equations import equation_findings
from nurecoil.papers.binh2021.published import load_published
from nurecoil.papers.binh2021.results import results_file
from nurecoil.papers.binh2021.setup import prepare
from nurecoil.papers.binh2021.statements import statement_findings
from nurecoil.papers.paper import Paper, Reproduction


def reproduce(progress: Callable[[str], None]) -> Reproduction:
    """Recompute the paper; `progress` is told of each step."""
    published = load_published()
    progress("compiling the experiments")
    setup = prepare()
    progress("computing Tables I and III")
    table3 = compute.table3(setup, published.table3_masses_gev)
    limits = compute.all_limits(setup, progress)
    progress("comparing with the printed numbers")
    findings = equation_findings(published.couplings) | statement_findings(setup, published, table3, limits)
    rows = (
        verdicts.table3_rows(published, table3)
        + verdicts.limit_rows(setup, published, limits)
        + verdicts.statement_rows(published, findings)
        + verdicts.input_rows(published)
    )
    progress("describing the figures")
    figures = (
        pictures.summary_figure(published, limits),
        pictures.weak_charge_figure(1, (0.5, 10.0)),
        pictures.weak_charge_figure(2, (0.5, 4.0)),
        pictures.cross_section_figure(setup),
        pictures.events_figure(setup),
        pictures.profile_figure(5, "CsI", ["binh2021-csi"], limits),
        pictures.profile_figure(6, "LAr", ["binh2021-lar"], limits),
        pictures.profile_figure(7, "Ge", ["binh2021-ge"], limits),
        pictures.profile_figure(8, "NaI", ["binh2021-nai-185", "binh2021-nai-2000"], limits),
    )
    return Reproduction(
        contents.document(setup, published, limits, rows, figures),
        results_file(setup, published, table3, limits, rows),
        contents.summary_table(rows),
    )


BINH2021 = Paper(name="binh2021", title=contents.TITLE, steps=9, reproduce=reproduce)
