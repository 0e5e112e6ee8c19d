"""Official data: the registry, the lookup, and the download, against a real HTTP server on this machine."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nurecoil import cli
from nurecoil._version import __version__
from nurecoil.errors import NurecoilError
from nurecoil.experiment import datasets
from nurecoil.experiment.datasets import (
    Client,
    Content,
    DataFile,
    Release,
    fetch,
    file_path,
    registry,
    verify,
)

SHARED = Path(os.environ.get("NURECOIL_DATA") or Path(__file__).parents[2] / "shared" / "data").resolve()
with_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no mirror of the official data at {SHARED}")
TEXTS = {"a.txt": b"1 2 3\n" * 400, "b.txt": b"4 5 6\n" * 300, "sub/c+1.txt": b"7 8 9\n" * 200}


# --- a server that behaves as it is told --------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Serves `texts`; `plans` say, for a path, what to do instead at each request in turn."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.texts = {f"/{path.rpartition('/')[2]}": text for path, text in TEXTS.items()}
        self.plans, self.requests, self.agents = {}, [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = urlsplit(self.path).path.replace("%2B", "+")
        self.server.requests.append(path)
        self.server.agents.append(self.headers["User-Agent"])
        plan = self.server.plans.get(path)
        if plan:
            plan.pop(0)(self, path)
        else:
            self.give(self.server.texts.get(path))

    def give(self, text, status=200, length=None, headers=()):
        if text is None:
            text, status = b"nothing here", 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(text) if length is None else length))
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


def drop(handler, path):
    """Announce the whole file, send half of it, close."""
    text = handler.server.texts[path]
    handler.give(text[: len(text) // 2], length=len(text))


def truncate(handler, path):
    """Send half of the file as if it were all."""
    text = handler.server.texts[path]
    handler.give(text[: len(text) // 2])


def corrupt(handler, path):
    """Change one byte."""
    text = bytearray(handler.server.texts[path])
    text[7] ^= 1
    handler.give(bytes(text))


def answer(status, *headers):
    return lambda handler, path: handler.give(b"no", status, headers=headers)


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def official(base):
    """Return a release of the files in TEXTS."""
    files = tuple(
        DataFile(
            path,
            f"{base}/{path.rpartition('/')[2]}".replace("+", "%2B"),
            (Content(hashlib.sha256(text).hexdigest(), len(text)),),
        )
        for path, text in TEXTS.items()
    )
    return Release("official", "a release", "10.1/1", base, "see the record", "Nobody:2026", files)


@pytest.fixture
def release(server):
    return official(server.url)


@pytest.fixture
def waits():
    return []


@pytest.fixture
def client(waits):
    return Client(timeout=5.0, sleep=waits.append)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Give each test a cache of its own, no mirror and no proxy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NURECOIL_CACHE", "cache")
    monkeypatch.delenv("NURECOIL_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


def put(folder, texts=TEXTS, flat=False):
    for path, text in texts.items():
        target = Path(folder, path.rpartition("/")[2] if flat else path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)


def files(folder):
    """Return all files in a folder and their bytes, whatever their names."""
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


HOSTS = ("zenodo.org", "arxiv.org", "raw.githubusercontent.com")


# --- the registry -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", datasets.release_names())
def test_registry_is_well_formed(name):
    release = datasets.load_release(name)
    names = [file.name for file in release.files]
    assert len(set(names)) == len(names)
    assert all([release.title, release.doi, release.licence, release.citation])
    for file in release.files:
        assert all(re.fullmatch("[0-9a-f]{64}", content.sha256) for content in file.contents)
        assert file.size > 0
        assert "+" not in file.url
        if file.url:
            parts = urlsplit(file.url)
            assert (parts.scheme, parts.hostname in HOSTS) == ("https", True)


def test_file_names_of_all_releases_differ():
    """A mirror may have all files in one folder, but for XENONnT's, whose templates share names."""
    releases = [name for name in datasets.release_names() if name != "xenonnt-2024"]
    names = [f.name for name in releases for f in datasets.load_release(name).files]
    assert len(set(names)) == len(names)


