"""Objects of a small platform: instance facts, a GPU pool with overlays, the plugin's ConfigMap, pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.cluster import facts as instance_facts
from rehearsal.cluster.doubles.daemons import Daemon, checksum
from rehearsal.cluster.facts import Facts

GPU, SHARED_GPU = "nvidia.com/gpu", "nvidia.com/gpu.shared"
TAINT = {"key": GPU, "value": "true", "effect": "NoSchedule"}
TOLERATION = {"key": GPU, "operator": "Exists", "effect": "NoSchedule"}
PLUGIN_NAMESPACE = "nvidia-device-plugin"
GPU_NODES = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [
                {"matchExpressions": [{"key": "nvidia.com/gpu.present", "operator": "In", "values": ["true"]}]},
                {
                    "matchExpressions": [
                        {"key": "feature.node.kubernetes.io/pci-10de.present", "operator": "In", "values": ["true"]}
                    ]
                },
            ]
        }
    }
}


def _size(cpu: int, memory_gib: int, pods: int) -> dict[str, int]:
    return {"cpuMilli": cpu, "memoryMib": memory_gib * 1024, "pods": pods, "ephemeralStorageGib": 100}


def _type(name: str, cpu: int, memory_gib: int, pods: int, usd: float, gpu: Mapping[str, Any] | None) -> dict[str, Any]:
    labels = {"karpenter.k8s.aws/instance-family": name.split(".")[0]}
    return {
        "architecture": "amd64",
        "capacity": _size(cpu * 1000, memory_gib, pods),
        "allocatable": _size(cpu * 1000 - 90, memory_gib - 2, pods),
        "offerings": [
            {"zone": zone, "capacityType": kind, "usdPerHour": usd * (0.4 if kind == "spot" else 1)}
            for zone in ("us-west-2a", "us-west-2b")
            for kind in ("on-demand", "spot")
        ],
        "labels": labels | ({"karpenter.k8s.aws/instance-gpu-count": str(gpu["count"])} if gpu else {}),
        **({"gpu": dict(gpu)} if gpu else {}),
    }


L4 = {"product": "NVIDIA-L4", "memoryMib": 22888, "computeCapability": "8.9"}
T4 = {"product": "Tesla-T4", "memoryMib": 16384, "computeCapability": "7.5"}
FACTS: Facts = instance_facts.parse(
    {
        "g4dn.xlarge": _type("g4dn.xlarge", 4, 16, 29, 0.526, {**T4, "count": 1}),
        "g6.xlarge": _type("g6.xlarge", 4, 16, 58, 0.8048, {**L4, "count": 1}),
        "g6.12xlarge": _type("g6.12xlarge", 48, 192, 234, 4.6016, {**L4, "count": 4}),
        "m6i.xlarge": _type("m6i.xlarge", 4, 16, 58, 0.192, None),
        "t3.large": _type("t3.large", 2, 8, 35, 0.0832, None),
    }
)


def plugin_text(replicas: int, *, rename: bool = False) -> str:
    """A plugin config that slices every GPU; 1 is the config without a sharing block."""
    if replicas == 1:
        return "version: v1\n"
    return (
        "version: v1\nsharing:\n  timeSlicing:\n"
        f"    renameByDefault: {str(rename).lower()}\n"
        f"    resources:\n    - name: {GPU}\n      replicas: {replicas}\n"
    )


def config_map(data: Mapping[str, str], *, name: str = "configs") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": PLUGIN_NAMESPACE},
        "data": dict(data),
    }


def plugin(data: Mapping[str, str], *, role: str = "device-plugin", name: str = "configs", **fields: Any) -> Daemon:
    """The daemon of a release whose chart ships `data` and annotates its pods with the data's checksum."""
    return Daemon(
        **{
            "name": f"nvdp-{role}",
            "namespace": PLUGIN_NAMESPACE,
            "role": role,
            "config_map": name,
            "default_config": "exclusive",
            "checksum": checksum(data),
            "affinity": GPU_NODES,
            "tolerations": (TOLERATION,),
            **fields,
        }
    )


def node_class(name: str = "gpu") -> dict[str, Any]:
    return {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": name},
        "spec": {
            "amiSelectorTerms": [{"alias": "al2023@v20260714"}],
            "role": "node",
            "subnetSelectorTerms": [{"id": "subnet-0123456789abcdef0"}],
            "securityGroupSelectorTerms": [{"id": "sg-0123456789abcdef0"}],
        },
    }


def requirement(key: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": list(values)}


def node_pool(name: str, types: tuple[str, ...], *, further: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": name},
        "spec": {
            "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "Never"},
            "template": {
                "metadata": {"labels": {"nvidia.com/device-plugin.config": name, "gpu-slices/pool": name}},
                "spec": {
                    "expireAfter": "336h",
                    "taints": [TAINT],
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "gpu"},
                    "requirements": [
                        requirement("node.kubernetes.io/instance-type", *types),
                        requirement("karpenter.sh/capacity-type", "on-demand"),
                        *further,
                    ],
                },
            },
        },
    }


def node_overlay(pool: str, types: tuple[str, ...], capacity: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "karpenter.sh/v1alpha1",
        "kind": "NodeOverlay",
        "metadata": {"name": pool},
        "spec": {
            "weight": 100,
            "requirements": [
                requirement("karpenter.sh/nodepool", pool),
                requirement("node.kubernetes.io/instance-type", *types),
            ],
            "capacity": dict(capacity),
        },
    }


def pod(name: str, resource: str | None = GPU, *, pool: str = "", tolerations: tuple[Any, ...] = ()) -> dict[str, Any]:
    """A pod that asks for one slice and little else."""
    limits = {resource: "1"} if resource else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "burst"}},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "rehearsal",
                    "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": limits},
                }
            ],
            "tolerations": list(tolerations),
            **({"nodeSelector": {"gpu-slices/pool": pool}} if pool else {}),
        },
    }
