"""The instance types file of Karpenter's kwok provider, made from instance facts."""

from __future__ import annotations

from typing import Any

from rehearsal.cluster.facts import Facts, InstanceFacts, NodeSize, Offering

GPU = "nvidia.com/gpu"
# What the kwok provider holds back of every type (kwok/cloudprovider/helpers.go, newInstanceType): added here, so that
# Karpenter reckons with the allocatable that the facts give.
KWOK_OVERHEAD_CPU_MILLI = 100
KWOK_OVERHEAD_MEMORY_MIB = 10


def karpenter_instance_types(facts: Facts) -> list[dict[str, Any]]:
    """Return the list that INSTANCE_TYPES_FILE_PATH holds as JSON, sorted by name; types without offerings are left out.

    GPUs are physical, as EC2 reports them. Every offering also requires the type's labels: that makes each label's key
    known to Karpenter, lets NodePools select by it, and puts it on the node.
    """
    return [_instance_type(name, facts[name]) for name in sorted(facts) if facts[name].offerings]


def _instance_type(name: str, facts: InstanceFacts) -> dict[str, Any]:
    return {
        "name": name,
        "architecture": facts.architecture,
        "operatingSystems": ["linux"],
        "resources": _resources(facts),
        "offerings": [_offering(offering, facts) for offering in facts.offerings],
    }


def _resources(facts: InstanceFacts) -> dict[str, str]:
    left = facts.allocatable
    size = NodeSize(
        cpu_milli=left.cpu_milli + KWOK_OVERHEAD_CPU_MILLI,
        memory_mib=left.memory_mib + KWOK_OVERHEAD_MEMORY_MIB,
        pods=left.pods,
        ephemeral_storage_gib=left.ephemeral_storage_gib,
    )
    gpus = {GPU: str(facts.gpu.count)} if facts.gpu else {}
    return size.quantities() | gpus


def _offering(offering: Offering, facts: InstanceFacts) -> dict[str, Any]:
    labels = {
        **facts.labels,
        "karpenter.sh/capacity-type": offering.capacity_type,
        "topology.kubernetes.io/zone": offering.zone,
    }
    requirements = [{"key": key, "operator": "In", "values": [value]} for key, value in sorted(labels.items())]
    return {"Price": offering.usd_per_hour, "Available": True, "Requirements": requirements}
