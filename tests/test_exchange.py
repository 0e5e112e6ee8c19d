"""What others read: study cards asked again, CSV, LaTeX, and HEPData as its validator takes it."""

import csv
import json
import re
import tomllib
import zipfile
from pathlib import Path

import pytest

import nurecoil
from command_line import run
from nurecoil import NurecoilError
from nurecoil.presentation.document import Pairs, Table
from nurecoil.presentation.exchange import to_csv, to_latex
from nurecoil.study.card import StudyCard
from nurecoil.study.record import strict_json
from nurecoil.study.study import asked_by

LIMIT = ("limit", "--model", "331-beta", "--experiment", "binh2021-csi", "--set", "beta=-sqrt(3)")
LIMIT += (
    "--scan",
    "m_zprime=0.1..100TeV",
    "--prior",
    "binh2021-csi_signal=0.2",
    "--cl",
    "68%",
    "--cl",
    "0.9",
)


def asked(study=None):
    study = study or nurecoil.Study("nsi", ["binh2021-csi"], eps_d_ee="0.1", fix="binh2021-csi_background")
    return study.limit("eps_u_ee", (-1, 1), cl=[0.68, "90%"])


# --- study cards --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["toml", "json"])
def test_a_saved_answer_is_asked_again_bit_for_bit(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*LIMIT, "--save", f"first.{kind}", "--save", "first.json")[0] == 0
    status, out, err = run("run", f"first.{kind}", "--save", "again.json", "--plot", "again.png")
    assert status == 0
    assert "Note" not in err
    assert "1." in out
    assert Path("again.json").read_bytes() == Path("first.json").read_bytes()
    assert Path("again.png").stat().st_size > 1000


def test_a_study_in_python_is_written_as_it_was_asked(tmp_path):
    result = asked()
    result.save(tmp_path / "card.toml")
    card = tomllib.loads((tmp_path / "card.toml").read_text(encoding="utf-8"))
    assert card["question"] == "limit"
    assert card["study"] == {
        "model": "nsi", "experiments": ["binh2021-csi"], "eps_d_ee": "0.1", "fix": "binh2021-csi_background",
    }  # fmt: skip
    assert card["ask"] == {"parameter": "eps_u_ee", "within": [-1, 1], "cl": [0.68, "90%"]}
    assert card["rests_on"]["binh2021-csi"][0].startswith("sha256 ")
    again = asked_by(StudyCard.read(tmp_path / "card.toml"))
    assert strict_json(again.record()) == strict_json(result.record())


def test_what_no_text_can_ask_again_has_no_card(tmp_path):
    model = nurecoil.load_model("nsi")
    result = asked(nurecoil.Study(model, "binh2021-csi"))
    assert "card" not in result.record()["provenance"]
    with pytest.raises(NurecoilError, match="no study card"):
        result.save(tmp_path / "card.toml")
    assert not list(tmp_path.iterdir())
    changed = nurecoil.Study("nsi", "binh2021-csi").changed(values={"eps_u_ee": 0.1})
    assert "card" not in changed.predict().record()["provenance"]


def test_a_card_whose_answer_rested_on_other_data_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked().save("card.toml")
    text = Path("card.toml").read_text(encoding="utf-8")
    Path("card.toml").write_text(text.replace("sha256 ", "sha256 0"), encoding="utf-8")
    status, _, err = run("run", "card.toml")
    assert status == 0
    assert "the card's answer rested on binh2021-csi = ['sha256 0" in err


GOOD = 'question = "limit"\n[study]\nmodel = "nsi"\nexperiments = "binh2021-csi"\n'
ASK = '[ask]\nparameter = "eps_u_ee"\nwithin = "-1..1"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question = ", "no study card"),
        ("", "does not say which question"),
        (GOOD.replace("limit", "limits") + ASK, "did you mean 'limit'"),
        (GOOD + "[aks]\n", "did you mean 'ask'"),
        (GOOD + ASK + "levels = 1\n", "unknown argument of limit 'levels'"),
        (GOOD, "missing"),
        ('question = "limit"\nask = 3\n[study]\nmodel = "nsi"\nexperiments = "binh2021-csi"\n', r"\[ask\]"),
        ('question = "limit"\n[study]\nmodel = "nsi"\n', "its experiments"),
        (GOOD + "eps_u_e = 1\n" + ASK, "did you mean 'eps_u_ee'"),
        (GOOD.replace("limit", "__init__") + ASK, "unknown question"),
    ],
)
def test_a_bad_card_is_one_sentence(text, said, tmp_path):
    card = tmp_path / "card.toml"
    card.write_text(text, encoding="utf-8")
    with pytest.raises(NurecoilError, match=said):
        asked_by(StudyCard.read(card))
    with pytest.raises(NurecoilError, match="cannot read"):
        StudyCard.read(tmp_path / "none.toml")
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(NurecoilError, match="no 'card' in its provenance"):
        StudyCard.read(tmp_path / "list.json")


# --- numbers, tables, HEPData ----------------------------------------------------------------------------


