"""NSI from Wilson coefficients and blocks, against amplitudes that are derived from Lagrangians here."""

import json
import math

import numpy as np
import pytest

import command_line
import nurecoil
from nurecoil.errors import NurecoilError
from nurecoil.models import NSI
from nurecoil.models.nsi_files import read_nsi, write_nsi
from nurecoil.physics.products import vector_products

G_F = 1.1663787e-5  # 1/GeV²
S2 = 0.23857
NEUTRINOS = ("11", "22", "33")


def wcxf(folder, values, basis="JMS", eft="WET", **more):
    path = folder / "point.json"
    path.write_text(json.dumps({"eft": eft, "basis": basis, "scale": 80.0, "values": values, **more}))
    return path


def products(path):
    return np.array(vector_products(NSI.couplings(**read_nsi(path).values)))


def standard_model(factor):
    """g_X^q of Z exchange; L = -(g²/c_W² m_Z²) (½ ν̄γν)(g_X q̄γP_X q), and g²/(8 c_W² m_Z²) = G_F/√2."""
    charges = {"u": (1 / 2, 2 / 3), "d": (-1 / 2, -1 / 3)}
    return {
        f"Vnu{quark}L{x}_{nu}11": -factor * 8 * G_F / math.sqrt(2) / 2 * (t3 * (x == "L") - charge * S2)
        for quark, (t3, charge) in charges.items()
        for x in "LR"
        for nu in NEUTRINOS
    }


def test_twice_the_coefficients_of_z_exchange_scatter_four_times_as_much(tmp_path):
    once = np.array(vector_products(NSI.couplings(sin2_theta_w=S2)))
    doubled = products(wcxf(tmp_path, standard_model(1.0)))
    assert doubled == pytest.approx(4 * once, rel=1e-9)
    assert products(wcxf(tmp_path, standard_model(-1.0))) == pytest.approx(0 * once, abs=1e-9)


def test_a_heavy_vector_integrated_out_is_what_its_propagator_gives(tmp_path):
    """L = -Z' (g ν̄γP_Lν + g q̄γq) at m² >> q² is -(g²/m²)(ν̄γP_Lν)(q̄γq): C_LL = C_LR = -g²/m²."""
    g, mass = 1.5, 1000.0  # GeV
    values = {f"Vnu{q}L{x}_{nu}11": -((g / mass) ** 2) for q in "ud" for x in "LR" for nu in NEUTRINOS}
    of_file = nurecoil.Study("nsi", "binh2021-csi", point=wcxf(tmp_path, values)).predict()
    of_model = nurecoil.Study("light-vector", "binh2021-csi", m_mediator="1 TeV", g_mediator=g).predict()
    (one,), (other,) = of_file.values.parts, of_model.values.parts
    assert one.total == pytest.approx(other.total, rel=1e-6)
    assert one.total != pytest.approx(one.standard_model_total, rel=0.1)
    assert "80 GeV" in of_file.notes[0]


@pytest.mark.parametrize("quark", "ud")
@pytest.mark.parametrize("x", "LR")
@pytest.mark.parametrize("pair", ["e e", "e mu", "e tau", "mu mu", "mu tau", "tau tau"])
def test_the_basis_of_flavio_has_a_factor(tmp_path, quark, x, pair):
    """C_JMS = 4G_F/√2 C_flavio, operator by operator, complex ones too."""
    a, b = pair.split()
    i, j = (("e", "mu", "tau").index(flavour) + 1 for flavour in (a, b))
    size, ratio = {"Re": 1e-6, "Im": 2e-6 * (a != b)}, math.sqrt(2) / (4 * G_F)
    jms = read_nsi(wcxf(tmp_path, {f"Vnu{quark}L{x}_{i}{j}11": size}, eft="WET-3")).values
    scaled = {part: value * ratio for part, value in size.items()}
    flavio = {f"CVL{x}_nu{a}nu{b}{quark}{quark}": scaled}
    assert read_nsi(wcxf(tmp_path, flavio, "flavio", "WET-4")).values == pytest.approx(jms)
    name = f"eps_{quark}_{a}{b}"
    both = {name: -1e-6 * ratio, f"{name}_im": -2e-6 * ratio}
    assert jms == pytest.approx(both if a != b else {name: both[name]}, rel=1e-12, abs=0)


