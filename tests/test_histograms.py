"""Columns and histograms: events, bin centres, edges, projections, and what is refused."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.errors import NurecoilError
from nurecoil.experiment.card import experiment_names, read_card
from nurecoil.experiment.histograms import exponential, histogram, read_columns, require_one_row_each
from releases import data_folder, release_file

EDGES = {"energy": (0.0, 1.0, 3.0), "time": (0.0, 2.0, 4.0, 8.0)}
BOTH = {"energy": 0, "time": 1}


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a data file and reads it."""

    def numbers(content):
        (tmp_path / "data.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_columns(tmp_path / "data.txt")[0]

    return numbers


# --- files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "1 2 3\n4 5 6\n",
        "  1   2 3  \n 4 5    6",
        "1,2,3\n4,5,6",
        "1, 2,\t3\n4 ,5, 6\n",
        "1;2;3\n4;5;6\n",
        "1\t2\t3\n4 \t 5\t6\t\n",
        "# energy; time, counts\n1 2 3\n\n4 5 6 # last\n",
        "1 2 3\r\n4 5 6\r\n",
        "1 2 3\r4 5 6\r",
        "1e0 20e-1 +3\n4. 5.0 6",
        b"\xef\xbb\xbf1 2 3\n4 5 6\n",
        b"\xef\xbb\xbf# a comment\n1,2,3\n4,5,6\n",
    ],
)
def test_numbers_are_parted_by_one_separator(read, content):
    np.testing.assert_array_equal(read(content), [[1, 2, 3], [4, 5, 6]])


def test_one_row_and_one_column_stay_a_table(read):
    assert read("1 2 3").shape == (1, 3)
    assert read("1\n2\n3").shape == (3, 1)


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "NaN", "1e999"])
def test_a_number_that_is_not_finite_is_named_with_its_line(read, bad):
    with pytest.raises(NurecoilError, match=rf"'{bad}' in line 4 is no finite number"):
        read(f"# PE counts\n1 2\n3 4\n5 {bad}\n6 7\n")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("row", ["15{0}{0}30", "{0}15{0}30", "15{0} {0}30", "15{0}30{0}{0}30"])
def test_an_empty_cell_is_refused_wherever_it_is(read, separator, row):
    with pytest.raises(NurecoilError, match="an empty cell in line 3"):
        read(f"# a{separator}b\n1{separator}2{separator}3\n{row.format(separator)}\n")
    with pytest.raises(NurecoilError, match="an empty cell in line 1"):  # in every line of the file
        read(f"{row.format(separator)}\n" * 3)


@pytest.mark.parametrize(
    "row", ["12,5\t30", "12,5 30", "12,5;30", "12,5  30,5", "1.5;2,5", "1;2 3", "1\t2 3"]
)
def test_a_decimal_comma_or_a_second_separator_is_refused_with_its_line(read, row):
    for rows, line in ((f"{row}\n{row}\n", 1), (f"1{row[-2]}2\n{row}\n", 2)):
        with pytest.raises(
            NurecoilError,
            match=rf"in line [1-{line}] is no finite number; cells are parted by (commas|semi|tabs)",
        ):
            read(rows)


@pytest.mark.parametrize(
    "cell", ["two", "1_000", "\u0661", "\u22121", "1\u00a0000", "0x10", '"1"', "1d5", "--1", "1.2.3"]
)
def test_what_is_no_number_is_named_with_its_line(read, cell):
    with pytest.raises(NurecoilError, match="in line 2 is no finite number; cells are parted by blanks"):
        read(f"1 2\n3 {cell}\n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no line of numbers"),
        ("# nothing\n\n", "no line of numbers"),
        ("1 2\n3\n", "line 2 has 1 cells, those before it 2"),
        ("1,2\n# and\n3,4,5\n", "line 3 has 3 cells, those before it 2"),
        (b"\xff\xfe1\x00 \x002\x00", "codec"),
        ("1 2\n".encode("utf-16-le"), "in line 1 is no finite number"),
    ],
)
def test_what_is_no_table_is_refused(read, content, reason):
    with pytest.raises(NurecoilError, match=reason):
        read(content)


