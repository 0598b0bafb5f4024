"""Kubernetes objects as the API gives them (decoded JSON) into the small types of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .snapshot import (
    Condition,
    ConfigMap,
    Event,
    HelmRelease,
    Node,
    NodeClaim,
    NodeOverlay,
    NodePool,
    Pod,
    Quota,
    Requirement,
    Resources,
    Taint,
    Toleration,
    Workload,
)

Object = Mapping[str, Any]

#: Bytes per unit; a node's status says Ki, people write Mi and Gi, and m stands in CPU.
_BYTES: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}
_DOMAIN: Final = "nvidia.com/"
#: The variable by which a container gets GPUs that it never asked Kubernetes for.
_VISIBLE_DEVICES: Final = "NVIDIA_VISIBLE_DEVICES"


def amount(text: Any) -> float:
    """Any Kubernetes quantity as a number in its base unit: `500m` → 0.5, `2Ki` → 2048; 0 for what is none."""
    raw = str(text)
    for unit, factor in _BYTES.items():
        if raw.endswith(unit):
            return _number(raw[: -len(unit)]) * factor
    return _number(raw[:-1]) / 1000 if raw.endswith("m") else _number(raw)


def node(raw: Object) -> Node:
    """A v1 Node."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    return Node(
        name=meta["name"],
        labels=meta.get("labels") or {},
        taints=tuple(
            Taint(key=one["key"], value=one.get("value") or "", effect=one["effect"])
            for one in spec.get("taints") or ()
        ),
        allocatable=resources(status.get("allocatable") or {}),
        capacity=resources(status.get("capacity") or {}).extended,
        conditions=conditions(raw),
        schedulable=not spec.get("unschedulable"),
        created=meta.get("creationTimestamp") or "",
    )


def pod(raw: Object) -> Pod:
    """A v1 Pod."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    found = conditions(raw)
    return Pod(
        namespace=meta["namespace"],
        name=meta["name"],
        node=spec.get("nodeName") or "",
        phase=status.get("phase") or "Pending",
        requests=pod_requests(spec),
        reason=status.get("reason") or "",
        message=status.get("message") or "",
        labels=meta.get("labels") or {},
        tolerations=tolerations(spec),
        node_selector=spec.get("nodeSelector") or {},
        owner=next((one["kind"] for one in meta.get("ownerReferences") or ()), ""),
        unscheduled=next((one.message for one in found if one.type == "PodScheduled" and one.status == "False"), ""),
        waiting=tuple(_states(containers, "waiting")),
        ended=tuple(_states(containers, "terminated")),
        restarts=sum(one.get("restartCount") or 0 for one in containers),
        ready=any(one.type == "Ready" and one.status == "True" for one in found),
        deleting="deletionTimestamp" in meta,
        visible_devices=any(
            one.get("name") == _VISIBLE_DEVICES
            for part in spec.get("containers") or ()
            for one in part.get("env") or ()
        ),
    )


def workload(raw: Object, kind: str) -> Workload:
    """An apps/v1 DaemonSet or Deployment."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    template = (spec.get("template") or {}).get("spec") or {}
    containers = [*(template.get("initContainers") or ()), *(template.get("containers") or ())]
    daemon = kind == "DaemonSet"
    return Workload(
        kind=kind,
        namespace=meta["namespace"],
        name=meta["name"],
        wanted=(status.get("desiredNumberScheduled") if daemon else spec.get("replicas")) or 0,
        updated=status.get("updatedNumberScheduled" if daemon else "updatedReplicas") or 0,
        available=status.get("numberAvailable" if daemon else "availableReplicas") or 0,
        observed=(status.get("observedGeneration") or 0) >= (meta.get("generation") or 0),
        config_maps=tuple(
            one["configMap"]["name"]
            for one in template.get("volumes") or ()
            if (one.get("configMap") or {}).get("name")
        ),
        environment={
            one["name"]: one.get("value") or "" for container in containers for one in container.get("env") or ()
        },
        tolerations=tolerations(template),
        images=tuple(dict.fromkeys(str(container.get("image") or "") for container in containers)),
    )


def config_map(raw: Object) -> ConfigMap:
    """A v1 ConfigMap."""
    meta = raw["metadata"]
    return ConfigMap(namespace=meta["namespace"], name=meta["name"], data=raw.get("data") or {})


def overlay(raw: Object) -> NodeOverlay:
    """A Karpenter NodeOverlay."""
    spec = raw.get("spec") or {}
    return NodeOverlay(
        name=raw["metadata"]["name"],
        requirements=tuple(
            Requirement(key=one["key"], operator=one["operator"], values=tuple(one.get("values") or ()))
            for one in spec.get("requirements") or ()
        ),
        capacity=_texts(spec.get("capacity")),
        weight=spec.get("weight") or 0,
        conditions=conditions(raw),
    )


