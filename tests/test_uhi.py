"""Counts in bins by the histogram protocol of UHI, which mplhep and hist read."""

import numpy as np
import pytest
from uhi.numpy_plottable import ensure_plottable_histogram
from uhi.typing.plottable import PlottableAxisGeneric, PlottableHistogram, PlottableTraits

import nurecoil


@pytest.fixture(scope="module")
def study():
    return nurecoil.Study("standard-model", ["coherent-csi-2021", "conus-plus-2025"])


@pytest.fixture(scope="module")
def predicted(study):
    return {part.name: part for part in study.predict().values.parts}


def test_all_follow_the_protocol(study, predicted):
    groups = [each.histograms for each in (*study.data.values(), *predicted.values())]
    every = [histogram for group in groups for histogram in group.values()]
    assert len(every) > 10
    for histogram in every:
        assert isinstance(histogram, PlottableHistogram)
        assert ensure_plottable_histogram(histogram) is histogram  # how mplhep reads it
        assert histogram.kind == "COUNT"
        assert histogram.values().shape == tuple(map(len, histogram.axes))
        for axis in histogram.axes:
            assert isinstance(axis, PlottableAxisGeneric)
            assert isinstance(axis.traits, PlottableTraits)
            assert not axis.traits.discrete
            assert not axis.traits.circular
            assert axis[0][0] == axis.edges[0]
            assert axis[-1] == (axis.edges[-2], axis.edges[-1])
            assert [axis[n] for n in range(len(axis))] == list(axis)
            with pytest.raises(IndexError):
                axis[len(axis)]


def test_data_are_observed_counts_in_all_bins(study):
    seen = study.data["coherent-csi-2021"]
    histogram = seen.histograms["data"]
    np.testing.assert_array_equal(histogram.values(), seen.observed)
    np.testing.assert_array_equal(histogram.variances(), seen.observed)  # Poisson
    np.testing.assert_array_equal(histogram.counts(), seen.observed)
    assert [axis.label for axis in histogram.axes] == [axis.name for axis in seen.axes]
    along = seen.along(0).histograms
    assert along["data"].values().sum() == seen.observed.sum()
    assert set(along) == {*seen.backgrounds, "data"}


def test_gaussian_counts_have_their_variance(study, predicted):
    seen = study.data["conus-plus-2025"]
    for histogram in (seen.histograms["data"], predicted["conus-plus-2025"].histograms["data"]):
        np.testing.assert_array_equal(histogram.variances(), seen.variance)
        np.testing.assert_allclose(histogram.counts(), seen.observed**2 / seen.variance)


def test_what_is_expected_has_no_error(predicted):
    part = predicted["coherent-csi-2021"]
    found = part.histograms
    assert set(found) == {*part.backgrounds, "signal", "standard-model", "data"}
    np.testing.assert_array_equal(found["signal"].values(), part.counts)
    assert found["signal"].variances() is None
    assert found["signal"].counts() is None
    total = part.total
    found["signal"].values()[:] = 0.0  # a copy
    assert part.total == total > 0


def test_one_count_is_no_histogram():
    study = nurecoil.Study("standard-model", "binh2021-csi")
    assert study.data["binh2021-csi"].histograms == {}
    (part,) = study.predict().values.parts
    assert set(part.histograms) == {"signal", "standard-model"}
