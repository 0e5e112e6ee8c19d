"""Experiment cards: the built-in ones say what Table II says, and a bad one is told all its errors."""

from importlib import resources

import pytest

from asking import predict
from nurecoil.errors import NurecoilError
from nurecoil.experiment import Variance, compile_experiment
from nurecoil.experiment.card import experiment_names, load_experiment
from nurecoil.models import STANDARD_MODEL
from nurecoil.physics.nuclei import material

CSI = (resources.files("nurecoil.experiment.cards") / "binh2021-csi.toml").read_text(encoding="utf-8")
FUTURE = tuple(f"future-{name}" for name in ("csi-cryogenic", "ess-xe", "ge-18", "lar-610", "reactor-ge"))
BINH2021 = ("binh2021-csi", "binh2021-ge", "binh2021-lar", "binh2021-nai-185", "binh2021-nai-2000")
COHERENT = ("coherent-csi-2017", "coherent-csi-2021", "coherent-ge-2024", "coherent-lar-2020")


@pytest.fixture
def card(tmp_path):
    """Return a function that writes the CsI card with some texts replaced, and loads it."""

    def load(*replacements):
        text = CSI
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return load_experiment(path)

    return load


def refusal(load, *replacements):
    with pytest.raises(NurecoilError) as error:
        load(*replacements)
    return str(error.value)


# --- good cards ---------------------------------------------------------------------------------------


def test_built_in_names():
    reactors, xenon = ("conus-plus-2025", "dresden-ii-2022"), ("xenonnt-2024", "xenonnt-2026")
    others = (*reactors, *FUTURE, "lz-8b-2025", "pandax-4t-2024", "qweak-proton", *xenon)
    assert experiment_names() == ("apv-cesium", *BINH2021, *COHERENT, *others)


@pytest.mark.parametrize("name", BINH2021)
def test_every_built_in_card_loads_under_its_own_name(name):
    assert load_experiment(name).name == name


# seed, Table II: nuclei, mass in kg, distance in m, threshold in keV (None: in the efficiency)
@pytest.mark.parametrize(
    ("name", "formula", "mass", "distance", "threshold"),
    [
        ("binh2021-csi", "CsI", 14.6, 19.3, None),
        ("binh2021-ge", "Ge", 10, 22, 5),
        ("binh2021-lar", "Ar", 24, 27.5, None),
        ("binh2021-nai-185", "NaI", 185, 28, 13),
        ("binh2021-nai-2000", "NaI", 2000, 28, 13),
    ],
)
def test_built_in_cards_are_table_ii(name, formula, mass, distance, threshold):
    experiment = load_experiment(name)
    assert experiment.target.formula == formula
    assert experiment.mass_kg == mass
    assert experiment.exposure.baseline_m == distance
    if threshold is not None:
        detector = experiment.signal.detector
        assert (detector.edges[0], detector.quenching.factor, detector.light_yield_per_kev) == (
            threshold,
            1.0,
            1.0,
        )


def test_csi_sees_quenched_light():
    # 8.78 % of the recoil energy at 13.348 PE/keV: 1.172 PE per keV
    detector = load_experiment("binh2021-csi").signal.detector
    pe_per_kev = detector.light_yield_per_kev * detector.quenching.electron_equivalent(1e-3)
    assert pe_per_kev == pytest.approx(1.17195, rel=1e-5)


def test_csi_statistics_are_eq_43():
    statistics = load_experiment("binh2021-csi").statistics
    (background,) = statistics.backgrounds
    assert (statistics.observed, background.nominal) == ([134], [6])
    assert statistics.variance == Variance(2 * 405 + 6, 1)
    assert [pull.name for pull in statistics.pulls] == ["binh2021-csi_signal", "binh2021-csi_background"]
    assert [pull.prior_width for pull in statistics.pulls] == [0.28, 0.25]


def test_csi_spectrum_is_the_release():
    # issue 2: C and AC counts, 6 to 30 PE in steps of 2
    spectrum = load_experiment("binh2021-csi").spectrum
    assert spectrum.edges == tuple(range(6, 31, 2))
    assert spectrum.coincidence == (35, 62, 91, 74, 60, 49, 35, 33, 27, 21, 34, 26)
    assert spectrum.anticoincidence == (26, 51, 67, 49, 39, 32, 30, 23, 21, 21, 29, 17)


