"""States of released versions: what a user's stack looked like after `up` with that version, over the stand-ins.

`python -m tests.support.released v0.1.0` records every stack file of this revision, on the real engine. Secrets in a
recorded state are the stand-ins' own, and nothing of the machine that recorded it is in there.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import yaml

from engine.operation import Change, Operation
from rehearsal.stage import stage
from tests.support.stacks import ROOT, STACKS

FOLDER = ROOT / "tests" / "data" / "released"
#: Steps that take something away or make it anew; everything else adds to a stack or changes it in place.
DESTRUCTIVE = frozenset({"delete", "replace", "create-replacement", "delete-replaced"})
#: When and by which line of which folder a resource was made: no preview reads it.
_OF_THE_MOMENT = frozenset({"created", "modified", "sourcePosition", "stackTrace"})
_FIXED_TIME = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Released:
    """One stack of one released version: the settings it had, and the deployment that its `up` left."""

    version: str
    stack: str
    settings: Mapping[str, Any]
    deployment: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A destructive step that is meant: `stack`, `type` and `name` may have wildcards."""

    version: str
    stack: str
    op: str
    type: str
    name: str
    reason: str

    def covers(self, version: str, stack: str, change: Change) -> bool:
        """Whether it explains a step."""
        here = self.version == version and self.op == change.op and fnmatch(stack, self.stack)
        return here and fnmatch(change.type, self.type) and fnmatch(change.name, self.name)


def recorded() -> tuple[tuple[str, str], ...]:
    """(version, stack) of every recorded state, sorted."""
    return tuple(sorted((path.parent.name, path.name.split(".")[0]) for path in FOLDER.glob("*/*.json.gz")))


def load(version: str, stack: str) -> Released:
    """A recorded state."""
    content = json.loads(gzip.decompress((FOLDER / version / f"{stack}.json.gz").read_bytes()))
    return Released(version=version, stack=stack, settings=content["settings"], deployment=content["deployment"])


def explained() -> tuple[Explained, ...]:
    """Every destructive step that is meant, with its reason."""
    return tuple(Explained(**row) for row in json.loads((FOLDER / "explained.json").read_text()))


def destructive(operation: Operation) -> tuple[Change, ...]:
    """The steps of a preview that take something away or make it anew."""
    return tuple(change for change in operation.changes if change.op in DESTRUCTIVE)


def record(version: str) -> None:
    """Writes the state of every stack file of this revision. Raises EngineError; ValueError for a bad version or state."""
    if not re.fullmatch(r"v[0-9]+\.[0-9]+\.[0-9]+", version):
        raise ValueError(f"{version!r} is no version: write it like v0.1.0")
    folder = FOLDER / version
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.json.gz"):
        stale.unlink()
    for stack in STACKS:
        settings = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
        with stage(stack) as played:
            played.up()
            deployment = _timeless(played.export())
        text = json.dumps({"settings": settings, "deployment": deployment}, sort_keys=True, separators=(",", ":"))
        for place in (str(ROOT), f"{tempfile.gettempdir()}/"):
            if place in text:
                near = text[max(0, text.index(place) - 80) :][:200]
                raise ValueError(f"the state of {stack} names a folder of this machine: {near}")
        (folder / f"{stack}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def _timeless(deployment: Mapping[str, Any]) -> dict[str, Any]:
    resources = [
        {key: value for key, value in one.items() if key not in _OF_THE_MOMENT} for one in deployment["resources"]
    ]
    return {**deployment, "manifest": {**deployment["manifest"], "time": _FIXED_TIME}, "resources": resources}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tests.support.released VERSION")
    record(sys.argv[1])
