"""What a user waits for: imports, help, and the whole paper, each in a process of its own."""

import subprocess
import sys


def run(*arguments, cwd=None):
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=cwd)


def test_python_alone(benchmark):
    benchmark.pedantic(run, ("-c", "pass"), rounds=5, warmup_rounds=1)


def test_import_nurecoil(benchmark):
    benchmark.pedantic(run, ("-c", "import nurecoil"), rounds=5, warmup_rounds=1)


def test_import_everything_public(benchmark):
    code = "import nurecoil; [getattr(nurecoil, name) for name in nurecoil.__all__]"
    benchmark.pedantic(run, ("-c", code), rounds=5, warmup_rounds=1)


def test_help(benchmark):
    benchmark.pedantic(run, ("-m", "nurecoil", "--help"), rounds=5, warmup_rounds=1)


def test_reproduce_binh2021(benchmark, tmp_path):
    benchmark.pedantic(run, ("-m", "nurecoil", "reproduce", "binh2021"), {"cwd": tmp_path}, rounds=2)
