"""Files, all of them or none: what moves, what stays, what is refused."""

import os
from pathlib import Path

import pytest

from nurecoil.errors import NurecoilError
from nurecoil.staging import staged, staged_file


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
