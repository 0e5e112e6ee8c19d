"""Odd but honest cards are answered, or refused in one sentence: never a traceback, never half an answer."""

import json

import pytest

from command_line import run
from test_binned_card import CARD, FLAT, SEEN

STRENGTH = ("--model", "scaled-standard-model", "--free", "signal_strength=1", "--starts", "2")
BARE = CARD[: CARD.index("[[backgrounds]]")]
WITHOUT_BACKGROUND = BARE + CARD[CARD.index("[[signal_pulls]]") :]
WITHOUT_PULLS = CARD[: CARD.index("[[signal_pulls]]")]
ENERGY = BARE[: BARE.index("[time]")] + BARE[BARE.index("[data]") :].replace(
    ", time = 1 }, weight = 2", " }, weight = 1"
)
SHARP = (('smearing = { kind = "gaussian", a = 0.3 }\n', ""), ("step = 0.5\n", ""))
EFFICIENCY = "x = [0, 2], efficiency = [0.5, 0.9]"
MINED = 'pull = "mine_flat"\nwidth = 0.2'


def counting(observed, width):
    statistics = f"[statistics]\nobserved = {observed}\nsignal_pull_width = {width}\n"
    return CARD[: CARD.index("[time]")] + statistics


def changed(*replacements, text=CARD):
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.fixture
def fitted(tmp_path):
    """Return a function that writes a card and fits it: status, stdout, stderr, and the answer as JSON."""

    def fit(text, seen=SEEN, flat=FLAT):
        for name, content in (("mine.toml", text), ("seen.txt", seen), ("flat.csv", flat)):
            (tmp_path / name).write_text(content, encoding="utf-8")
        arguments = ("fit", *STRENGTH, "--experiment", tmp_path / "mine.toml")
        status, out, err = run(*arguments)
        return status, out, err, run(*arguments, "--json")[1]

    return fit


ANSWERED = {
    "no background": (WITHOUT_BACKGROUND,),
    "no pull of the signal": (WITHOUT_PULLS,),
    "neither": (BARE,),
    "neither, and nothing seen": (BARE, "".join(f"{x} {t} 0\n" for x in (1.5, 3, 7) for t in (0.5, 3))),
    "only energies": (ENERGY, "1.5 60\n3 40\n7 50\n"),
    "one bin": (changed(("[1, 2, 4, 10]", "[1, 10]"), text=ENERGY), "5 60\n"),
    "one time bin": (changed(("[0, 1, 6]", "[0, 6]")), "1.5 3 60\n3 3 40\n7 3 50\n"),
    "no efficiency in some bins": (changed(*SHARP, (EFFICIENCY, "x = [2, 2.01], efficiency = [0, 0.9]")),),
    "bins beyond the largest recoil": (changed(*SHARP, ("[1, 2, 4, 10]", "[1, 2, 4, 900]")),),
    "a background of no counts": (changed(("counts = 60", "counts = 0")),),
    "a background that is held": (changed((MINED, MINED.replace("0.2", "0"))),),
    "a background in one bin": (CARD, SEEN, "1.5,0\n3,1\n7,0\n"),
    "a background that dies at once": (changed(("rate_per_us = 0.1", "rate_per_us = 1e3")),),
    "a background that rises at the end": (changed(("rate_per_us = 0.1", "rate_per_us = -1e3")),),
    "a pull that changes nothing": (changed(("factor = 0.22", "factor = 0.2"), ("0.18", "0.2")),),
    "an onset of nothing": (changed(('"0.05 us"', '"0 us"')),),
    "one number": (counting(observed=10, width=0.1),),
    "one number without pulls": (counting(observed=10, width=0),),
    "a projection": (counting(observed='"standard-model"', width=0.1),),
}  # fmt: skip


@pytest.mark.parametrize("files", ANSWERED.values(), ids=ANSWERED.keys())
def test_an_odd_card_is_fitted(fitted, files):
    status, out, err, answer = fitted(*files)
    assert (status, err) == (0, "")
    found = json.loads(answer)
    assert found["converged"]
    assert f"signal_strength  {found['best_fit']['signal_strength']['value']:.5g}" in out
    assert ("Nuisance parameters" in out) == bool(found["pulls"])
    (counts,) = found["counts"].values()
    assert f"{counts['observed']:.2f}" in out


QUENCHING = '"constant", factor = 0.2 }'
ARRIVALS = 'prompt = ["nu_mu"]'


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (EFFICIENCY, "x = [0, 2], efficiency = [0, 0]", "expects no signal at all"),
        (
            QUENCHING,
            '"constant", factor = 0.2, b = 1 }',
            "detector.quenching has no key 'b': known are kind, factor",
        ),
        (QUENCHING, '"linear", a = 0.9, b_per_kev = 0.01 }', "experiment mine: quenching factor = 1.7"),
        (QUENCHING, '"polynomial", coefficients = [0.9, 2.0] }', "quenching factor = 1.07"),
        (QUENCHING, '"polynomial", coefficients = [1.1] }', "quenching factor = 1.1 is not allowed"),
        (
            '"constant", factor = 0.18 }',
            '"linear", a = 1, b_per_kev = 1 }',
            "experiment mine: quenching factor",
        ),
        (ARRIVALS, 'prompt = ["nu_mu", "nu_e"]', "must be named once"),
        (ARRIVALS, 'prompt = ["nu_mu", "nu_mu"]', "must be named once"),
        (ARRIVALS, "prompt = []", "must be named once"),
        ("step = 0.5", "step = 1e-9", "step = 1e-09 is not allowed"),
        ("[0, 1, 6]", "[0, 1, 6e6]", "from -100000 to 100000 us"),
        ('"0.5 us"', '"0.5 s"', "from -100000 to 100000 us"),
        (
            '"tabulated", ' + EFFICIENCY,
            '"file", file = "flat.csv", x = 0, efficiency = 7',
            "column 7 is asked for",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(fitted, old, new, sentence):
    require_one_sentence(fitted(changed((old, new))), sentence)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ((counting(observed=0, width=0.1),), "observed = 0 without variance_counts is not allowed"),
        ((counting(observed="1e-20", width=0.1),), "observed = 1e-20 without variance_counts is not allowed"),
        ((CARD, SEEN, "1.5,0\n3,0\n7,0\n"), "the product of its factors is empty in the bins"),
        ((CARD, SEEN.replace(" ", "\t").replace("1.5", "1,5")), "in line 2 is no finite number"),
        ((CARD, SEEN, "1.5,,1\n3,,2\n7,,6\n"), "an empty cell in line 1"),
    ],
)
def test_data_that_cannot_be_are_one_sentence(fitted, files, sentence):
    require_one_sentence(fitted(*files), sentence)


def require_one_sentence(answer, sentence):
    status, out, err, _ = answer
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert err.startswith("Error: ")