@with_data
@pytest.mark.parametrize("name", datasets.release_names())
def test_mirror_is_whole(name, monkeypatch, cache):
    monkeypatch.setenv("NURECOIL_DATA", str(SHARED))
    assert {(status.state, status.source) for status in verify(name)} == {("whole", "mirror")}
    assert fetch(name) == SHARED.resolve() / name
    listed = {file.path for file in datasets.load_release(name).files}
    assert listed == set(files(SHARED / name))
    assert not cache.exists()


@with_data
def test_what_is_not_known_to_be_official_is_said(monkeypatch):
    monkeypatch.setenv("NURECOIL_DATA", str(SHARED))
    notes = {status.file.path: status.note for name in datasets.release_names() for status in verify(name)}
    assert "not the official file" in notes["dataBeamOnC.txt"]
    assert "official file's checksum is not known here" in notes["data_release.txt"]
    assert "not part of the official release" in notes["timing_reference_from_snsFlux2D_T372.csv"]
    assert notes["promptPDF.txt"] == notes["brnpdf.txt"] == notes["brnPE.txt"] == ""


def test_each_accepted_content_of_a_file_will_do(server, client):
    contents = tuple(Content(hashlib.sha256(text).hexdigest()) for text in (b"whole", b"part"))
    release = Release("two", "", "", "", "", "", (DataFile("x.txt", f"{server.url}/x.txt", contents),))
    for text in (b"whole", b"part"):
        server.texts["/x.txt"] = text
        path = file_path(release, "x.txt", client=client)
        assert path.read_bytes() == text
        path.unlink()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fetch("coherent-csi-207"), "did you mean 'coherent-csi-2017'"),
        (lambda: file_path("coherent-csi-2017", "promtPDF.txt"), "did you mean 'promptPDF.txt'"),
        (lambda: file_path("coherent-csi-2017", "../../secret"), "unknown file of coherent-csi-2017"),
        (
            lambda: file_path("coherent-csi-2021", "timing_reference_from_snsFlux2D_T372.csv"),
            "https://arxiv.org/abs/2110.07730 (a third party's projection of snsFlux2D.root): only a mirror",
        ),
    ],
)
def test_unknown_names(call, message, cache):
    with pytest.raises(NurecoilError, match=re.escape(message)):
        call()


# --- the lookup ---------------------------------------------------------------------------------------


def test_first_fetch_downloads_and_the_next_asks_nobody(server, release, client, cache):
    assert fetch(release, client=client) == cache / "official"
    assert files(cache / "official") == TEXTS
    assert server.requests == ["/a.txt", "/b.txt", "/c+1.txt"]
    assert all(agent.startswith(f"nurecoil/{__version__} (") for agent in server.agents)
    fetch(release, client=client)
    assert file_path(release, "c+1.txt", client=client) == cache / "official" / "sub/c+1.txt"
    assert datasets.locate(release) == cache / "official"
    assert len(server.requests) == 3