def test_a_path_is_accepted_and_units_are_converted(card):
    experiment = card(('"14.6 kg"', '"14600 g"'), ('"19.3 m"', '"0.0193 km"'))
    built_in = load_experiment("binh2021-csi")
    assert experiment.mass_kg == pytest.approx(built_in.mass_kg, rel=1e-14)
    assert experiment.exposure.baseline_m == pytest.approx(built_in.exposure.baseline_m, rel=1e-14)
    assert experiment.signal == built_in.signal
    assert experiment.statistics == built_in.statistics


def test_a_projection_observes_nothing_of_its_own():
    assert load_experiment("binh2021-ge").statistics.observed is None
    assert len(load_experiment("binh2021-ge").statistics.pulls) == 1


ENRICHED = '{ "76Ge" = 0.87, "74Ge" = 0.13 }'


@pytest.mark.parametrize(
    ("written", "target", "fractions"),
    [
        ('"76Ge"', "76Ge", None),
        ('"Ge-76"', "Ge-76", None),
        ('"7LiF"', "7LiF", None),
        (ENRICHED, {"76Ge": 0.87, "74Ge": 0.13}, None),
        ("{ 76Ge = 0.87, Ge-74 = 0.13 }", {"76Ge": 0.87, "Ge-74": 0.13}, None),  # keys that need no quotes
        ('{ H2O = 0.9, NaCl = 0.1 }\nfractions = "mass"', {"H2O": 0.9, "NaCl": 0.1}, "mass"),
        ('{ C = 0.476, H = 0.524 }\nfractions = "mole"', {"C": 0.476, "H": 0.524}, "mole"),
        ("{ 76Ge = 1 }", {"76Ge": 1}, None),
    ],
)
def test_targets_of_isotopes_and_mixtures(card, written, target, fractions):
    assert card(('"CsI"', written)).target == material(target, fractions)


def test_a_result_says_of_what_nuclides_its_target_is(card):
    enriched = compile_experiment(card(('"CsI"', ENRICHED)))
    result = predict(STANDARD_MODEL, compile_experiment(card(('"CsI"', '"H2O"'))), {})
    assert "not small for 1H in the target" in result.notes[-1]
    said = predict(STANDARD_MODEL, enriched, {}).conventions["experiments"]["binh2021-csi"]["target"]
    assert said == "0.87 76Ge + 0.13 74Ge: 87 % 76Ge, 13 % 74Ge of its nuclei"