def test_phases_interfere_as_the_amplitudes_do(tmp_path):
    """|Σ_q n_q C_q|² of ν_e → ν_μ on one proton: C_u enters twice."""
    up, down = 3e-6 + 4e-6j, -5e-6 + 1e-6j  # 1/GeV²
    values = {
        f"Vnu{q}L{x}_1211": {"Re": c.real, "Im": c.imag} for q, c in (("u", up), ("d", down)) for x in "LR"
    }
    given = read_nsi(wcxf(tmp_path, values)).values
    coupling = NSI.couplings(**given).vector_p[0, 1]
    amplitude = (2 * up + down) * 2  # left and right
    assert abs(coupling) ** 2 == pytest.approx(abs(amplitude / (2 * math.sqrt(2) * G_F)) ** 2)
    assert coupling == pytest.approx(-amplitude / (2 * math.sqrt(2) * G_F))


# --- files --------------------------------------------------------------------------------------------

EVERYTHING = {p.name: 0.01 * n - 0.05 for n, p in enumerate(NSI.parameters[:18])}


@pytest.mark.parametrize("name", ["point.json", "point.slha"])
@pytest.mark.parametrize(
    "values", [EVERYTHING, {"eps_d_etau": 0.25}, {"eps_u_emu_im": -1.5}, {"eps_u_ee": 0.0}]
)
def test_what_is_written_is_read(tmp_path, name, values):
    write_nsi(tmp_path / name, values)
    expected = {n: value for n, value in values.items() if value}
    assert read_nsi(tmp_path / name).values == pytest.approx(expected, rel=1e-14, abs=0)


@pytest.mark.parametrize("name", ["point.json", "point.slha"])
def test_a_byte_order_mark_is_read_over(tmp_path, name):
    write_nsi(path := tmp_path / name, {"eps_u_ee": 0.1})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_nsi(path).values == pytest.approx({"eps_u_ee": 0.1})


def test_blocks_as_people_write_them(tmp_path):
    path = tmp_path / "spectrum.slha"
    path.write_text(
        "# a spectrum\nBlock MASS\n 25 125.1\nBLOCK nsid Q= 91.19 # NSI\n 1 2 0.1 # emu\n"
        "Block IMNSID\n 1 2 -3.0E-01\nDECAY 25 4e-3\n 0.5 2 5 -5\n"
    )
    found = read_nsi(path)
    assert found.values == {"eps_d_emu": 0.1, "eps_d_emu_im": -0.3}
    assert found.notes[1] == "Of the file these have no part in the NSI: MASS."


def test_exponents_of_fortran_are_read(tmp_path):
    (path := tmp_path / "fortran.slha").write_text("Block NSIU\n 1 1 1.0D-3\n 2 2 -2.5d+00\n 3 3 .5E-1\n")
    assert read_nsi(path).values == {"eps_u_ee": 1e-3, "eps_u_mumu": -2.5, "eps_u_tautau": 0.05}


@pytest.mark.parametrize("name", ["point.yaml", "point.yml"])
def test_yaml_that_is_written_has_numbers(tmp_path, name):
    yaml = pytest.importorskip("yaml")
    write_nsi(path := tmp_path / name, {"eps_u_ee": np.float64(0.1), "eps_d_emu_im": 1e-6})
    tree = yaml.safe_load(path.read_text())
    assert (tree["eft"], tree["basis"], tree["scale"]) == ("WET-3", "JMS", 2.0)
    for x in "LR":
        up, down = (-math.sqrt(2) * G_F * value for value in (0.1, 1e-6))
        assert tree["values"][f"VnuuL{x}_1111"] == pytest.approx({"Re": up, "Im": 0.0}, rel=1e-7, abs=0)
        assert tree["values"][f"VnudL{x}_1211"] == pytest.approx({"Re": 0.0, "Im": down}, rel=1e-7, abs=0)
    assert read_nsi(path).values == pytest.approx({"eps_u_ee": 0.1, "eps_d_emu_im": 1e-6}, rel=1e-14, abs=0)


def test_numbers_of_numpy_are_written(tmp_path):
    write_nsi(path := tmp_path / "point.slha", {"eps_u_ee": np.float64(0.1)})
    assert read_nsi(path).values == {"eps_u_ee": 0.1}


