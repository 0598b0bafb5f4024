"""EC2NodeClass, NodePool and NodeOverlay, in the order they are applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..cloud_refs import CloudRefs
from ..naming import GPU_TAINT_EFFECT, GPU_TAINT_KEY, GPU_TAINT_VALUE, MANAGED_BY_LABELS
from ..node_pools import GpuNodePoolPlan, Overlay
from ..plan import Plan
from ..pool_plan import PoolPlan
from ..quantities import cores, mebibytes, millicores
from ..settings.karpenter import Budget, GpuNodePool, Launched, NodePool

#: Above any overlay without a weight of its own, so that a foreign unscoped one cannot tie with ours.
OVERLAY_WEIGHT: Final = 100
INSTANCE_TYPE_LABEL: Final = "node.kubernetes.io/instance-type"

#: Without budgets of its own: empty nodes go at once, everything else one node at a time.
_DEFAULT_BUDGETS: Final[tuple[Budget, ...]] = (
    Budget(nodes="100%", reasons=("Empty",)),
    Budget(nodes="1", reasons=("Drifted", "Underutilized")),
)
_GP3_IOPS: Final = 3000


def gpu_pool_objects(plan: Plan, pool: PoolPlan, refs: CloudRefs) -> list[dict[str, Any]]:
    """A GPU pool's NodeClass, then the overlays, then the NodePools that must not launch before both.

    Raises ValueError for a pool that Karpenter does not launch.
    """
    if pool.launched is None:
        raise ValueError(f"{pool.name} is a node group")
    overlays = [node_overlay(one.overlay) for one in pool.node_pools if one.overlay]
    node_pools = [gpu_node_pool(pool, pool.launched, one) for one in pool.node_pools]
    return [node_class(plan, pool.name, pool.launched, refs), *overlays, *node_pools]


def general_pool_objects(plan: Plan, name: str, refs: CloudRefs) -> list[dict[str, Any]]:
    """A general pool's NodeClass and NodePool."""
    pool = plan.settings.node_pools[name]
    return [node_class(plan, name, pool, refs), general_node_pool(name, pool)]


def node_class(plan: Plan, name: str, pool: Launched, refs: CloudRefs) -> dict[str, Any]:
    """How nodes of the pool are launched: pinned AMI, encrypted gp3, IMDSv2 with hop limit 1, subnets by id."""
    volume: dict[str, Any] = {
        "volumeType": "gp3",
        "volumeSize": f"{pool.disk_gib}Gi",
        "throughput": pool.disk_throughput,
        "iops": _GP3_IOPS,
        "encrypted": True,
        "deleteOnTermination": True,
    }
    if plan.settings.security.disk_kms_key_arn:
        volume["kmsKeyID"] = plan.settings.security.disk_kms_key_arn
    spec: dict[str, Any] = {
        "amiSelectorTerms": [{"alias": pool.ami_alias}],
        "instanceProfile": refs.instance_profile,
        "subnetSelectorTerms": [{"id": subnet} for subnet in refs.private_subnet_ids],
        "securityGroupSelectorTerms": [{"id": refs.cluster_security_group_id}],
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "rootVolume": True, "ebs": volume}],
        "metadataOptions": {
            "httpEndpoint": "enabled",
            "httpProtocolIPv6": "disabled",
            "httpPutResponseHopLimit": 1,
            "httpTokens": "required",
        },
        "tags": {**plan.tags, "Name": f"{plan.settings.cluster.name}-{name}"},
    }
    if isinstance(pool, GpuNodePool) and pool.instance_store:
        spec["instanceStorePolicy"] = "RAID0"
    if isinstance(pool, GpuNodePool) and pool.capacity_reservations:
        spec["capacityReservationSelectorTerms"] = [{"id": one} for one in sorted(pool.capacity_reservations)]
    return _object("karpenter.k8s.aws/v1", "EC2NodeClass", name, spec)