# --- bad cards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (
            '"Ge76"',
            "can only be a mistake, 76 atoms of Ge: a mass number stands before its symbol, write '76Ge'",
        ),
        ('"Zn82Se"', "write 'Zn[82Se]'"),
        ('{ "Ge76" = 0.87, "Ge74" = 0.13 }', "'Ge76' can only be a mistake"),
        ('"85Kr"', "unknown stable or primordial nuclide '85Kr': did you mean '86Kr'?"),
        ('"Tc"', "unknown element 'Tc'"),
        ("76", "it must be a formula, or a table of formulas and their fractions"),
        ('["76Ge", "74Ge"]', "it must be a formula, or a table"),
        ('{ "76Ge" = "0.87", "74Ge" = 0.13 }', "it must be a formula, or a table"),
        ('{ "76Ge" = true }', "it must be a formula, or a table"),
        ('{ "76Ge" = 0.87 }', "the sum of the fractions = 0.87 is not allowed"),
        ('{ "76Ge" = 87, "74Ge" = 13 }', "the fraction of '76Ge' = 87 is not allowed"),
        ('{ "76Ge" = inf }', "the fraction of '76Ge' = inf is not allowed"),
        ("{ H2O = 0.9, NaCl = 0.1 }", "needs fractions = 'mole' or 'mass'"),
        ("{}", "the sum of the fractions = 0 is not allowed"),
    ],
)
def test_targets_that_cannot_be_are_refused_with_all_other_errors(card, written, reason):
    sentence = refusal(card, ('"CsI"\nmass', f"{written}\nmass"), ('"14.6 kg"', '"14.6 m"'))
    assert " target.material: " in sentence
    assert reason in sentence
    assert " target.mass = " in sentence
    assert "2 errors" in sentence


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ('"14.6 kg"', '"14.6 m"', "target.mass", "wrong unit"),
        ('"14.6 kg"', '"14.6"', "target.mass", "needs a unit"),
        ('"14.6 kg"', "14.6", "target.mass", "needs a unit"),
        ('"14.6 kg"', '"-14.6 kg"', "target.mass", "from 1e-06 to 1e+09 kg"),
        ('"14.6 kg"', '"nan kg"', "target.mass", "finite"),
        ('"19.3 m"', '"19.3 TeV"', "source.baseline", "wrong unit"),
        ('"19.3 m"', '"0 m"', "source.baseline", "from 1 to 10000 m"),
        ("1.76e23", "-1.76e23", "source.protons_on_target", "from 1e+12 to 1e+28 protons"),
        (
            "1.76e23",
            "nan",
            "source.protons_on_target",
            "= nan is not allowed: it must be a number from 1e+12",
        ),
        (
            "1.76e23",
            "inf",
            "source.protons_on_target",
            "= inf is not allowed: it must be a number from 1e+12",
        ),
        (
            "1.76e23",
            '"many"',
            "source.protons_on_target",
            "= 'many' is not allowed: it must be a number from 1e+12 to",
        ),
        (
            "vector_recoil_term = false",
            "",
            "cross_section.vector_recoil_term",
            "is missing: it must be true or false",
        ),
        ("factor = 0.0878", "factor = 0", "detector.quenching.factor", "above 0 and at most 1"),
        ("quenching = {", "quenchng = {", "detector has no key 'quenchng'", "did you mean 'quenching'"),
        (
            'kind = "constant", factor',
            "factor",
            "detector.quenching.kind",
            "missing: it must be one of constant, linear,",
        ),
        (
            '"constant", factor',
            '"constnt", factor',
            "detector.quenching has no kind 'constnt'",
            "did you mean 'constant'",
        ),
        ("  4, 6, 8,", "  4, 8, 6,", "detector", "ascending"),
        ("  4, 6, 8,", "  4, 6, 6,", "detector", "ascending"),
        ("  4, 6, 8,", "  -4, 6, 8,", "detector.edges.0", "0 or more"),
        ("  4, 6, 8,", "  nan, 6, 8,", "detector.edges.0", "= nan is not allowed: it must be a number"),
        ("a = 0.6655", "a = -0.6655", "detector.efficiency.a", "from 0 to 1"),
        ("a = 0.6655", "a = 1.6655", "detector.efficiency.a", "from 0 to 1"),
        ("a = 0.6655", "a = nan", "detector.efficiency.a", "= nan is not allowed"),
        ("[6, 1.0]", "[6, -1.0]", "detector.efficiency.steps.1.1", "from 0 to 1"),
        (
            'kind = "logistic"',
            'kind = "logstic"',
            "detector.efficiency has no kind 'logstic'",
            "did you mean 'logistic'",
        ),
        ("observed = 134", "observed = -134", "statistics.observed", "from 0 to 1e+12 counts"),
        ("observed = 134", 'observed = "SM"', "statistics.observed", "standard-model"),
        (
            "signal_pull_width = 0.28",
            "signal_pull_width = nan",
            "statistics.signal_pull_width",
            "= nan is not allowed: it must be a number from 0 to 3",
        ),
        ("[35, 62,", "[62,", "spectrum", "12 bins but 11 coincidence"),
        ("[26, 51,", "[26, -51,", "spectrum.anticoincidence", "from 0 to 1e+12 counts"),
        ("edges = [6, 8,", "edges = [8, 6,", "spectrum", "ascending"),
        ('"CsI"\nmass', '"CsJ"\nmass', "", "unknown element 'J'"),
        ('"helm-binh2021"', '"helm-binh"', "", "did you mean 'helm-binh2021'"),
        ('"pion-decay-at-rest"', '"pion-decay"', "", "did you mean 'pion-decay-at-rest'"),
        ('title = "', 'tilte = "', "the card has no key 'tilte'", "did you mean 'title'"),
    ],
)
def test_a_bad_field_is_named_with_the_reason(card, old, new, field, reason):
    sentence = refusal(card, (old, new))
    assert "mine.toml has" in sentence
    assert f" {field}" in sentence
    assert reason in sentence


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        (
            "neutrinos_per_proton = 0.08",
            "neutrinos_per_proton = 80",
            "from 0.0001 to 1 neutrinos of each flavour",
        ),
        (
            "neutrinos_per_proton = 0.08",
            "neutrinos_per_proton = 8",
            "from 0.0001 to 1 neutrinos of each flavour",
        ),
        (
            "neutrinos_per_proton = 0.08",
            "neutrinos_per_proton = 0",
            "from 0.0001 to 1 neutrinos of each flavour",
        ),
        ("1.76e23", "1.76", "from 1e+12 to 1e+28 protons"),
        ("1.76e23", "1.76e46", "from 1e+12 to 1e+28 protons"),
        ('"14.6 kg"', '"14.6e9 tonne"', "from 1e-06 to 1e+09 kg"),
        ('"14.6 kg"', '"1e-9 g"', "from 1e-06 to 1e+09 kg"),
        ('"19.3 m"', '"19.3 mm"', "from 1 to 10000 m"),
        ('"19.3 m"', '"19300 km"', "from 1 to 10000 m"),
        ("factor = 0.0878", "factor = 8.78", "above 0 and at most 1"),
        ("52, 54, 56", "52, 54, 1e9", "at most 7.074e+05"),
        ("light_yield_per_kev = 13.348", "light_yield_per_kev = 0", "above 0 and at most 1e+09"),
        ("light_yield_per_kev = 13.348", "light_yield_per_kev = 1e12", "above 0 and at most 1e+09"),
        ("a = 0.6655", "a = 66.55", "from 0 to 1"),
        ("observed = 134", "observed = 1e15", "from 0 to 1e+12 counts"),
        ("variance_counts = 816", "variance_counts = -1", "from 0 to 1e+12 counts"),
        ("signal_pull_width = 0.28", "signal_pull_width = 28", "from 0 to 3 (a fraction: 0.1 is 10 %)"),
        (
            "background_pull_width = 0.25",
            "background_pull_width = 25",
            "from 0 to 3 (a fraction: 0.1 is 10 %)",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(card, old, new, allowed):
    assert allowed in refusal(card, (old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("neutrinos_per_proton = 0.08", "neutrinos_per_proton = 0.5"),
        ("1.76e23", "176000000000000000000000"),
        ("54, 56", "54, 56, 13348"),  # the last bin an overflow, to 1000 keV
        ('"14.6 kg"', '"0.76 g"'),
        ('"14.6 kg"', '"50000 tonne"'),
        ('"19.3 m"', '"1 km"'),
        ("signal_pull_width = 0.28", "signal_pull_width = 1.0"),
        ("signal_pull_width = 0.28", "signal_pull_width = 0"),
    ],
)
def test_what_may_be_is_accepted(card, old, new):
    card((old, new))


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("1.76e23", "true", "source.protons_on_target"),
        ("1.76e23", '"1.76e23"', "source.protons_on_target"),
        ("factor = 0.0878", "factor = true", "detector.quenching.factor"),
        ("light_yield_per_kev = 13.348", "light_yield_per_kev = true", "detector.light_yield_per_kev"),
        ("  4, 6, 8,", "  false, 6, 8,", "detector.edges.0"),
        ("[6, 1.0]", "[6, true]", "detector.efficiency.steps"),
        ("observed = 134", "observed = true", "statistics.observed"),
        ("background = 6", 'background = "6"', "statistics.background"),
        ("vector_recoil_term = false", "vector_recoil_term = 0", "cross_section.vector_recoil_term"),
        ("vector_recoil_term = false", 'vector_recoil_term = "no"', "cross_section.vector_recoil_term"),
        ('name = "binh2021-csi"', "name = 2021", "name"),
        ('"14.6 kg"', "true", "target.mass"),
        ("[35, 62,", "[true, 62,", "spectrum.coincidence.0"),
        ("1.76e23", "1979-05-27", "source.protons_on_target"),
        ("1.76e23", "[1.76e23]", "source.protons_on_target"),
        ("1.76e23", "9" * 400, "source.protons_on_target"),
        ("1.76e23", "9" * 5000, ""),
    ],
)
def test_one_kind_does_not_pass_for_another(card, old, new, field):
    sentence = refusal(card, (old, new))
    assert f" {field}" in sentence if field else "is not TOML" in sentence


