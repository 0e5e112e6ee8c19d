"""The explorer: its address, its answers beside the command line's, its server, and its page in a browser."""

import http.client
import json
import math
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import urllib.request
from contextlib import contextmanager
from threading import Thread

import pytest

import nurecoil
from command_line import result, start
from nurecoil import NurecoilError
from nurecoil.explorer.live import Explorer
from nurecoil.explorer.server import Server
from nurecoil.explorer.state import State
from nurecoil.likelihood.joint import JointLikelihood

NSI = "model=nsi&experiment=binh2021-csi&set=eps_u_ee%3D0.1&scan=eps_u_ee%3D-1..1&cl=90%25"
ZPRIME = (
    "model=331-beta&experiment=binh2021-csi&set=beta%3D-sqrt(3)&set=variant%3Dnumbers&set=m_zprime%3D2+TeV"
    "&scan=m_zprime%3D0.3..10+TeV&cl=90%25"
)


@contextmanager
def serving(explorer=None, port=0):
    server = Server(explorer or Explorer(), port)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def get(server, path, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    connection.endheaders()
    reply = connection.getresponse()
    return reply.status, reply.read().decode(), dict(reply.getheaders())


# --- the address --------------------------------------------------------------------------------------


def test_an_address_is_the_options_of_the_command_line():
    state = State.of(ZPRIME)
    assert state.experiments == ("binh2021-csi",)
    assert state.values == {"beta": "-sqrt(3)", "variant": "numbers", "m_zprime": "2 TeV"}
    assert state.commands().splitlines() == [
        "nurecoil predict --model 331-beta --experiment binh2021-csi --set 'beta=-sqrt(3)'"
        " --set variant=numbers --set 'm_zprime=2 TeV'",
        "nurecoil limit --model 331-beta --experiment binh2021-csi --set 'beta=-sqrt(3)'"
        " --set variant=numbers --scan 'm_zprime=0.3..10 TeV' --cl 90%",
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "no model"),
        ("model=nsi&experimnt=binh2021-csi", "did you mean 'experiment'"),
        ("model=nsi&model=nsi", "model 2 times"),
        ("model=nsi&set=eps_u_ee", "NAME=VALUE"),
        ("model=nsi&scan=a=1..2&scan=b=1..2", "scan 2 times"),
        ("model=nsj&experiment=binh2021-csi", "did you mean 'nsi'"),
        ("model=nsi&experiment=binh2021-cs", "did you mean 'binh2021-csi'"),
        ("model=nsi", "no experiment is chosen"),
        ("model=nsi&experiment=binh2021-csi", "no scan"),
        (NSI.replace("0.1", "NaN"), "eps_u_ee"),
        (NSI.replace("0.1", "11"), "between -10 and 10"),
        (NSI.replace("-1..1", "1..-1"), "reversed"),
        (NSI.replace("90%25", "190%25"), "confidence level"),
        (NSI.replace("eps_u_ee%3D-1..1", "electroweak%3D0..1"), "choice"),
        (NSI.replace("model=nsi", "model=/etc/passwd"), "unknown model"),
        (NSI.replace("model=nsi", "model=evil.py"), "unknown model"),
        (NSI.replace("binh2021-csi", "../secret.toml"), "unknown experiment"),
    ],
)
def test_a_bad_address_is_one_sentence(query, said):
    with pytest.raises(NurecoilError, match=said):
        Explorer().answer(State.of(query))


# --- the answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [NSI, ZPRIME])
@pytest.mark.parametrize("settled", [True, False])
def test_exported_commands_and_python_give_what_the_page_shows(query, settled):
    state = State.of(query)
    Explorer().answer(State.of(query.replace("eps_u_ee%3D0.1", "eps_u_ee%3D0.3")))  # where it came from
    answer = Explorer().answer(state, settled=settled)
    predict, limit = (shlex.split(line)[1:] for line in answer["commands"].splitlines())
    predicted = result(*predict)
    assert answer["experiments"][0]["total"] == pytest.approx(predicted["total"], rel=1e-9)
    allowed = result(*limit)["allowed"]
    assert len(answer["curve"]["allowed"]) == len(allowed)
    for ours, exact in zip(answer["curve"]["allowed"], allowed, strict=True):
        assert ours == pytest.approx(exact, rel=3e-3)
    said = []
    exec(answer["python"], {"print": said.append, "nurecoil": nurecoil})
    assert said[0].values.parts[0].total == pytest.approx(predicted["total"], rel=1e-9)


def test_the_standard_model_is_zero_away_from_itself():
    answer = Explorer().answer(State.of(NSI.replace("0.1", "0")))
    assert answer["delta_chi2"] == pytest.approx(0, abs=1e-9)
    moved = Explorer().answer(State.of(NSI))
    study = nurecoil.Study("nsi", "binh2021-csi")
    question = study.question({"eps_u_ee": 0.0})
    there, here = question.chi2([[0.1], [0.0]])
    assert moved["delta_chi2"] == pytest.approx(there - here, rel=1e-9)


