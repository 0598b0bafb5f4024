"""DaemonSets that stand for what a chart or an operator would install; the real DaemonSet controller rolls them out.

Their pods run nothing. What a container would do when its pod starts is done by `agent.py`, which also writes these
pods' status (kwok plays all other pods): a config that the container would refuse leaves its pod in CrashLoopBackOff,
so a rollout stalls at maxUnavailable here as it does on a cluster.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from rehearsal.cluster.errors import ClusterError

Role = Literal["device-plugin", "gpu-feature-discovery", "mig-manager", "mps-control-daemon", "node-feature-discovery"]
ROLE_LABEL = "gpu-slices.rehearsal/role"
NODE_LABELS_ANNOTATION = "gpu-slices.rehearsal/node-labels"
# Environment variables of the plugin's containers that its double reads.
DEFAULT_CONFIG, FALLBACKS, MIG_STRATEGY = "DEFAULT_CONFIG", "FALLBACK_STRATEGIES", "MIG_STRATEGY"
IMAGE = "rehearsal"


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One DaemonSet, in the words of the release that would install it.

    `config_map` and `default_config` are what the release mounts and falls back to; `checksum` is whatever makes its
    pod template change when the config does (the chart's checksum/config annotation). `mig_strategy` is the value of the
    environment variable MIG_STRATEGY, which beats the config file; empty leaves it out. `fallbacks` are what
    config-manager tries without label and default, comma-separated; empty means its own. Affinity, tolerations, node
    selector, update strategy and resources are the release's own. `node_labels` are further labels that the software
    gives a GPU node (an operator's); only node feature discovery has any.
    """

    name: str
    namespace: str
    role: Role
    config_map: str = ""
    default_config: str = ""
    checksum: str = ""
    mig_strategy: str = ""
    fallbacks: str = ""
    affinity: Mapping[str, Any] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    update_strategy: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    node_labels: Mapping[str, str] = field(default_factory=dict)
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", alias_generator=to_camel)

    @property
    def path(self) -> str:
        """The DaemonSet's path in the API."""
        return f"/apis/apps/v1/namespaces/{self.namespace}/daemonsets/{self.name}"


_ADAPTER: TypeAdapter[Daemon] = TypeAdapter(Daemon)


def parse(data: Mapping[str, Any]) -> Daemon:
    """Return the daemon in `data` (camelCase keys), or raise ClusterError naming every mistake."""
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as error:
        mistakes = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ClusterError("daemon: " + "; ".join(mistakes)) from None


def dump(daemon: Daemon) -> dict[str, Any]:
    """Return the JSON object that `parse` reads back."""
    found: dict[str, Any] = _ADAPTER.dump_python(daemon, by_alias=True, mode="json")
    return found


def checksum(data: Mapping[str, str]) -> str:
    """Return a digest of a ConfigMap's data, for releases that annotate their pods with one."""
    return hashlib.sha256(json.dumps(dict(data), sort_keys=True).encode()).hexdigest()


def manifest(daemon: Daemon) -> dict[str, Any]:
    """Return the DaemonSet; equal daemons give equal pod templates, and so no rollout."""
    selector = {"gpu-slices.rehearsal/daemon": daemon.name}
    annotations = {"checksum/config": daemon.checksum} if daemon.checksum else {}
    if daemon.node_labels:
        annotations[NODE_LABELS_ANNOTATION] = json.dumps(dict(daemon.node_labels), sort_keys=True)
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": daemon.name, "namespace": daemon.namespace, "labels": {ROLE_LABEL: daemon.role}},
        "spec": {
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": {"labels": {**selector, ROLE_LABEL: daemon.role}, "annotations": annotations},
                "spec": _pod(daemon),
            },
            **({"updateStrategy": dict(daemon.update_strategy)} if daemon.update_strategy else {}),
        },
    }


def _pod(daemon: Daemon) -> dict[str, Any]:
    environment = {
        DEFAULT_CONFIG: daemon.default_config,
        FALLBACKS: daemon.fallbacks,
        MIG_STRATEGY: daemon.mig_strategy,
    }
    container = {
        "name": daemon.role,
        "image": IMAGE,
        "env": [{"name": name, "value": value} for name, value in environment.items() if value],
        "resources": dict(daemon.resources),
    }
    volumes = [{"name": "available-configs", "configMap": {"name": daemon.config_map}}] if daemon.config_map else []
    return {
        "priorityClassName": "system-node-critical",
        "containers": [container],
        "volumes": volumes,
        "affinity": dict(daemon.affinity),
        "tolerations": [dict(one) for one in daemon.tolerations],
        "nodeSelector": dict(daemon.node_selector),
    }
