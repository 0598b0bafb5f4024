"""The stages file by which kwok plays pods: kwok's own fast stages, kept off the pods that the doubles play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from rehearsal.cluster.doubles.daemons import ROLE_LABEL

# Two devices or more: the plugin may refuse them, see `doubles/gpu_pods.py`. The expression has no value otherwise.
SEVERAL_DEVICES = (
    '[.spec.containers[].resources.limits // {} | to_entries[] | select(.key | startswith("nvidia.com/")) | .value'
    ' | tonumber] | add // 0 | if . > 1 then "several" else empty end'
)
ONE_DEVICE_AT_MOST = {"key": SEVERAL_DEVICES, "operator": "DoesNotExist"}
NOT_A_DAEMON = {"key": f'.metadata.labels["{ROLE_LABEL}"]', "operator": "DoesNotExist"}
PLAYED_BY_DOUBLES = {"pod-ready", "pod-complete"}
# kwok renews leases only where some stage is about nodes; this one never applies.
LEASES_ONLY: dict[str, Any] = {
    "apiVersion": "kwok.x-k8s.io/v1alpha1",
    "kind": "Stage",
    "metadata": {"name": "node-leases-only"},
    "spec": {
        "resourceRef": {"apiGroup": "v1", "kind": "Node"},
        "selector": {"matchExpressions": [{"key": ".metadata.name", "operator": "DoesNotExist"}]},
        "next": {},
    },
}


def write(source: Path, target: Path) -> Path:
    """Write the stages made from the YAML files in `source` to the file `target`; return it."""
    stages = [_fenced(yaml.safe_load(path.read_text())) for path in sorted(source.glob("*.yaml"))]
    target.write_text(yaml.safe_dump_all([*stages, LEASES_ONLY], sort_keys=False))
    return target


def _fenced(stage: dict[str, Any]) -> dict[str, Any]:
    if stage["metadata"]["name"] not in PLAYED_BY_DOUBLES:
        return stage
    selector = stage["spec"]["selector"]
    expressions = [*selector["matchExpressions"], NOT_A_DAEMON, ONE_DEVICE_AT_MOST]
    return {**stage, "spec": {**stage["spec"], "selector": {**selector, "matchExpressions": expressions}}}