def test_one_file_alone_is_fetched(server, release, client, cache):
    path = file_path(release, "b.txt", client=client)
    assert path.read_bytes() == TEXTS["b.txt"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert (server.requests, list(files(cache))) == (["/b.txt"], ["official/b.txt"])
    assert datasets.state(verify(release)) == "incomplete"


def _umask():
    os.umask(umask := os.umask(0))
    return umask


@pytest.mark.parametrize("folder", ["mirror/official", "mirror"])
def test_mirror_comes_first(folder, server, release, client, cache, monkeypatch):
    monkeypatch.setenv("NURECOIL_DATA", "mirror")
    put(folder)
    put(cache / "official")
    assert fetch(release, client=client) == Path(folder).resolve()
    assert file_path(release, "a.txt") == Path(folder, "a.txt").resolve()
    assert {status.source for status in verify(release)} == {"mirror"}
    assert datasets.state(verify(release)) == "mirror"
    assert not server.requests


def test_flat_mirror_is_put_in_order_in_the_cache(server, release, client, cache, monkeypatch):
    monkeypatch.setenv("NURECOIL_DATA", "mirror")
    put("mirror/official", flat=True)
    assert file_path(release, "sub/c+1.txt") == Path("mirror/official/c+1.txt").resolve()
    assert fetch(release, client=client) == cache / "official"
    assert files(cache / "official") == TEXTS
    assert not server.requests


def test_what_the_mirror_lacks_is_downloaded(server, release, client, cache, monkeypatch):
    monkeypatch.setenv("NURECOIL_DATA", "mirror")
    put("mirror/official", {"a.txt": TEXTS["a.txt"]})
    assert fetch(release, client=client) == cache / "official"
    assert files(cache / "official") == TEXTS
    assert server.requests == ["/b.txt", "/c+1.txt"]


def test_mirror_that_is_not_there_is_refused(release, monkeypatch):
    monkeypatch.setenv("NURECOIL_DATA", "nowhere")
    with pytest.raises(NurecoilError, match="NURECOIL_DATA is 'nowhere', which is not a directory"):
        fetch(release)


def changed(text=TEXTS["b.txt"]):
    return b"X" + text[1:]


def test_changed_byte_in_the_mirror(server, release, client, cache, monkeypatch):
    monkeypatch.setenv("NURECOIL_DATA", "mirror")
    put("mirror/official", TEXTS | {"b.txt": changed()})
    put(cache / "official")
    for call in (
        lambda: fetch(release, client=client, replace=True),
        lambda: file_path(release, "b.txt", client=client),
        lambda: datasets.locate(release),
    ):
        with pytest.raises(NurecoilError) as refusal:
            call()
        assert _names_all(str(refusal.value), Path("mirror/official/b.txt").resolve(), "unset NURECOIL_DATA")
    assert Path("mirror/official/b.txt").read_bytes() == changed()
    assert datasets.state(verify(release)) == "changed"
    assert not server.requests


def test_changed_byte_in_the_cache_is_replaced_only_when_told(server, release, client, cache):
    put(cache / "official", TEXTS | {"b.txt": changed()})
    for call in (lambda: fetch(release, client=client), lambda: file_path(release, "b.txt", client=client)):
        with pytest.raises(NurecoilError) as refusal:
            call()
        assert _names_all(str(refusal.value), cache / "official/b.txt", "`nurecoil data fetch official`")
    assert (cache / "official/b.txt").read_bytes() == changed()
    assert not server.requests

    server.plans["/b.txt"] = [corrupt]
    with pytest.raises(NurecoilError, match=r"'b\.txt' of official was not taken from http"):
        fetch(release, client=client, replace=True)
    assert (cache / "official/b.txt").read_bytes() == changed()

    fetch(release, client=client, replace=True)
    kept = f"b.txt.{hashlib.sha256(changed()).hexdigest()[:8]}.changed"
    assert files(cache / "official") == TEXTS | {kept: changed()}
    assert server.requests == ["/b.txt"] * 2


def _names_all(message, path, remedy):
    found, expected = (hashlib.sha256(text).hexdigest() for text in (changed(), TEXTS["b.txt"]))
    return all(str(part) in message for part in (path, found, expected, "1800 bytes", remedy))


# --- the download -------------------------------------------------------------------------------------


def test_dropped_connection_is_tried_again(server, release, client, waits):
    server.plans["/a.txt"] = [drop, drop]
    assert file_path(release, "a.txt", client=client).read_bytes() == TEXTS["a.txt"]
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("behaviour", "requests", "message"),
    [
        (drop, 4, "the connection broke off"),
        (truncate, 1, r"found SHA-256 \w{64} \(900 bytes\), expected SHA-256 \w{64} \(1800 bytes\)"),
        (corrupt, 1, r"found SHA-256 \w{64} \(1800 bytes\), expected SHA-256 \w{64} \(1800 bytes\)"),
        (answer(404), 1, "the server answers 404 Not Found"),
        (answer(503), 4, "the server answers 503 Service Unavailable"),
        (answer(429, ("Retry-After", "3")), 4, "answers 429 Too Many Requests and asks to wait 3 s"),
        (answer(429, ("Retry-After", "86400")), 1, "asks to wait 86400 s"),
        (answer(302, ("Location", "/b.txt")), 1, "the server answers 302 Found"),
    ],
)
def test_bad_download_leaves_no_file_and_the_next_fetch_goes_on(
    behaviour, requests, message, server, release, client, cache
):
    looping = "302" in message
    server.plans["/b.txt"] = [behaviour] * (31 if looping else 4)
    with pytest.raises(NurecoilError, match=message) as refusal:
        fetch(release, client=client)
    assert "\n" not in str(refusal.value)
    assert f"get it from {server.url} and name its folder in NURECOIL_DATA" in str(refusal.value)
    assert files(cache) == {"official/a.txt": TEXTS["a.txt"]}
    assert server.requests.count("/b.txt") == (31 if looping else requests)

    server.plans.clear()
    fetch(release, client=client)
    assert files(cache / "official") == TEXTS
    assert server.requests.count("/a.txt") == 1


