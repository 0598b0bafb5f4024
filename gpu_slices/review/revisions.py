"""Stack files as git has them at a revision; nothing is checked out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

from ..settings import Mistake, SettingsError

_STACK_FILE: Final = re.compile(r"Pulumi\.[^/]+\.yaml")
_TIMEOUT_SECONDS: Final = 60


def stack_files_at(folder: Path, revision: str) -> dict[str, str]:
    """File name → text of every stack file of the folder at the revision.

    Raises SettingsError for a revision that git cannot read, with git's own reason.
    """
    commit = _commit(folder, revision)
    listed = _git(folder, revision, "ls-tree", "--name-only", "-z", commit)
    names = sorted(name for name in listed.split("\0") if _STACK_FILE.fullmatch(name))
    return {name: _git(folder, revision, "show", f"{commit}:./{name}") for name in names}


def stack_files_in(folder: Path) -> dict[str, str]:
    """The same of the folder as it lies there. Raises SettingsError for a file that is not text."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("Pulumi.*.yaml")):
        try:
            found[path.name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise _mistake(path.name, "cannot be read (not UTF-8)", "") from None
    return found


def short(folder: Path, revision: str) -> str:
    """The revision as a report names it: `main (1a2b3c4)`. Raises SettingsError as above."""
    commit = _commit(folder, revision)[:7]
    return commit if revision.startswith(commit) else f"{revision} ({commit})"


def _commit(folder: Path, revision: str) -> str:
    if revision.startswith("-"):
        raise _mistake(revision, "is neither a file nor a git revision", "write one like main, HEAD~1 or v1.2.0")
    return _git(folder, revision, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()


def _git(folder: Path, revision: str, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except FileNotFoundError:
        raise _mistake(revision, "cannot be read: there is no git here", "install git, or name files") from None
    except subprocess.TimeoutExpired:
        raise _mistake(
            revision, f"git did not answer within {_TIMEOUT_SECONDS} s", "try again, or name files"
        ) from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = f" ({said[-1].removeprefix('fatal: ')})" if said else ""
        raise _mistake(
            revision,
            f"is neither a file nor a git revision that can be read here{why}",
            "name a file or a fetched revision (git fetch origin REVISION)",
        )
    return done.stdout.decode(errors="replace")


def _mistake(path: str, problem: str, remedy: str) -> SettingsError:
    return SettingsError([Mistake(path=path, problem=problem, remedy=remedy)])
