"""Columns and histograms: events, bin centres, edges, projections, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.errors import NurecoilError
from nurecoil.histograms import exponential, histogram, read_columns, require_one_row_each

EDGES = {"energy": (0.0, 1.0, 3.0), "time": (0.0, 2.0, 4.0, 8.0)}
BOTH = {"energy": 0, "time": 1}


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a data file."""

    def write(content):
        path = tmp_path / "data.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# --- files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "1 2 3\n4 5 6\n",
        "1,2,3\n4,5,6",
        "1, 2,\t3\n4 ,5, 6\n",
        "# energy time counts\n1 2 3\n\n4 5 6 # last\n",
        "1 2 3\r\n4 5 6\r\n",
        "1e0 20e-1 +3\n4. 5.0 6",
    ],
)
def test_numbers_are_parted_by_commas_or_blanks(written, content):
    np.testing.assert_array_equal(read_columns(written(content)), [[1, 2, 3], [4, 5, 6]])


def test_one_row_and_one_column_stay_a_table(written):
    assert read_columns(written("1 2 3")).shape == (1, 3)
    assert read_columns(written("1\n2\n3")).shape == (3, 1)


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "NaN"])
def test_a_number_that_is_none_is_named_with_its_row(written, bad):
    with pytest.raises(NurecoilError, match=r"data\.txt has a number that is not finite in row 3"):
        read_columns(written(f"1 2\n3 4\n5 {bad}\n6 7\n"))


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "1 2\n3\n", "1 two\n", b"\xff\xfe1 2\n", "1 2 3,,4\n1 2\n"]
)
def test_what_is_no_table_is_refused(written, content):
    with pytest.raises(NurecoilError, match=r"data\.txt is not a table of numbers"):
        read_columns(written(content))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(NurecoilError, match=r"cannot read the data file .*absent\.txt: No such file"):
        read_columns(tmp_path / "absent.txt")
    with pytest.raises(NurecoilError, match=r"cannot read the data file .*: Is a directory"):
        read_columns(tmp_path)


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


def test_a_table_of_counts_needs_one_row_a_bin_and_no_two_at_one_place():
    edges = {"energy": (0.0, 2.0, 4.0)}
    with pytest.raises(NurecoilError, match=r"no row in the bin 2 to 4"):
        require_one_row_each(np.array([[1.0, 5.0]]), {"energy": 0}, edges)
    with pytest.raises(NurecoilError, match=r"the position 1 stands in 2 rows, first in row 1"):
        require_one_row_each(np.array([[1.0, 5.0], [1.0, 5.0], [3.0, 2.0]]), {"energy": 0}, edges)
    require_one_row_each(np.array([[1.0, 5.0], [1.5, 5.0], [3.0, 0.0]]), {"energy": 0}, edges)