def test_a_byte_order_mark_is_read_over(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + CSI.encode().replace(b"\n", b"\r\n"))
    assert load_experiment(path).statistics == load_experiment("binh2021-csi").statistics
    path.write_bytes(CSI.encode("utf-16"))
    with pytest.raises(NurecoilError, match="is not UTF-8 text"):
        load_experiment(path)


def test_all_errors_of_a_card_are_listed_at_once(card):
    sentence = refusal(
        card,
        ('"14.6 kg"', '"14.6 m"'),
        ("1.76e23", "nan"),
        ("a = 0.6655", "a = -1"),
        ("signal_pull_width = 0.28", "pull_width = 0.28"),
    )
    assert "has 5 errors: " in sentence
    for field in (
        "target.mass",
        "source.protons_on_target",
        "detector.efficiency.a",
        "statistics.signal_pull_width",
        "statistics has no key 'pull_width'",
    ):
        assert f" {field}" in sentence
    assert "\n" not in sentence


def test_unknown_names_are_listed_with_all_other_errors_and_their_fields(card):
    sentence = refusal(
        card, ('"CsI"\nmass', '"XX"\nmass'), ('"helm-binh2021"', '"foo"'), ('"14.6 kg"', '"14.6 m"')
    )
    for field in ("target.material", "target.form_factor", "target.mass"):
        assert f" {field}" in sentence


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x0 = 10.8507", "x0 = nan"),
        ("[[5, 0.5], [6, 1.0]]", "[[6, 1.0], [5, 0.5]]"),
        ("[[5, 0.5], [6, 1.0]]", "[[nan, 0.5], [6, 1.0]]"),
        ("edges = [6, 8, 10,", "edges = [6, nan, 10,"),
    ],
)
def test_nan_and_disorder_are_refused_everywhere(card, old, new):
    refusal(card, (old, new))