def test_a_move_fits_the_moved_curve_alone(monkeypatch):
    """Names of plugins and χ² of the Standard Model are those of the move before."""
    explorer, fits, looked = Explorer(), [], []
    explorer.answer(State.of(NSI))
    profiled = JointLikelihood.profiled
    monkeypatch.setattr(JointLikelihood, "profiled", lambda *a, **k: fits.append(1) or profiled(*a, **k))
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **asked: looked.append(asked) or [])
    answer = explorer.answer(State.of(NSI.replace("0.1", "0.25")), settled=False)
    assert (len(fits), looked) == (1, [])
    afresh = Explorer().answer(State.of(NSI.replace("0.1", "0.25")))
    assert answer["delta_chi2"] == pytest.approx(afresh["delta_chi2"], rel=1e-9)


def test_sliders_end_where_the_data_feel_them():
    """Two thirds of the way to its ends the counts alone are worth Δχ² = 25, to both sides."""
    record = Explorer().parameters(State.of("model=nsi&experiment=binh2021-csi"))
    sliders = {p["name"]: p for p in record["parameters"]}
    end = sliders["eps_u_ee"]["high"]

    def worth(x):
        part = Explorer().answer(State.of(NSI.replace("%3D0.1", f"%3D{x}")))["experiments"][0]
        standard = part["standard_model_counts"]
        return ((part["counts"] - standard) ** 2 / standard).sum()

    assert min(worth(end / 1.5), worth(-end / 1.5)) >= 25
    assert min(worth(end / 2.5), worth(-end / 2.5)) < 25  # where the amplitude has changed its sign
    assert sliders["eps_u_tautau"]["high"] == 1  # which these neutrinos do not feel
    assert sliders["eps_u_ee"]["low"] == -end
    assert sliders["electroweak"]["choices"] == ("tree", "radiative")


@pytest.mark.parametrize("model", nurecoil.model_names())
def test_each_model_has_sliders_and_an_answer(model):
    experiment = "coherent-csi-2021" if model == "neutron-radii" else "binh2021-csi"  # whose radius is free
    explorer, query = Explorer(), f"model={model}&experiment={experiment}"
    record = explorer.parameters(State.of(query))["parameters"]
    numbers = [p for p in record if not p["choices"]]
    for p in numbers:
        assert math.isfinite(p["low"])
        assert p["low"] < p["high"]
        if p["needed"]:
            query += f"&set={p['name']}%3D{p['value']}{p['unit']}"
    first = numbers[0]
    query += f"&scan={first['name']}%3D{first['low']}..{first['high']}{first['unit']}"
    answer = explorer.answer(State.of(query))
    assert math.isfinite(answer["delta_chi2"])
    assert len(answer["curve"]["x"]) > 30


# --- the server ---------------------------------------------------------------------------------------


def test_the_server_answers_this_machine_alone_and_has_no_file_but_its_own():
    with serving() as server:
        assert server.server_address[0] == "127.0.0.1"
        status, page, headers = get(server, "/")
        assert status == 200
        assert "<title>nurecoil explorer</title>" in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert get(server, "/", host="evil.example")[0] == 403
        assert get(server, f"/api/answer?{NSI}", host="evil.example:80")[0] == 403
        for path in (
            "/server.py",
            "/../live.py",
            "/page/index.html",
            "/%2e%2e/server.py",
            "//etc/passwd",
            "//[",
            "http://[",
        ):
            assert get(server, path)[0] == 404
        status, text, _ = get(server, f"/api/answer?{NSI.replace('0.1', 'NaN')}")
        assert status == 400
        assert "eps_u_ee" in json.loads(text)["error"]
        assert get(server, f"/api/answer?{NSI}")[0] == 200


def test_what_nobody_foresaw_is_said_and_the_server_goes_on(monkeypatch, capfd):
    def failing(explorer, state, **how):
        raise ZeroDivisionError("of a model of one's own")

    with serving() as server:
        with monkeypatch.context() as patched:
            patched.setattr(Explorer, "answer", failing)
            status, text, _ = get(server, f"/api/moving?{NSI}")
        assert status == 500
        assert json.loads(text) == {"error": "ZeroDivisionError: of a model of one's own"}
        assert "in failing" in capfd.readouterr().err
        assert get(server, f"/api/moving?{NSI}")[0] == 200