@pytest.mark.parametrize(
    ("rows", "last", "pair"),
    [
        ("1,5\n2,5\n", 0, "1,5"),  # events, or one column and a decimal comma
        ("1,5,102,20\n2,5,98,00\n", 1, "1,5"),
        ("1,5,102\n2,05,98\n", 1, "1,5"),  # energies have decimals, counts have none
        ("15,102,20\n25,98,00\n", 1, "15,102"),
        ("-1,5e3,7\n-2,5e3,8\n", 1, "-1,5e3"),
        ("3,1,50\n4,-1,50\n", 1, "1,50"),  # a fraction has no sign, so the first two are two numbers
    ],
)
def test_a_comma_that_may_be_decimal_is_refused_where_columns_are_left_over(tmp_path, rows, last, pair):
    (tmp_path / "data.csv").write_text(f"# counts\n{rows}")
    with pytest.raises(
        NurecoilError, match=f"'{pair}' in line 2 may be one number or two, as of . columns none"
    ):
        read_columns(tmp_path / "data.csv", last)


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ("1,5,102\n2,5,98\n", 2),  # all columns are used: with a decimal comma there would be too few
        ("1,5\n2.0,5\n", 0),  # decimals follow a point
        ("1, 5\n2, 5\n", 0),  # a blank behind each comma
        ("1,5\n2,-5\n", 0),  # a sign
        ("0.5,1,5\n1.5,2,5\n", 1),
        ("1,-5,1,5\n2,-5,1,5\n", 0),  # what may be decimal is not used
        ("1;5;102\n", 0),
        ("1 5 102\n", 0),
    ],
)
def test_commas_that_can_only_part_columns_are_read(tmp_path, rows, last):
    (tmp_path / "data.csv").write_text(rows)
    np.testing.assert_array_equal(
        read_columns(tmp_path / "data.csv", last)[0], read_columns(tmp_path / "data.csv")[0]
    )