def test_yaml_is_read_where_its_library_is(tmp_path):
    pytest.importorskip("yaml")
    path = tmp_path / "point.yml"
    path.write_text("eft: WET\nbasis: flavio\nscale: 2\nvalues:\n  CVLL_nuenueuu: 0.2\n")
    assert read_nsi(path).values == {"eps_u_ee": -0.2}


def test_other_sectors_are_named_in_a_note(tmp_path):
    others = {"VnueLL_1111": 1e-6, "VnudLL_1122": 1e-6, "VnueduLL_1111": 2e-6, "VedLL_1123": {"Im": 1e-9}}
    found = read_nsi(wcxf(tmp_path, {**others, "VeeLL_1111": 0.0, "VnuuLL_1111": 1e-6}))
    assert list(found.values) == ["eps_u_ee"]
    assert found.notes[1] == f"Of the file these have no part in the NSI: {', '.join(others)}."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eft": "SMEFT"}, "unknown EFT 'SMEFT'"),
        ({"basis": "Bern"}, "unknown basis 'Bern'"),
        ({"values": {"VnuuLL_2111": 1e-6}}, "unknown operator of the basis JMS 'VnuuLL_2111': did you mean"),
        ({"values": {"VnudRR_1111": 1e-6}}, "unknown operator of the basis JMS 'VnudRR_1111': did you mean"),
        ({"basis": "flavio", "values": {"CVLL_nuenueu": 1, "CVLL_numunueuu": 1}}, "'CVLL_numunueuu'"),
        ({"values": {"VnuuLL_1111": {"Re": 1e-6, "Im": 1e-6}}}, "eps_u_ee = .* it must be real"),
        ({"values": {"VnuuLL_1111": "much"}}, "VnuuLL_1111 = 'much' is not allowed: it must be a number"),
        ({"values": {"VnuuLL_1111": {"re": 1}}}, "or have Re and Im"),
        ({"values": {"VnuuLL_1111": float("nan")}}, "VnuuLL_1111 = nan is not allowed"),
        ({"values": {"VnuuLL_1111": True}}, "VnuuLL_1111 = True is not allowed: it must be a number"),
        ({"values": {"VnuuLL_1111": {"Re": False}}}, "VnuuLL_1111 = .* is not allowed: it must be a number"),
        ({"values": {}}, "it has no NSI: give operators such as VnuuLL_1111"),
        ({"values": {"vnuull_1111": 1e-6}}, "it has no NSI, only vnuull_1111: give operators"),
        (
            {"values": {"VeeLL_1111": 1e-6, "VnueLL_1111": 1e-6}},
            "it has no NSI, only VeeLL_1111, VnueLL_1111",
        ),
        ({"values": {"VnuuLR_1111": 3e-4, "VnuuLL_1111": 3e-4}}, "between .* of VnuuLR_1111 and VnuuLL_1111"),
        ({"scale": -5}, "scale = -5 is not allowed: it must be above 0, in GeV"),
        ({"scale": True}, "scale = True is not allowed"),
        ({"scale": None}, "scale = None is not allowed"),
        ({"values": [1]}, "it is no WCxf, which has the keys eft, basis, scale, values"),
    ],
)
def test_what_is_no_point_of_nsi_is_refused(tmp_path, change, message):
    with pytest.raises(NurecoilError, match=message) as error:
        read_nsi(wcxf(tmp_path, **{"values": {"VnuuLL_1111": 1e-6}, **change}))
    assert str(error.value).startswith(f"the NSI file {tmp_path / 'point.json'}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BLOCK NSIU\n 2 1 0.1\n", "'2 1 0.1' in NSIU is not 'i j value' with 1 <= i <= j <= 3"),
        ("BLOCK NSIU\n 1 0.1\n", "'1 0.1' in NSIU is not"),
        ("BLOCK IMNSIU\n 1 1 0.1\n", "on the diagonal it must be real"),
        ("BLOCK NSIU\n 1 1 0.1\nBLOCK NSID\nblock nsiu\n 2 2 0.1\n", "block NSIU is there twice"),
        ("BLOCK NSIU\n 1 1 0.1\n 1 1 0.1\n", "u ee in block NSIU is there twice"),
        ("BLOCK IMNSIU\n 1 2 99\n", r"eps_u_emu_im = 99 is not allowed: .* \(it is of IMNSIU\)"),
        ("BLOCK MASS\n 25 125.1\n", "it has no NSI, only MASS"),
        ("BLOCK NSIU\n", "it has no NSI: give"),
        ('{"eft": "WET", "eft": "WET-3"}', "eft is there 2 times"),
        ('{"values": {"VnuuLL_1111": 0, "VnuuLL_1111": 1}}', "VnuuLL_1111 is there 2 times"),
        ("{", "it has no blocks, and is no JSON"),
    ],
)
def test_bad_blocks_are_refused(tmp_path, text, message):
    (tmp_path / "bad.slha").write_text(text)
    with pytest.raises(NurecoilError, match=message):
        read_nsi(tmp_path / "bad.slha")