def node_pool(raw: Object) -> NodePool:
    """A Karpenter NodePool."""
    return NodePool(
        name=raw["metadata"]["name"],
        limits=_texts((raw.get("spec") or {}).get("limits")),
        resources=_texts((raw.get("status") or {}).get("resources")),
        conditions=conditions(raw),
    )


def node_claim(raw: Object) -> NodeClaim:
    """A Karpenter NodeClaim."""
    meta = raw["metadata"]
    labels = meta.get("labels") or {}
    return NodeClaim(
        name=meta["name"],
        node_pool=labels.get("karpenter.sh/nodepool", ""),
        node=(raw.get("status") or {}).get("nodeName") or "",
        instance_type=labels.get("node.kubernetes.io/instance-type", ""),
        conditions=conditions(raw),
        created=meta.get("creationTimestamp") or "",
    )


def quota(raw: Object) -> Quota:
    """A v1 ResourceQuota."""
    meta = raw["metadata"]
    return Quota(
        namespace=meta["namespace"],
        name=meta["name"],
        hard=_texts((raw.get("spec") or {}).get("hard")),
        used=_texts((raw.get("status") or {}).get("used")),
    )


def releases(secrets: Iterable[Object]) -> tuple[HelmRelease, ...]:
    """Newest revision of every Helm release, from the labels of Helm's own secrets (their content is not read)."""
    newest: dict[tuple[str, str], HelmRelease] = {}
    for raw in secrets:
        meta = raw["metadata"]
        labels = meta.get("labels") or {}
        found = HelmRelease(
            namespace=meta["namespace"],
            name=labels.get("name", ""),
            revision=int(labels.get("version", "0")),
            status=labels.get("status", ""),
        )
        key = (found.namespace, found.name)
        if key not in newest or newest[key].revision < found.revision:
            newest[key] = found
    return tuple(newest[key] for key in sorted(newest))


def event(raw: Object) -> Event:
    """A v1 Event."""
    about = raw.get("involvedObject") or {}
    return Event(
        kind=about.get("kind") or "",
        namespace=about.get("namespace") or "",
        name=about.get("name") or "",
        reason=raw.get("reason") or "",
        message=raw.get("message") or "",
        count=raw.get("count") or 1,
        last=raw.get("lastTimestamp") or raw.get("eventTime") or "",
    )


def conditions(raw: Object) -> tuple[Condition, ...]:
    """The conditions of any object's status."""
    return tuple(
        Condition(
            type=one["type"],
            status=one["status"],
            reason=one.get("reason") or "",
            message=one.get("message") or "",
        )
        for one in (raw.get("status") or {}).get("conditions") or ()
    )


def resources(quantities: Mapping[str, Any]) -> Resources:
    """A resource list."""
    return Resources(
        millicpu=round(amount(quantities.get("cpu", "0")) * 1000),
        mebibytes=int(amount(quantities.get("memory", "0")) // 2**20),
        pods=int(amount(quantities.get("pods", "0"))),
        extended={name: int(amount(count)) for name, count in sorted(quantities.items()) if name.startswith(_DOMAIN)},
    )


def pod_requests(spec: Object) -> Resources:
    """What a pod takes of its node: the sum of its containers, without init containers (none of ours asks for more)."""
    lists = [_requests(one.get("resources") or {}) for one in spec.get("containers") or ()]
    parts = [resources(one) for one in lists]
    names = sorted({name for part in parts for name in part.extended})
    return Resources(
        millicpu=sum(part.millicpu for part in parts),
        mebibytes=sum(part.mebibytes for part in parts),
        pods=1,
        extended={name: sum(part.extended.get(name, 0) for part in parts) for name in names},
    )


def tolerations(spec: Object) -> tuple[Toleration, ...]:
    """A pod spec's tolerations."""
    return tuple(
        Toleration(
            key=one.get("key") or "",
            operator=one.get("operator") or "Equal",
            value=one.get("value") or "",
            effect=one.get("effect") or "",
        )
        for one in spec.get("tolerations") or ()
    )


def _requests(part: Object) -> Mapping[str, Any]:
    return {**(part.get("limits") or {}), **(part.get("requests") or {})}


def _states(containers: Iterable[Object], kind: str) -> Iterable[str]:
    for one in containers:
        for place in ("state", "lastState") if kind == "terminated" else ("state",):
            state = (one.get(place) or {}).get(kind)
            if state:
                yield ": ".join(part for part in (one["name"], state.get("reason"), state.get("message")) if part)


def _texts(quantities: Any) -> dict[str, str]:
    return {name: str(count) for name, count in sorted((quantities or {}).items())}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
