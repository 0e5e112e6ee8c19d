"""Files, all of them or none: what moves, what stays, what is refused."""

import errno
import os
from pathlib import Path

import pytest

from nurecoil.errors import NurecoilError
from nurecoil.presentation.staging import staged, staged_file


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def files():
    return sorted(map(str, Path().rglob("*")))


def test_staged_moves_only_when_all_is_well():
    with staged("a/b") as stage:
        (stage / "figures").mkdir()
        (stage / "figures" / "one.txt").write_text("1")
        assert not Path("a").exists()
    assert files() == ["a", "a/b", "a/b/figures", "a/b/figures/one.txt"]


def test_staged_moves_nothing_if_something_is_in_the_way():
    Path("out").mkdir()
    Path("out/figures").touch()

    def write():
        with staged("out") as stage:
            (stage / "a.txt").touch()
            (stage / "figures").mkdir()
            (stage / "figures" / "b.txt").touch()

    with pytest.raises(NurecoilError, match=r"figures' is not a directory"):
        write()
    assert files() == ["out", "out/figures"]


def test_staged_file_keeps_the_old_file_when_it_fails():
    Path("plot.png").write_text("old")

    def draw():
        with staged_file("plot.png") as path:
            assert path.suffix == ".png"
            path.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        draw()
    assert Path("plot.png").read_text() == "old"
    assert files() == ["plot.png"]


def test_files_get_the_usual_permissions():
    old = os.umask(0o022)
    try:
        with staged("out") as stage:
            (stage / "a.txt").touch()
    finally:
        os.umask(old)
    assert Path("out").stat().st_mode & 0o777 == 0o755
    assert Path("out/a.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_staged_refuses_a_directory_without_permission():
    Path("closed").mkdir(mode=0o500)
    with (
        pytest.raises(NurecoilError, match="cannot write to 'closed/report'"),
        staged("closed/report"),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("directory.png", "it is a directory, not a file"),
        ("device.png", "it is a device or a pipe, not a plain file"),
        ("pipe.png", "it is a device or a pipe, not a plain file"),
        ("file/plot.png", "'file' is not a directory"),
        (300 * "a" + ".png", "name too long"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="there are no devices")
def test_a_place_that_no_file_can_take_is_refused_before_the_work(name, text):
    Path("directory.png").mkdir()
    Path("device.png").symlink_to("/dev/full")
    os.mkfifo("pipe.png")
    Path("file").touch()
    before = files()
    with pytest.raises(NurecoilError, match=f"(?i){text}"), staged_file(name):
        pytest.fail("the work has begun")
    assert files() == before
    assert Path("device.png").is_symlink()


def test_a_read_only_file_is_refused_before_the_work(monkeypatch):
    Path("plot.png").write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: not (path.name == "plot.png" and mode == os.W_OK))
    with pytest.raises(NurecoilError, match=r"'plot.png': it is read-only"), staged_file("plot.png"):
        pytest.fail("the work has begun")
    assert Path("plot.png").read_text() == "old"


@pytest.mark.parametrize("stage", [lambda: staged("out"), lambda: staged_file("plot.png")])
def test_a_full_disk_is_refused_before_the_work(monkeypatch, stage):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NurecoilError, match=r"cannot write to '.*': No space left"), stage():
        pytest.fail("the work has begun")
    assert files() == []