def test_csv_has_the_numbers_of_the_figure(tmp_path):
    result = asked()
    result.save(tmp_path / "limit.csv")
    lines = (tmp_path / "limit.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(line for line in lines if line[0] != "#") if "chi" in row["series"]]
    curve = result.record()["curve"]
    assert [float(row["x"]) for row in rows] == curve["values"].tolist()
    assert [float(row["y"]) for row in rows] == pytest.approx(curve["delta_chi2"], rel=1e-12)


def test_an_answer_without_a_figure_is_its_tables():
    table = Table("counts", ("bin", "n"), (("0 to 1", "3"), ('a "b", c', "4")))
    assert to_csv([table, Pairs("t", (("x", "1"),))]) == (
        '# counts\nbin,n\n0 to 1,3\n"a ""b"", c",4\n# t\nx,1\n'
    )


def test_latex_is_typeset_and_escaped():
    table = Table("T", ("m_1 [μ_B]", "50 %"), (("χ² ≤ −1·10⁻³", "a & b"),), right=(1,))
    assert to_latex([table]).splitlines() == [
        "% T",
        "\\begin{tabular}{lr}",
        "\\toprule",
        "m\\_1 [$\\mu$\\_B] & 50 \\% \\\\",
        "\\midrule",
        "$\\chi^{2}$ $\\le$ $-$1$\\cdot$10$^{-3}$ & a \\& b \\\\",
        "\\bottomrule",
        "\\end{tabular}",
    ]


ANSWERS = {
    "predict": lambda: nurecoil.Study(
        "331-beta", "binh2021-csi", beta="-sqrt(3)", m_zprime="2 TeV"
    ).predict(),
    "moments": lambda: nurecoil.Study("magnetic-moments", "binh2021-csi").limit(
        "mu_nu_e", "1e-10..1e-8 mu_B"
    ),
    "limit": lambda: nurecoil.Study("nsi", "binh2021-csi").limit("eps_u_ee", (-1, 1), cl=["68%", "90%"]),
    "fit": lambda: nurecoil.Study("scaled-standard-model", "binh2021-csi").fit({"signal_strength": 1.0}),
    "impact": lambda: nurecoil.Study("scaled-standard-model", "binh2021-lar").impact({"signal_strength": 1}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_latex_of_an_answer_is_typeset_by_any_latex(name, tmp_path):
    """ASCII alone, as many cells as columns, and what is special in LaTeX is in mathematics or escaped."""
    ANSWERS[name]().save(tmp_path / "answer.tex")
    text = (tmp_path / "answer.tex").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    assert "".join(lines).isascii()
    columns = 0
    for line in lines:
        if found := re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", line):
            columns = len(found[1])
        elif line.endswith(r"\\"):
            words = re.sub(r"\$[^$]+\$", "", re.sub(r"\\[&%$#_{}]", "", line))
            assert words.count("&") == columns - 1
            assert not set("$#_^%") & set(words)
    assert columns


def opened(result, tmp_path):
    """Return what xarray reads of a result's file, whose bytes are the same each time."""
    xarray = pytest.importorskip("xarray")
    for name in ("one.nc", "two.nc"):
        result.save(tmp_path / name)
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()
    with xarray.open_dataset(tmp_path / "one.nc") as data:
        assert json.loads(data.attrs["result"]) == json.loads(strict_json(result.record()))
        return data.load()


def test_xarray_reads_a_curve_along_its_parameter(tmp_path):
    result = nurecoil.Study("331-beta", "binh2021-csi", beta="-sqrt(3)").limit("m_zprime", "0.3..10 TeV")
    data = opened(result, tmp_path)
    assert data["m_zprime"].units == "TeV"
    allowed = data["delta_chi2"].where(data["delta_chi2"] <= result.values.profile.level, drop=True)
    assert float(allowed["m_zprime"][0]) == pytest.approx(result.record()["allowed"][0][0], rel=0.01)


def test_xarray_reads_a_map_along_both(tmp_path):
    result = nurecoil.Study("nsi", "binh2021-csi").map({"eps_u_ee": (-1, 1), "eps_d_ee": (-1, 2)}, points=21)
    data = opened(result, tmp_path)
    lowest = data["delta_chi2"].where(data["delta_chi2"] == data["delta_chi2"].min(), drop=True)
    one = {name: float(lowest[name][0]) for name in ("eps_u_ee", "eps_d_ee")}
    study = nurecoil.Study("nsi", "binh2021-csi")
    at = {name: float(data[name][3 * n + 4]) for n, name in enumerate(one)}
    there, least = study.question(at).chi2([list(at.values()), list(one.values())])
    assert float(data["delta_chi2"].sel(**at)) == pytest.approx(there - least, abs=0.02)


def test_xarray_reads_counts_and_answers_without_arrays(tmp_path):
    result = nurecoil.Study("standard-model", ["binh2021-csi", "binh2021-lar"]).predict()
    data = opened(result, tmp_path)
    csi, lar = result.values.parts
    assert data["binh2021-csi_signal"].values == pytest.approx(csi.counts)
    assert data["binh2021-lar_high"].values == pytest.approx(lar.edges[1:])
    fit = nurecoil.Study("scaled-standard-model", "binh2021-csi").fit({"signal_strength": 1.0})
    assert not opened(fit, tmp_path).data_vars


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("question", ["limit", "map"])  # files that the validator leaves open
def test_hepdata_takes_the_submission(question, tmp_path):
    validator = pytest.importorskip("hepdata_validator.full_submission_validator")
    study = nurecoil.Study("nsi", "binh2021-csi")
    ranges = {"eps_u_ee": (-1, 1), "eps_d_ee": (-1, 1)}
    result = study.limit("eps_u_ee", (-1, 1)) if question == "limit" else study.map(ranges, points=21)
    result.save(tmp_path / "one.zip")
    result.save(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    checked = validator.FullSubmissionValidator(schema_version="1.1.1")
    assert checked.validate(archive=str(tmp_path / "one.zip")), checked.get_messages()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        first = json.loads(archive.read("table1.yaml"))
        whole = json.loads(archive.read("result.json"))
    assert whole["question"] == question
    if question == "limit":
        y = [each["value"] for each in first["dependent_variables"][0]["values"]]
        assert y == pytest.approx(result.record()["curve"]["delta_chi2"], rel=1e-12)


def test_a_kind_that_is_none_is_refused_before_the_work():
    status, out, err = run(*LIMIT, "--save", "limit.xlsx")
    assert (status, out) == (2, "")
    assert "must end in .json" in err
