"""The pods of `verify`: which are started where, and how each is written. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..manifests.namespace import namespace
from ..namespaces import TOOL_LABEL
from ..naming import GPU_TOLERATION, MANAGED_BY_LABELS, POOL_LABEL
from ..pool_plan import PoolPlan
from .snapshot import HOSTNAME_LABEL, Node
from .view import View, shape_of

VERIFY_LABEL: Final = "gpu-slices/verify"
NODE_LABEL: Final = "gpu-slices/verify-node"
#: What a probe asks for beside its slice: little enough that a full node's worth fits beside the daemons.
PROBE_MILLICPU: Final = 5
PROBE_MEBIBYTES: Final = 16
#: A small image with a C library for the nvidia-smi that the container toolkit mounts; CUDA 12 runs on a V100 too.
PROBE_IMAGE: Final = "nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04"
_NOBODY: Final = 65532


@dataclass(frozen=True, kw_only=True)
class NodeProbe:
    """What is started on one node for one resource. `pods` one-slice pods fill what is free; `used` slices are
    somebody's already; `gpus` are the GPUs or MIG instances behind the resource."""

    pool: str
    node: str
    hostname: str
    resource: str
    slices: int
    used: int
    pods: int
    gpus: int
    replicas: int
    #: What runs out before the slices do; empty when nothing does.
    short_of: str = ""
    #: Whether two slices for one pod must be refused here, and two are free to ask for.
    two_refused: bool = False
    #: The node's own pool label, which a tenant's pods must select; empty where it has none.
    pool_label: str = ""
    #: The user id that the pool asks for; any where None.
    user: int | None = None

    @property
    def subject(self) -> str:
        """What findings call it; a node with MIG instances is probed once for each profile."""
        name = self.resource.partition("/")[2]
        return f"node {self.node}, {name}" if name.startswith("mig-") else f"node {self.node}"

    @property
    def place(self) -> tuple[str, str]:
        """What tells it from other probes: node and resource."""
        return self.node, self.resource


def node_probes(view: View, pools: tuple[str, ...]) -> tuple[NodeProbe, ...]:
    """One probe per resource of each node of these pools that is Ready, takes pods and shows slices."""
    return tuple(_probes(view, pools))


def _probes(view: View, pools: tuple[str, ...]) -> Iterator[NodeProbe]:
    for pool, node in view.pool_nodes():
        shape = shape_of(pool, node)
        if pool.name not in pools or shape is None or not node.ready or not node.schedulable:
            continue
        started = 0
        for one in shape.slices:
            shown = node.allocatable.extended.get(one.resource, 0)
            if not shown:
                continue
            used = min(view.used(node, one.resource), shown)
            pods, short = _room(view, node, shown - used, started)
            started += pods
            yield NodeProbe(
                pool=pool.name,
                node=node.name,
                hostname=node.hostname,
                resource=one.resource,
                slices=shown,
                used=used,
                pods=pods,
                gpus=one.count // pool.replicas,
                replicas=pool.replicas,
                short_of=short,
                two_refused=_two_refused(pool) and pods >= 2,
                pool_label=node.pool_label,
                user=pool.run_as_user,
            )


def _two_refused(pool: PoolPlan) -> bool:
    return pool.replicas > 1 and pool.sharing.fail_requests_greater_than_one


def _room(view: View, node: Node, free: int, started: int) -> tuple[int, str]:
    """Probes that fit beside the `started`, and what there is too little of where that is fewer than the free slices."""
    here = view.pods_on.get(node.name, ())
    left = {
        "pods": node.allocatable.pods - len(here) - started,
        "CPU": (node.allocatable.millicpu - sum(pod.requests.millicpu for pod in here)) // PROBE_MILLICPU - started,
        "memory": (node.allocatable.mebibytes - sum(pod.requests.mebibytes for pod in here)) // PROBE_MEBIBYTES
        - started,
    }
    scarce = min(left, key=lambda name: left[name])
    return max(0, min(free, left[scarce])), scarce if left[scarce] < free else ""


def probe_namespace(name: str, run: str) -> dict[str, Any]:
    """The namespace of one run."""
    return namespace(name, "restricted", {TOOL_LABEL: "verify", VERIFY_LABEL: run})


def probe_pod(probe: NodeProbe, *, run: str, name: str, slices: int, image: str, seconds: int) -> dict[str, Any]:
    """A pod pinned to an existing node, so that it can never start another; it ends itself after `seconds`."""
    place = {HOSTNAME_LABEL: probe.hostname, **({POOL_LABEL: probe.pool_label} if probe.pool_label else {})}
    return _pod(name, run, probe.resource, slices, image, seconds, {NODE_LABEL: probe.node[:63]}, place, probe.user)


def starter_pod(pool: PoolPlan, *, run: str, name: str, image: str, seconds: int) -> dict[str, Any]:
    """A pod for a pool without nodes: Karpenter starts one for it."""
    return _pod(name, run, pool.resource, 1, image, seconds, {}, {POOL_LABEL: pool.name}, pool.run_as_user)


def _pod(
    name: str,
    run: str,
    resource: str,
    slices: int,
    image: str,
    seconds: int,
    labels: Mapping[str, str],
    node_selector: Mapping[str, str],
    user: int | None,
) -> dict[str, Any]:
    container = {
        "name": "probe",
        "image": image,
        "command": ["/bin/sh", "-c", f"nvidia-smi -L; exec sleep {seconds}"],
        # The plugin says which devices; the toolkit mounts nvidia-smi for the capability `utility` only.
        "env": [{"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "utility"}],
        "resources": {
            "requests": {"cpu": f"{PROBE_MILLICPU}m", "memory": f"{PROBE_MEBIBYTES}Mi", resource: str(slices)},
            "limits": {resource: str(slices)},
        },
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {**MANAGED_BY_LABELS, VERIFY_LABEL: run, **labels}},
        "spec": {
            "activeDeadlineSeconds": seconds,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "nodeSelector": dict(node_selector),
            "tolerations": [dict(GPU_TOLERATION)],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _NOBODY if user is None else user,
                "runAsGroup": _NOBODY,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }
