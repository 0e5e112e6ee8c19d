import re
from html.parser import HTMLParser

import pytest

from nurecoil.papers.binh2021 import contents, published
from nurecoil.papers.binh2021.paper import prepare
from nurecoil.presentation.document import Document, Figure, Panel, Section, Series, Table
from nurecoil.presentation.report import to_html, to_markdown

PNG = b"\x89PNG\r\n\x1a\n rest"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>'
WHY = (
    "The printed number follows when the quenching factor is held at its central value.",
    "The equations give a weaker limit: the text leaves the binning of the steady-state background open.",
    "Taken from table 2 of the paper as it stands.",
    "Agrees to the printed digits.",
)
VERDICTS = ("reproduced", "not reproduced", "input", "not traced")


def figure(name, **changes):
    panel = Panel("x", "y", (Series([0, 1], [0, 1], "line"),))
    fields = {"title": f"Title of {name}", "caption": f"Caption of {name}.", "panels": (panel,)}
    return Figure(name, **(fields | changes))


def results(count=40):
    rows = []
    for i in range(count):
        target = ("CsI", "Ar", "Ge", "CsI + Ar")[i % 4]
        beta = ("β = −√3", "β = −1/√3", "β = 1/√3", "β = √3")[i // 4 % 4]
        rows.append(
            (
                f"Limit on *m*<sub>Z′</sub>, {target}, {beta}" if i % 3 else f"{target}: SM counts, bin {i}",
                f"{0.4 + 0.083 * i:.3g} TeV",
                f"{0.41 + 0.081 * i:.3g} TeV",
                f"{0.4 + 0.083 * i:.3g} TeV" if i % 5 else "",
                VERDICTS[i * 7 % 4],
                WHY[i * 7 % 4],
            )
        )
    return Table(
        title="All numbers, one by one",
        columns=("quantity", "printed", "equations", "numbers", "verdict", "why"),
        rows=tuple(rows),
        caption="*equations*: as the paper writes them; *numbers*: with the settings that give its figures.",
        right=(1, 2, 3),
        status_column=4,
    )


def sample():
    """A document that uses every feature."""
    small = Table(
        "Inputs | constants", ("name", "|value|"), (("s<sub>W</sub>²", "0.2387"), (r"a \| b", "x|y"))
    )
    return Document(
        title="Limits on *Z*′ bosons: 331 models & coherent scattering",
        subtitle="An independent recomputation of a paper, number by number",
        lead="Of **40** numbers 10 are reproduced. The limit *m*<sub>Z′</sub> > 1.4 TeV is **not**: "
        "χ² < 2.71 gives 0.84 TeV with the equations as printed.",
        sections=(
            Section(
                "What was found",
                (
                    "A first paragraph with β = −1/√3, *E*<sub>ν</sub> ≤ 52.8 MeV, 10<sup>−39</sup> cm² and "
                    "`code`. A heavy mediator shifts the weak charge, so that the rate falls and does "
                    "not depend on the recoil energy; the spectrum keeps its shape.",
                    figure("fig1"),
                    "- one\n- two, see [the paper](https://example.org/paper)",
                    small,
                ),
            ),
            Section("All numbers", ("Each row is one number of the paper.", results())),
            Section("Profiles", (figure("fig2", columns=2, alt='Curves "and" <lines>'),)),
            Section("Limits together", (figure("fig3"),)),
            Section("Profiles", ("The same title again.", figure("fig4"))),
        ),
    )


def images(document):
    return {f.name: PNG if i % 2 else SVG for i, f in enumerate(document.figures)}


class Page(HTMLParser):
    """Tags in order, text by open tag, and whether every tag is closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.text, self.chips = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "span" and "chip" in attrs.get("class", "").split():
            self.chips.append([attrs["class"].split()[1], ""])
        if tag not in {"meta", "link", "img", "br"}:
            self.open.append((tag, "chip" in attrs.get("class", "").split()))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1][1]:
            self.chips[-1][1] += data


@pytest.fixture(scope="module")
def html():
    return to_html(sample(), images(sample()))


@pytest.fixture(scope="module")
def markdown():
    return to_markdown(sample(), lambda f: f"figures/{f.name}.png")


def test_html_is_well_formed_and_complete(html):
    page = Page(html)
    assert not page.open
    text = "".join(page.text)
    for section in sample().sections:
        assert section.title in text
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == 2
    assert tags.count("tr") == 2 + 2 + 40
    assert tags.count("section") == tags.count("li") - 2 == 5
    assert tags.count("h1") == 1
    assert [a["id"] for t, a in page.tags if t == "figure"] == ["fig1", "fig2", "fig3", "fig4"]
    for f in sample().figures:
        assert f.title in text
        assert f.caption in text
    for why in WHY:
        assert text.count(why) == 10


def test_html_loads_nothing(html):
    page = Page(html)
    for tag, attrs in page.tags:
        if tag != "a":
            assert not any("//" in (value or "")[:40] for value in attrs.values()), (tag, attrs)
        for name in ("src", "srcset", "data", "poster", "background"):
            assert attrs.get(name, "data:").startswith("data:")
    assert not {"script", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in html


def test_html_is_accessible(html):
    page = Page(html)
    assert ("html", {"lang": "en"}) in page.tags
    alts = [a["alt"] for t, a in page.tags if t == "img"]
    assert alts == ["Title of fig1", 'Curves "and" <lines>', "Title of fig3", "Title of fig4"]
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for t, a in page.tags if t == "a" and a["href"].startswith("#")]
    assert len(links) == 5
    assert set(links) <= set(ids)
    assert "<title>Limits on Z′ bosons: 331 models &amp; coherent scattering</title>" in html


def test_chips_carry_their_word_and_their_tone(html):
    chips = Page(html).chips
    assert [word for _, word in chips] == [row[4] for row in results().rows]
    assert {tuple(chip) for chip in chips} == {
        ("good", "reproduced"),
        ("bad", "not reproduced"),
        ("plain", "input"),
        ("fair", "not traced"),
    }


def test_contrast_of_every_chip_is_readable(html):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    pairs = re.findall(r"\.(?:good|bad|fair|plain) \{ color: (#\w{6}); background: (#\w{6})", html)
    assert len(pairs) == 4
    for ink, paper in pairs:
        assert (luminance(paper) + 0.05) / (luminance(ink) + 0.05) > 7


def test_every_table_becomes_cards_on_a_narrow_screen(html):
    tables = [attrs["class"].split() for tag, attrs in Page(html).tags if tag == "table"]
    assert all("cards" in classes for classes in tables)
    assert ["wide" in classes for classes in tables] == [False, True]
    (width,) = re.findall(r"max-width: ([\d.]+)rem\) \{\s*\.cards", html)
    assert 900 <= 16 * float(width) <= 1000


def test_only_long_cells_take_a_whole_line_of_a_card(html):
    cells = [attrs["class"].split() for tag, attrs in Page(html).tags if tag == "td" and "class" in attrs]
    assert sum("long" in classes for classes in cells) == 40  # the reasons


def test_a_no_break_space_stays_one():
    table = Table("T", ("a",), (("0.5 to 0.6; ≥\u00a01.25\n TeV",),))
    document = Document("T", "", "", (Section("S", (table,)),))
    for text in (to_html(document, {}), to_markdown(document, lambda figure: figure.name)):
        assert "0.6; ≥\u00a01.25 TeV" in text


def test_the_ledger_of_the_paper_is_prose_not_python():
    table = contents.conventions_table(prepare())
    ledger = dict(table.rows)
    assert "pull_widths: (binh2021-csi_signal: 0.28; binh2021-csi_background: 0.25)" in ledger["binh2021-csi"]
    assert not any(mark in cell for row in table.rows for cell in row for mark in "{}'")


def test_table_1_of_the_paper_has_minus_signs():
    cells = [cell for row in contents.table1_table().rows for cell in row]
    assert any(cell.startswith("−0.") for cell in cells)
    assert not any("-" in cell for cell in cells)


def test_other_bounds_are_found_in_the_summary_figure():
    rows = [row for row in published.ROWS if row.quantity.startswith("lower limit of others")]
    assert sum(row.why.endswith("in the summary figure.") for row in rows) == 6
    assert not any("last figure" in row.why for row in rows)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m<sub>Z′</sub> < 3 & > 1", "m<sub>Z′</sub> &lt; 3 &amp; &gt; 1"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<sup onclick=x>2</sup>", "&lt;sup onclick=x&gt;2</sup>"),
        ("![x](https://example.org/x.png)", "!<a href"),
        ("|F|²", "|F|²"),
        (r"a \| b", "a | b"),
    ],
)
def test_only_plain_inline_tags_pass(text, expected):
    table = Table("t", ("a", "b"), (("first", text),))
    page = to_html(Document("T", "s", text, (Section("S", (text, table)),)), {})
    assert page.count(expected) == 3  # lead, paragraph, cell
    assert "<script" not in page
    assert "<img" not in page
    assert "onclick=x>2" not in page


def test_markdown_is_complete(markdown):
    assert markdown.startswith("# Limits on *Z*′ bosons")
    assert re.findall(r"^## (.*)$", markdown, re.M) == [s.title for s in sample().sections]
    for f in sample().figures:
        assert f"](figures/{f.name}.png)\n\n**{f.title}.** {f.caption}\n" in markdown
    assert '![Curves "and" <lines>](figures/fig2.png)' in markdown
    assert "**All numbers, one by one**" in markdown
    assert "\n\n\n" not in markdown
    assert markdown.endswith("\n")


def test_markdown_tables_are_rectangular(markdown):
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", line)) - 1 for line in lines]
    assert widths == [2] * 4 + [6] * 42
    assert "|:---|---:|---:|---:|:---|:---|" in lines
    assert r"| name | \|value\| |" in lines
    assert r"| a \| b | x\|y |" in lines
    assert sum("| not reproduced |" in line for line in lines) == 10


def test_markdown_tables_are_tables_to_a_parser(markdown):
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    assert sum(token.type == "tr_open" for token in tokens) == 2 + 2 + 40
