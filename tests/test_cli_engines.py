"""`--engine`, which every command has that minimises: another one changes no number."""

import numbers

import pytest

from command_line import read_json, run

CSI = ("--model", "nsi", "--experiment", "binh2021-csi")
BOTH = (*CSI, "--experiment", "binh2021-lar")
SCAN = ("--scan", "eps_u_ee=-0.4..0.8")
CURVE = (*SCAN, "--points", "101")
FREE = ("--free", "eps_u_ee=0.05", "--starts", "1")
COMMANDS = {
    "limit": (*BOTH, *CURVE),
    "map": (*BOTH, *SCAN, "--scan", "eps_u_mumu=-0.4..0.8", "--points", "21"),
    "fit": (*BOTH, *FREE),
    "goodness": (*BOTH, *FREE, "--toys", "20"),
    "significance": (*BOTH, *FREE, "--null", "eps_u_ee=0", "--truth", "eps_u_ee=0.1", "--toys", "20"),
    "sensitivity": (*BOTH, *CURVE, "--toys", "100"),
    "combine": (*BOTH, *CURVE),
    "impact": (*BOTH, *FREE),
    "sample": (*CSI, "--free", "eps_u_ee=-0.1..0.1", "--max-steps", "500"),
    "feldman-cousins": (*CSI, *SCAN, "--toys", "100", "--points", "5", "--rounds", "0"),
}


def leaves(value, path=""):
    """Return what JSON says, by place, but for the settings of the question."""
    if path == "provenance":
        return {}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = {}
    for name, item in items:
        found |= leaves(item, f"{path}.{name}".strip("."))
    return found or {path: value}


@pytest.mark.parametrize("verb", COMMANDS)
def test_another_engine_finds_the_same(verb):
    pytest.importorskip("numba")
    ends = [run(verb, *COMMANDS[verb], "--engine", engine, "--json") for engine in ("numpy", "fast")]
    (status, known), (other_status, found) = ((status, leaves(read_json(out))) for status, out, _ in ends)
    assert (status, found.keys()) == (other_status, known.keys())
    for place, value in known.items():
        if verb == "map" and place.startswith("best_fit"):
            continue  # one count is fitted equally well on a whole ring
        if isinstance(value, numbers.Real):
            assert found[place] == pytest.approx(value, rel=1e-5, abs=1e-6), place
        else:
            assert found[place] == value, place


@pytest.mark.parametrize("verb", COMMANDS)
def test_an_unknown_engine_ends_in_one_sentence(verb):
    status, out, err = run(verb, *COMMANDS[verb], "--engine", "quick")
    assert (status, out) == (2, "")
    assert "unknown engine 'quick'" in err
    assert len(err.splitlines()) == 1
