"""A paper and a validation that take no time, in place of the real ones."""

import numpy as np

from nurecoil import papers, validation
from nurecoil.papers import Paper
from nurecoil.presentation.comparison import Comparison
from nurecoil.presentation.document import Document, Figure, Panel, Section, Series, Table

LINE = Series(np.array([0.0, 1.0]), np.array([1.0, 2.0]), "line")
FIGURE = Figure("fig1", "A line", "", (Panel("x", "y", (LINE,)),))
DOCUMENT = Document("A paper", "again", "Lead.", (Section("One", ("Text.", FIGURE)),))
SUMMARY = Table(
    "Verdicts on *m*<sub>Z′</sub>",
    ("Quantity", "Printed", "Ours", "Verdict", "Why"),
    (
        ("*m*<sub>Z′</sub>, β = −√3", "**1.4** TeV", "1.41 TeV", "reproduced", "long words " * 30),
        ("μ<sub>ν</sub>", "10<sup>−11</sup>", "[bold] & <b>", "not reproduced", "`code`"),
    ),
    status_column=3,
    prose=("Why",),
)
REPORT = ["figures", "figures/fig1.csv", "figures/fig1.png", "figures/fig1.svg"]
REPORT = sorted([*REPORT, "report.html", "report.md", "results.json"])


def fake_paper(monkeypatch, *, results=None, fails=None):
    def reproduce(progress):
        progress("reading *m*<sub>Z′</sub>")
        if fails is not None:
            raise fails
        progress("computing")
        return Comparison(DOCUMENT, (SUMMARY,), results or {"limits": [{"allowed_tev": [[1.4, None]]}]})

    monkeypatch.setattr(papers, "load_paper", lambda name: Paper(name, 2, reproduce))


def fake_validation(monkeypatch):
    """Replace the numbers of a validation, not what is done with them."""

    def validate(names, progress, limits):
        assert set(names) <= set(validation.experiments())
        for name in names:
            progress(name)
        rows = [{"experiment": name, "quantity": "chi2", "ours": 1.0, "why": "why"} for name in names]
        return Comparison(DOCUMENT, (SUMMARY,), rows)

    monkeypatch.setattr(validation, "validate", validate)
