"""docs/cards.md: what the schema says, with an example of each kind that is read."""

import importlib.util
from pathlib import Path

import pytest

from nurecoil.experiment.card.toml import Reader

HOME = Path(__file__).parents[1] / "docs"
SPEC = importlib.util.spec_from_file_location("make_cards", HOME / "make_cards.py")
make_cards = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_cards)
PLACES = dict(make_cards.places())


def test_the_page_is_what_the_schema_says():
    written = (HOME / "cards.md").read_text(encoding="utf-8")
    assert written == make_cards.page(), "write it anew: python docs/make_cards.py"


def test_all_parts_with_kinds_are_there():
    detector = {"detector.quenching", "detector.smearing", "detector.efficiency"}
    assert set(PLACES) == detector | {"source", "time", "time.efficiency", "signal_pulls"}


@pytest.mark.parametrize("place", PLACES)
def test_each_kind_has_an_example_that_is_read(place):
    given = make_cards.examples(place)
    tags = [next(example[tag] for tag in ("kind", "effect", "flux") if tag in example) for example in given]
    assert tags == list(PLACES[place])
    for example, kind in zip(given, PLACES[place].values(), strict=True):
        reader = Reader([])
        assert isinstance(reader.chosen(PLACES[place], example, place), kind)
        assert reader.problems == []


@pytest.mark.parametrize(
    "row",
    [
        "| `mass` | a text with its unit, from 1e-06 to 1e+09 kg | must be given | ",
        "| `light_yield_per_kev` | a number above 0 and at most 1e+09 | `1` | Y, the observable per keV",
        "| `release` | a text | none | where all files are (`nurecoil data list`); else beside the card |",
        "| `counts` | a number from 0 to 1e+12 counts, or 'table' | must be given | ",
        "| `efficiency_at` | 'observable' or 'true' | `\"observable\"` |",
        "## [[backgrounds.factors]]",
        '### effect = "neutron-radius"',
    ],
)
def test_units_bounds_defaults_and_descriptions(row):
    assert row in make_cards.page()