def node_overlay(overlay: Overlay) -> dict[str, Any]:
    """What nodes of one NodePool will advertise; it names its own pool and explicit types, so it touches no other."""
    spec = {
        "weight": OVERLAY_WEIGHT,
        "requirements": [
            _in("karpenter.sh/nodepool", [overlay.node_pool]),
            _in(INSTANCE_TYPE_LABEL, overlay.instance_types),
        ],
        "capacity": {resource: str(count) for resource, count in overlay.capacity.items()},
    }
    return _object("karpenter.sh/v1alpha1", "NodeOverlay", overlay.node_pool, spec)


def gpu_node_pool(pool: PoolPlan, settings: GpuNodePool, one: GpuNodePoolPlan) -> dict[str, Any]:
    """One NodePool of a GPU pool. Nothing under `template` knows the replica count: an edit of it drifts no node."""
    requirements = [_in(INSTANCE_TYPE_LABEL, one.instance_types), *_placement(settings, _capacity(settings))]
    taint = {"key": GPU_TAINT_KEY, "value": GPU_TAINT_VALUE, "effect": GPU_TAINT_EFFECT}
    return _node_pool(
        one.name,
        pool.name,
        settings,
        requirements,
        labels=pool.labels,
        taints=[taint],
        limits=one.limits,
        weight=one.weight,
    )


def general_node_pool(name: str, pool: NodePool) -> dict[str, Any]:
    """A NodePool without GPUs."""
    requirements = [
        _in("karpenter.k8s.aws/instance-category", pool.categories),
        {"key": "karpenter.k8s.aws/instance-generation", "operator": "Gt", "values": [str(pool.min_generation - 1)]},
        *_placement(pool, list(pool.capacity)),
    ]
    if pool.cpu:
        requirements.append(_in("karpenter.k8s.aws/instance-cpu", [str(count) for count in pool.cpu]))
    if pool.hypervisor:
        requirements.append(_in("karpenter.k8s.aws/instance-hypervisor", [pool.hypervisor]))
    limits = {
        "cpu": pool.limits.cpu and cores(millicores(pool.limits.cpu)),
        "memory": pool.limits.memory and f"{mebibytes(pool.limits.memory)}Mi",
    }
    kept = {resource: most for resource, most in limits.items() if most}
    return _node_pool(name, name, pool, requirements, labels=pool.labels, taints=[], limits=kept, weight=pool.weight)


def _node_pool(
    name: str,
    node_class_name: str,
    pool: Launched,
    requirements: list[dict[str, Any]],
    *,
    labels: Mapping[str, str],
    taints: list[dict[str, str]],
    limits: Mapping[str, str],
    weight: int,
) -> dict[str, Any]:
    node_class_ref = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": node_class_name}
    template = {
        "metadata": {"labels": dict(labels)},
        "spec": {
            "nodeClassRef": node_class_ref,
            "requirements": sorted(requirements, key=lambda requirement: requirement["key"]),
            "taints": taints,
            "expireAfter": pool.expire_after,
            "terminationGracePeriod": pool.termination_grace_period,
        },
    }
    disruption = {
        "consolidationPolicy": pool.consolidation.policy,
        "consolidateAfter": pool.consolidation.after,
        "budgets": [_budget(budget) for budget in pool.budgets or _DEFAULT_BUDGETS],
    }
    spec = {"weight": weight, "template": template, "disruption": disruption}
    return _object("karpenter.sh/v1", "NodePool", name, {**spec, "limits": dict(limits)} if limits else spec)


def _capacity(pool: GpuNodePool) -> list[str]:
    return [*pool.capacity, *(["reserved"] if pool.capacity_reservations else [])]


def _placement(pool: Launched, capacity: list[str]) -> list[dict[str, Any]]:
    everywhere = [
        _in("kubernetes.io/arch", ["amd64"]),
        _in("kubernetes.io/os", ["linux"]),
        _in("karpenter.sh/capacity-type", capacity),
    ]
    return [*everywhere, _in("topology.kubernetes.io/zone", pool.zones)] if pool.zones else everywhere


def _in(key: str, values: Any) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": sorted(values)}


def _budget(budget: Budget) -> dict[str, Any]:
    fields = {
        "nodes": budget.nodes,
        "reasons": list(budget.reasons) or None,
        "schedule": budget.schedule,
        "duration": budget.duration,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _object(api_version: str, kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "labels": dict(MANAGED_BY_LABELS)},
        "spec": dict(spec),
    }
