"""kube-score over what every stack file renders: no CRITICAL finding without a written exemption.

`python tools/kube-score/lint_manifests.py .bin/kube-score`; exit 1 with one line for each finding left, and for each
exemption that nothing needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
EXEMPTIONS: Final = Path(__file__).with_name("exemptions.yaml")
#: kube-score's grades: 1 CRITICAL, 5 WARNING, 7 ALMOST OK, 10 OK.
_CRITICAL: Final = 1


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One check that one object fails. `object` is KIND/NAMESPACE/NAME."""

    stack: str
    object: str
    check: str
    words: str


def main(arguments: list[str]) -> int:
    """The number of the exit."""
    kube_score = Path(arguments[0]).resolve()
    findings = sorted(one for file in sorted(ROOT.glob("Pulumi.*.yaml")) for one in scan(kube_score, file))
    exemptions = yaml.safe_load(EXEMPTIONS.read_text())
    left = [one for one in findings if not any(_covers(exemption, one) for exemption in exemptions)]
    idle = [exemption for exemption in exemptions if not any(_covers(exemption, one) for one in findings)]
    for one in left:
        print(f"stack {one.stack}, {one.object}: {one.check}: {one.words}")
    for exemption in idle:
        print(f"{EXEMPTIONS.name}: nothing needs the exemption from {exemption['check']} for {exemption['objects']}")
    print(f"kube-score: {len(findings)} critical findings, {len(findings) - len(left)} exempted, {len(left)} left")
    return 1 if left or idle else 0


def scan(kube_score: Path, stack_file: Path) -> Iterator[Finding]:
    """What kube-score finds critical in a stack's manifests, all looked at together."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gpu_slices", "render", "--file", str(stack_file), "--out", folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        files = sorted(str(path) for path in Path(folder, "manifests").glob("*.yaml"))
        # Exits 1 for findings; what is no JSON is a failure of its own.
        answer = subprocess.run(
            [str(kube_score), "score", "--output-format", "json", *files], capture_output=True, text=True, check=False
        )
    stack = stack_file.name.split(".")[1]
    for scored in json.loads(answer.stdout):
        for check in scored["checks"] or []:
            if check["grade"] == _CRITICAL and not check["skipped"]:
                yield Finding(stack=stack, object=_name(scored), check=check["check"]["id"], words=_words(check))


def _name(scored: dict[str, Any]) -> str:
    metadata = scored["object_meta"]
    return f"{scored['type_meta']['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"


def _words(check: dict[str, Any]) -> str:
    return "; ".join(dict.fromkeys(comment["summary"] for comment in check["comments"] or []))


def _covers(exemption: dict[str, Any], finding: Finding) -> bool:
    return exemption["check"] == finding.check and any(fnmatch(finding.object, one) for one in exemption["objects"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