@pytest.mark.parametrize(
    ("x", "efficiency", "reason"),
    [
        ("[1.0, 2.0]", "[0.1]", "number of efficiencies = 1 is not allowed: it must be 2, one for each x"),
        ("[2.0, 1.0]", "[0.1, 0.2]", "ascending"),
        ("[1.0, nan]", "[0.1, 0.2]", "nan"),
        ("[1.0, 2.0]", "[0.1, 1.2]", "from 0 to 1"),
        ("[1.0, 2.0]", "[-0.1, 0.2]", "from 0 to 1"),
    ],
)
def test_a_bad_efficiency_table_is_refused(card, x, efficiency, reason):
    logistic = CSI[CSI.index('kind = "logistic"') : CSI.index("# Eq. 43")]
    table = f'kind = "tabulated"\nx = {x}\nefficiency = {efficiency}\n'
    sentence = refusal(card, (logistic, table))
    assert " detector.efficiency" in sentence
    assert reason in sentence


def test_an_unknown_experiment_is_refused_with_the_nearest_name():
    with pytest.raises(NurecoilError, match="unknown experiment 'binh2021-cs': did you mean 'binh2021-csi'"):
        load_experiment("binh2021-cs")


def test_a_missing_card_is_named(tmp_path):
    with pytest.raises(NurecoilError, match=r"there is no experiment card .*absent\.toml"):
        load_experiment(tmp_path / "absent.toml")


def test_a_folder_is_no_card(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(NurecoilError, match=r"there is no experiment card .*folder\.toml"):
        load_experiment(tmp_path / "folder.toml")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name = ", "is not TOML"),
        (b"{}", "is not TOML"),
        (b"name = 'a'\nname = 'b'", "is not TOML"),
        (b"title = '\xff\xfe'", "is not UTF-8 text"),
        (b"", "has 7 errors"),
    ],
)
def test_a_file_that_is_no_card_is_refused(tmp_path, content, reason):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(NurecoilError, match=rf"mine\.toml {reason}"):
        load_experiment(path)
