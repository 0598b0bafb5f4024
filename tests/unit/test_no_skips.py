"""The gate's option: what is skipped anywhere must not pass for tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SKIPPED = {
    "a test": "import pytest\n@pytest.mark.skip(reason='no engine')\ndef test_it(): pass\n",
    "inside a test": "import pytest\ndef test_it(): pytest.skip('no engine')\n",
    "a fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('no engine')\ndef test_it(f): pass\n",
    "a file": "import pytest\npytest.skip('no engine', allow_module_level=True)\ndef test_it(): pass\n",
}


def run(folder: Path, texts: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    for name, text in texts.items():
        (folder / f"test_{name.replace(' ', '_')}.py").write_text(text)
    argv = [sys.executable, "-m", "pytest", "-p", "tests.support.no_skips", "-c", "/dev/null", *options, str(folder)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_skip_anywhere_fails_and_says_why(tmp_path: Path):
    done = run(tmp_path, SKIPPED, "--no-skips", "--continue-on-collection-errors")
    assert done.returncode != 0
    assert "1 failed, 3 errors" in done.stdout
    assert done.stdout.count("--no-skips: ") >= len(SKIPPED)
    assert "no engine" in done.stdout


def test_without_the_option_a_skip_is_a_skip(tmp_path: Path):
    done = run(tmp_path, SKIPPED)
    assert done.returncode == 0
    assert "4 skipped" in done.stdout


def test_what_passes_passes_with_the_option(tmp_path: Path):
    assert run(tmp_path, {"fine": "def test_it(): pass\n"}, "--no-skips").returncode == 0
