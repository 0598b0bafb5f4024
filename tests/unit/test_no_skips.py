"""The gate's option: what is skipped anywhere must not pass for tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SKIPPED = {
    "a test": "import pytest\n@pytest.mark.skip(reason='no engine')\ndef test_it(): pass\n",
    "inside a test": "import pytest\ndef test_it(): pytest.skip('no engine')\n",
    "a fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('no engine')\ndef test_it(f): pass\n",
    "a file": "import pytest\npytest.skip('no engine', allow_module_level=True)\ndef test_it(): pass\n",
}


def run(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_one.py").write_text(text)
    argv = [sys.executable, "-m", "pytest", "-p", "tests.support.no_skips", "-c", "/dev/null", *options, str(folder)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("text", SKIPPED.values(), ids=SKIPPED)
def test_a_skip_anywhere_fails_and_says_why(tmp_path: Path, text: str):
    done = run(tmp_path, text, "--no-skips")
    assert done.returncode != 0
    assert "--no-skips: " in done.stdout
    assert "no engine" in done.stdout


def test_without_the_option_a_skip_is_a_skip_and_passing_tests_pass_with_it(tmp_path: Path):
    assert run(tmp_path, SKIPPED["a test"]).returncode == 0
    assert run(tmp_path, "def test_it(): pass\n", "--no-skips").returncode == 0