def test_waits_are_as_long_as_the_server_asks(server, release, client, waits):
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    server.plans["/a.txt"] = [
        answer(429, ("Retry-After", "30")),
        answer(503, ("Retry-After", past)),
        answer(429, ("Retry-After", "soon")),
    ]
    said = []
    fetch(release, client=client, say=said.append)
    assert waits == [30.0, 0.0, 4.0]
    assert said[:2] == [
        "official: downloading a.txt",
        "official: the server answers 429 Too Many Requests and asks to wait 30 s; next try in 30 s",
    ]


def test_redirect_is_followed(server, release, client):
    server.texts["/elsewhere"] = TEXTS["a.txt"]
    server.plans["/a.txt"] = [answer(302, ("Location", f"{server.url}/elsewhere"))]
    assert file_path(release, "a.txt", client=client).read_bytes() == TEXTS["a.txt"]
    assert server.requests == ["/a.txt", "/elsewhere"]


def test_slow_server(server, release, waits):
    stop = threading.Event()
    server.plans["/a.txt"] = [lambda handler, path: stop.wait(5)] * 4
    with pytest.raises(NurecoilError, match=r"no answer within 0\.05 s"):
        file_path(release, "a.txt", client=Client(tries=2, timeout=0.05, sleep=waits.append))
    stop.set()
    assert waits == [1.0]


def test_no_server(client, cache, waits):
    with Server() as gone:
        release = official(gone.url)
    with pytest.raises(NurecoilError, match="the server cannot be reached"):
        fetch(release, client=client)
    assert waits == [1.0, 2.0, 4.0]
    assert not files(cache)


def test_file_gets_its_name_whole_and_at_once(release, client, cache, monkeypatch):
    moves, replace = [], os.replace

    def watch(source, target):
        moves.append((target, Path(source).read_bytes(), Path(target).exists()))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watch)
    fetch(release, client=client)
    assert moves == [(cache / "official" / path, text, False) for path, text in TEXTS.items()]


def test_interrupt_leaves_no_file(server, release, cache):
    def interrupt(seconds):
        raise KeyboardInterrupt

    server.plans["/a.txt"] = [drop]
    with pytest.raises(KeyboardInterrupt):
        fetch(release, client=Client(sleep=interrupt))
    assert list((cache / "official").iterdir()) == []


CHILD = """
import sys; sys.path.insert(0, sys.argv[1])
from test_datasets import official, fetch
print(fetch(official(sys.argv[2])))
"""