def test_a_page_that_is_left_is_no_error(capfd):
    with serving() as server:
        for _ in range(3):
            with socket.create_connection(server.server_address) as left:
                left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset it
                left.sendall(f"GET /api/answer?{NSI} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert get(server, f"/api/answer?{NSI}")[0] == 200  # answers come one at a time: those are done
    assert capfd.readouterr().err == ""


def test_a_slow_page_holds_up_no_other():
    """One has sent half of its question, another reads nothing of its answer."""
    with serving() as server, socket.create_connection(server.server_address) as half:
        half.sendall(b"GET /api/answer?")
        with socket.create_connection(server.server_address) as deaf:
            deaf.sendall(f"GET /api/answer?{NSI} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert get(server, f"/api/answer?{NSI}")[0] == 200


def test_a_port_that_is_taken_is_one_sentence():
    with serving() as server, pytest.raises(NurecoilError, match=f"port {server.server_port}"):
        Server(Explorer(), server.server_port)
    with pytest.raises(NurecoilError, match="65535"):
        Server(Explorer(), 65536)


@pytest.mark.parametrize(("by", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_serves_until_it_is_interrupted(by, status):
    arguments = ("explore", "--no-browser", "--model", "nsi", "--experiment", "binh2021-csi")
    with start(["-u", "-m", "nurecoil", *arguments], stderr=subprocess.STDOUT) as process:
        address = process.stdout.readline().split()[-1]
        assert process.stdout.readline() == "Ctrl-C ends it.\n"
        assert address.endswith("?model=nsi&experiment=binh2021-csi")
        with urllib.request.urlopen(address, timeout=60) as page:
            assert b"nurecoil explorer" in page.read()
        process.send_signal(by)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == status
    assert rest == ""


# --- the page, in a browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("there is no Chromium on this machine")
    with api.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser):
    with serving() as server:
        opened = browser.new_context().new_page()
        wrong = []
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.server = server
        yield opened
        assert not wrong
        opened.context.close()


def shown(page, query):
    page.goto(f"{page.server.address}?{query}")
    page.wait_for_selector("#curve svg", timeout=60_000)


def move(page, name, step):
    before = page.evaluate("document.body.dataset.drawn")
    page.locator(f"#slider-{name}").evaluate(
        "(input, step) => { input.value = step; input.dispatchEvent(new Event('input')); }", step
    )
    page.wait_for_function("before => document.body.dataset.drawn !== before", arg=before, timeout=60_000)


def test_a_move_changes_numbers_address_and_exports(page):
    shown(page, NSI)
    first = page.inner_text("#numbers")
    move(page, "eps_u_ee", 300)
    assert page.inner_text("#numbers") != first
    assert "set=eps_u_ee%3D0.5" in page.url
    assert "--set eps_u_ee=0.5" in page.inner_text("#commands")
    assert "eps_u_ee='0.5'" in page.inner_text("#python")
    again = page.context.new_page()  # the address holds all of it: a second tab
    again.goto(page.url)
    again.wait_for_selector("#curve svg", timeout=60_000)
    assert again.inner_text("#numbers") == page.inner_text("#numbers")
    assert again.input_value("#value-eps_u_ee") == "0.5"
    again.server = page.server
    move(again, "eps_u_ee", 200)
    assert page.input_value("#value-eps_u_ee") == "0.5"  # each tab has its own


def test_a_bad_address_is_said_and_can_be_mended(page):
    page.goto(f"{page.server.address}?{NSI.replace('0.1', '11')}&nonsense=1")
    page.wait_for_selector("#error:not([hidden])", timeout=60_000)
    page.wait_for_selector("#error:has-text('nonsense')")
    page.fill("#value-eps_u_ee", "10")
    page.press("#value-eps_u_ee", "Enter")
    page.wait_for_selector("#curve svg", timeout=60_000)
    assert page.locator("#error").is_hidden()
    page.goto(f"{page.server.address}?model=no-such-model&experiment=binh2021-csi")
    page.wait_for_selector("#error:not([hidden])", timeout=60_000)
    assert "unknown model" in page.inner_text("#error")


def test_nan_is_said_and_the_page_goes_on_to_the_bounds(page):
    shown(page, NSI)
    page.fill("#value-eps_u_ee", "NaN")
    page.press("#value-eps_u_ee", "Enter")
    page.wait_for_selector("#error:not([hidden])")
    assert "eps_u_ee" in page.inner_text("#error")
    assert "wrong" in page.get_attribute("#value-eps_u_ee", "class")
    move(page, "eps_u_ee", 400)  # to its end
    assert page.locator("#error").is_hidden()
    assert page.input_value("#value-eps_u_ee") == "1"


def test_the_page_waits_for_a_server_that_comes_back(page):
    shown(page, NSI)
    port = page.server.server_port
    page.server.shutdown()
    page.server.server_close()
    page.locator("#slider-eps_u_ee").evaluate("i => { i.value = 350; i.dispatchEvent(new Event('input')); }")
    page.wait_for_selector("#error:not([hidden])")
    assert "server is away" in page.inner_text("#error")
    with serving(port=port) as page.server:
        page.wait_for_selector("body[data-drawn*='0.75']", timeout=60_000)
        assert page.locator("#error").is_hidden()