def test_a_file_that_is_missing_and_one_of_another_kind(tmp_path):
    with pytest.raises(NurecoilError, match=r"^cannot read the NSI file .*none\.json: No such file or dir"):
        read_nsi(tmp_path / "none.json")
    (tmp_path / "picture.json").write_bytes(b"\x89PNG\xff")
    with pytest.raises(NurecoilError, match=r"^the NSI file .*picture\.json is no text in UTF-8$"):
        read_nsi(tmp_path / "picture.json")
    with pytest.raises(NurecoilError, match=r"cannot write NSI to '\.txt'"):
        write_nsi(tmp_path / "point.txt", {"eps_u_ee": 0.1})
    with pytest.raises(NurecoilError, match="did you mean 'eps_u_ee'"):
        write_nsi(tmp_path / "point.json", {"eps_u_e": 0.1})


@pytest.mark.parametrize(
    ("path", "values", "message"),
    [
        (3, {"eps_u_ee": 0.1}, "the NSI file 3 is not allowed: it must be the path of a file"),
        ("b.json", [1], r"cannot write \[1\] as NSI: give names with values"),
        ("b.json", {}, "cannot write {} as NSI: give names with values"),
        ("b.json", {"eps_u_ee": True}, "eps_u_ee = True is not a number"),
        ("b.slha", {"eps_u_ee": [0.1, 0.2]}, r"eps_u_ee = \[0.1, 0.2\] is not a number"),
        ("/nodir/b.json", {"eps_u_ee": 0.1}, "cannot write to '/nodir/b.json': No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_refused(path, values, message):
    with pytest.raises(NurecoilError, match=message):
        write_nsi(path, values)


@pytest.mark.parametrize("point", [3, {"eps_u_ee": 0.1}])
def test_a_point_is_a_file(point):
    with pytest.raises(NurecoilError, match=r"is not allowed: it must be the path of a file$") as error:
        nurecoil.Study("nsi", "binh2021-csi", point=point)
    assert str(error.value).count("the NSI file") == 1


# --- where it goes ------------------------------------------------------------------------------------


def test_the_command_line_takes_a_point(tmp_path):
    write_nsi(path := tmp_path / "point.slha", {"eps_u_ee": 0.3, "eps_d_mumu": -0.1})
    where = ("--model", "nsi", "--experiment", "binh2021-csi")
    of_file = command_line.result("predict", *where, "--point", str(path))
    by_hand = command_line.result("predict", *where, "--set", "eps_u_ee=0.3", "--set", "eps_d_mumu=-0.1")
    assert of_file["counts"] == by_hand["counts"]
    assert of_file["parameters"] == by_hand["parameters"]
    assert of_file["notes"][0] == "NSI are those of a file (blocks)."
    status, _, told = command_line.run("predict", *where, "--point", path, "--set", "eps_u_ee=0.3")
    assert (status, "eps_u_ee is both set and in" in told) == (2, True)
    status, _, told = command_line.run("predict", *where[2:], "--model", "standard-model", "--point", path)
    assert (status, "it is for nsi, and standard-model has no eps_" in told) == (2, True)


def test_a_limit_from_a_point(tmp_path):
    write_nsi(path := tmp_path / "point.json", {"eps_d_ee": 0.1})
    of_file = nurecoil.Study("nsi", "binh2021-csi", point=path).limit("eps_u_ee", "-0.5..1")
    by_hand = nurecoil.Study("nsi", "binh2021-csi", eps_d_ee=0.1).limit("eps_u_ee", "-0.5..1")
    assert of_file.values.profile.intervals == by_hand.values.profile.intervals
    assert "WET-3, JMS" in of_file.notes[0]