def start(server):
    """Fetch in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", CHILD, str(Path(__file__).parent), server.url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_kill_leaves_no_file_that_looks_whole(server, release, client, cache):
    begun, killed = threading.Event(), threading.Event()

    def stall(handler, path):
        drop(handler, path)
        begun.set()
        killed.wait(30)

    server.plans["/a.txt"] = [stall]
    with start(server) as process:
        assert begun.wait(30)
        process.kill()
    killed.set()
    assert "official/a.txt" not in files(cache)
    assert datasets.state(verify(release)) == "missing"
    fetch(release, client=client)
    assert datasets.state(verify(release)) == "cached"


def test_two_processes_at_once(server, cache):
    gate = threading.Barrier(2, timeout=30)

    def together(handler, path):
        gate.wait()
        handler.give(handler.server.texts[path])

    server.plans["/a.txt"] = [together] * 2
    with start(server) as first, start(server) as second:
        outs = [process.communicate(timeout=60)[0].strip() for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert outs == [str(cache / "official")] * 2
    assert files(cache / "official") == TEXTS
    assert server.requests.count("/a.txt") == 2


def test_cache_that_cannot_be_written(server, release, client, cache):
    cache.write_text("in the way")
    with pytest.raises(NurecoilError, match=r"cannot write '.*a\.txt': .*; NURECOIL_CACHE can name another"):
        fetch(release, client=client)
    assert cache.read_text() == "in the way"
    assert not server.requests


def test_no_pooch_and_no_network_client_for_what_is_there(release, cache):
    put(cache / "official")
    code = (
        "import sys; from nurecoil.experiment import datasets\n"
        "datasets.verify('coherent-csi-2017')\n"
        "print(sorted({'pooch', 'requests', 'urllib3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_default_cache_is_the_platforms(monkeypatch):
    import pooch

    monkeypatch.delenv("NURECOIL_CACHE")
    assert datasets.cache_directory() == Path(pooch.os_cache("nurecoil"))


# --- the command line ---------------------------------------------------------------------------------


@pytest.fixture
def run(capsys, monkeypatch, release):
    """Run the command line in this process with the server's release for the only one."""
    monkeypatch.setattr(registry, "_registry", lambda: {release.name: release})
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments):
        with pytest.raises(SystemExit) as ending:
            cli.main(["data", *arguments])
        out, err = capsys.readouterr()
        return ending.value.code or 0, out, err

    return run


def test_list_fetch_verify_path(run, server, cache):
    assert run("path") == (0, f"{cache}\n", "")
    assert run("path", "official")[0] == 2
    assert json.loads(run("list", "--json")[1])["releases"][0]["state"] == "missing"
    status, out, _ = run("verify", "official")
    assert (status, out.count("missing")) == (1, 3)

    status, out, err = run("fetch", "all")
    assert (status, out) == (0, f"{cache / 'official'}\n")
    assert err.splitlines() == [f"official: downloading {path}" for path in TEXTS]
    assert run("fetch", "official") == (0, f"{cache / 'official'}\n", "")
    assert run("path", "official") == (0, f"{cache / 'official'}\n", "")
    status, out, _ = run("list")
    assert re.search(r"official +a release +10\.1/1 +3 +5 kB +cached", out)
    status, out, _ = run("verify", "all")
    assert (status, out.count("whole  cache"), out.strip().endswith("All whole.")) == (0, 3, True)
    assert len(server.requests) == 3


def test_fetch_all_leaves_out_what_only_a_mirror_has(run, release, cache, monkeypatch):
    (file, *_) = release.files
    unofficial = replace(release, name="digitised", files=(replace(file, url=""),))
    monkeypatch.setattr(registry, "_registry", lambda: {"digitised": unofficial, release.name: release})
    status, out, err = run("fetch", "all")
    assert (status, out) == (0, f"{cache / release.name}\n")
    assert "digitised: left out, as no official record has it, only a mirror" in err
    assert "only a mirror has it" in run("fetch", "digitised")[2]
    folder = cache.parent / "mirror" / "digitised"
    folder.mkdir(parents=True)
    (folder / file.name).write_bytes(TEXTS[file.name])
    monkeypatch.setenv("NURECOIL_DATA", str(folder.parent))
    assert f"{folder}\n" in run("fetch", "all")[1]


def test_verify_says_what_is_wrong_and_fetch_mends_it(run, cache):
    put(cache / "official", TEXTS | {"b.txt": changed()})
    status, out, _ = run("verify", "official")
    assert status == 1
    assert _names_all(out, cache / "official/b.txt", "`nurecoil data fetch official` replaces it")
    status, out, _ = run("verify", "all", "--json")
    result = json.loads(out)
    assert (status, result["good"]) == (1, False)
    assert [row["state"] for row in result["files"]] == ["whole", "changed", "whole"]
    assert result["files"][1]["sha256"] == hashlib.sha256(changed()).hexdigest()
    assert result["files"][1]["expected_sha256"] == [hashlib.sha256(TEXTS["b.txt"]).hexdigest()]
    assert run("fetch", "official")[0] == 0
    assert json.loads(run("verify", "official", "--json")[1])["good"]


def test_bad_input_is_one_sentence(run):
    for arguments in (["fetch", "offical"], ["verify", "offical"], ["path", "offical"]):
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert err == "Error: unknown data release 'offical': did you mean 'official'? (known: official)\n"