def test_a_file_is_read_with_its_hash_and_named_in_errors(tmp_path):
    path = tmp_path / "data.txt"
    path.write_bytes(b"1 2\n3 4\n")
    numbers, sha256 = read_columns(path)
    np.testing.assert_array_equal(numbers, [[1, 2], [3, 4]])
    assert sha256 == hashlib.sha256(b"1 2\n3 4\n").hexdigest()
    path.write_bytes(b"1 2\n3,4\n")
    with pytest.raises(NurecoilError, match=r"data\.txt is not a table of numbers: .* in line 1"):
        read_columns(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(NurecoilError, match=r"cannot read the data file .*absent\.txt: No such file"):
        read_columns(tmp_path / "absent.txt")
    with pytest.raises(NurecoilError, match=r"cannot read the data file .*: Is a directory"):
        read_columns(tmp_path)


@pytest.mark.parametrize("name", [name for name in experiment_names() if name.startswith("coherent-")])
def test_the_releases_are_read_as_plain_loadtxt_reads_them(name):
    card = read_card(name)[1]
    release_file(name, card.data.observed.file)
    for path in sorted((data_folder() / name).glob("*.txt")):
        plain = np.loadtxt(path.read_text(encoding="utf-8").replace(",", " ").splitlines(), ndmin=2)
        np.testing.assert_array_equal(read_columns(path)[0], plain)


# --- histograms ---------------------------------------------------------------------------------------


def test_events_are_counted():
    events = np.array([[0.5, 1], [0.5, 1.9], [2.9, 7], [1.5, 3], [5, 1], [0.5, -1]])
    np.testing.assert_array_equal(histogram(events, BOTH, EDGES), [[2, 0, 0], [0, 1, 1]])


def test_bin_centres_bring_their_counts():
    centres = np.array([[0.5, 1, 10], [0.5, 3, 2.5], [2, 6, 4], [2, 6, 1]])
    np.testing.assert_array_equal(histogram(centres, BOTH, EDGES, weight=2), [[10, 2.5, 0], [0, 0, 5]])


def test_bins_hold_their_lower_edge_and_not_the_upper():
    rows = np.array([[0.0, 0], [1, 2], [1, 4], [3, 0], [0, 8]])
    np.testing.assert_array_equal(histogram(rows, BOTH, EDGES), [[1, 0, 0], [0, 1, 1]])


def test_an_axis_without_column_is_summed_over_and_the_order_is_that_of_the_axes():
    rows = np.array([[7.0, 0.5, 2], [1.0, 2.5, 3], [1.0, 0.5, 5]])  # time, energy, counts
    columns = {"time": 0, "energy": 1}
    whole = histogram(rows, columns, EDGES, weight=2)
    np.testing.assert_array_equal(whole, [[5, 0, 2], [3, 0, 0]])
    np.testing.assert_array_equal(histogram(rows, {"energy": 1}, EDGES, weight=2), whole.sum(axis=1))
    np.testing.assert_array_equal(histogram(rows, {"time": 0}, EDGES, weight=2), whole.sum(axis=0))


def test_a_projection_keeps_what_is_outside_the_other_axis():
    rows = np.array([[0.5, 1.0], [0.5, 100.0]])
    assert histogram(rows, {"energy": 0}, EDGES).tolist() == [2, 0]


def test_efficiencies_are_factors_of_rows():
    rows = np.array([[0.5, 1, 10], [2, 6, 4]])
    factors = {"energy": lambda x: x / 10, "time": lambda t: 1 / t}
    found = histogram(rows, BOTH, EDGES, weight=2, efficiencies=factors)
    np.testing.assert_allclose(found, [[10 * 0.05, 0, 0], [0, 0, 4 * 0.2 / 6]])
    assert rows[0, 2] == 10  # the table is left as it was


@given(st.lists(st.tuples(st.floats(-1, 4), st.floats(-1, 9)), max_size=30))
def test_every_event_inside_is_in_one_bin(events):
    table = np.array(events, dtype=float).reshape(-1, 2)
    inside = sum(0 <= e < 3 and 0 <= t < 8 for e, t in events)
    assert histogram(table, BOTH, EDGES).sum() == inside


@pytest.mark.parametrize(("columns", "weight", "highest"), [({"energy": 2}, None, 2), ({"energy": 0}, 5, 5)])
def test_a_missing_column_is_named(columns, weight, highest):
    with pytest.raises(NurecoilError, match=f"column {highest} is asked for, but there are 2"):
        histogram(np.zeros((3, 2)), columns, EDGES, weight)


def test_exponential_is_the_integral():
    # ∫ e^(-x/2) from 0 to 2 and 2 to 6: 2(1 - 1/e) and 2(1/e - 1/e³)
    expected = [2 * (1 - math.exp(-1)), 2 * (math.exp(-1) - math.exp(-3))]
    np.testing.assert_allclose(exponential((0.0, 2.0, 6.0), 0.5), expected, rtol=1e-14)
    np.testing.assert_allclose(exponential((0.0, 2.0, 6.0), 0.0), [2, 4], rtol=1e-14)
    np.testing.assert_allclose(exponential((0.0, 2.0, 6.0), 1e-9), [2, 4], rtol=1e-7)


@pytest.mark.parametrize("rate", [1e-17, -1e-17, 1e3, -1e3, 1e6, 0.3, -0.3])
@pytest.mark.parametrize("start", [0.0, 50.0, -6.0])
def test_exponential_neither_vanishes_nor_overflows_at_any_rate(rate, start):
    # the share of the first of two bins of 1 us: 1/(1 + e^{-rate})
    first, second = exponential((start, start + 1, start + 2), rate)
    share = 1 / (1 + math.exp(-rate)) if rate > -700 else 0.0
    assert first / (first + second) == pytest.approx(share, rel=1e-10)


def test_a_table_of_counts_needs_one_row_a_bin_and_no_two_at_one_place():
    edges = {"energy": (0.0, 2.0, 4.0)}
    with pytest.raises(NurecoilError, match=r"no row in the bin 2 to 4"):
        require_one_row_each(np.array([[1.0, 5.0]]), {"energy": 0}, edges)
    with pytest.raises(NurecoilError, match=r"the position 1 stands in 2 rows, first in row 1"):
        require_one_row_each(np.array([[1.0, 5.0], [1.0, 5.0], [3.0, 2.0]]), {"energy": 0}, edges)
    require_one_row_each(np.array([[1.0, 5.0], [1.5, 5.0], [3.0, 0.0]]), {"energy": 0}, edges)
