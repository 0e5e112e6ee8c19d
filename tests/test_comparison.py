"""Rows of what is printed and what we find, and the tables made of them."""

import pytest

from nurecoil.presentation.comparison import (
    NOT_JUDGED,
    NOT_REPRODUCED,
    REPRODUCED,
    Entry,
    Row,
    judged,
    table,
    verdict,
)
from nurecoil.presentation.terminal import print_document_table

LONG = "a sentence that is far too long for a column beside others, whatever stands in these"


def row(agrees=True, **changes):
    fields = {"printed": Entry(306.0, 20.0), "ours": {"ours": Entry(296.0, 31.0)}, "why": LONG}
    return Row("one", "Table I", "events", verdict=verdict(agrees), **(fields | changes))


def test_the_difference_is_ours_minus_the_published_and_the_pull_in_its_errors():
    assert row().difference == -10.0
    assert row().pull == pytest.approx(-0.5)
    cells = row().cells()
    assert [cells[name] for name in ("published", "ours", "difference", "pull")] == [
        "306 ± 20",
        "296 ± 31",
        "−10",
        "−0.50",
    ]


@pytest.mark.parametrize("printed", [Entry(), Entry(306.0), Entry(text="quadratic")])
def test_without_a_published_number_or_its_error_there_is_no_pull(printed):
    assert row(printed=printed).pull is None
    assert row(printed=printed).cells()["pull"] == ""


def test_only_what_can_be_judged_is_counted():
    rows = [row(True), row(False), row(None)]
    assert [r.verdict for r in rows] == [REPRODUCED, NOT_REPRODUCED, NOT_JUDGED]
    assert judged(rows) == (rows[:2], rows[:1])


def test_a_narrow_terminal_leaves_out_prose_and_no_number_however_long(monkeypatch, capsys):
    long = Entry(text="1.75 frozen, 1.48 profiled, and with other systematics 2.08–2.12")
    shown = table(
        "Results", [row(printed=long, ours={"ours": long})], ("quantity", "printed", "ours", "verdict", "why")
    )
    for width, prose in (("80", False), ("160", True)):
        monkeypatch.setenv("COLUMNS", width)
        print_document_table(shown)
        out = capsys.readouterr().out
        assert out.count("2.08–2.12") == 2
        assert "reproduced" in out
        assert ("far too long" in out) is prose
        assert ("columns: why." in out) is not prose
