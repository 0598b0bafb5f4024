"""The stack files that ship, and random valid settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from gpu_slices.catalogue import load
from gpu_slices.cloud_refs import placeholders
from gpu_slices.manifests import objects
from gpu_slices.plan import Plan, make_plan
from gpu_slices.settings import parse, read_stack_file

ROOT = Path(__file__).resolve().parents[2]
STACK_FILES = sorted(ROOT.glob("Pulumi.*.yaml"))
STACKS = [path.name.split(".")[1] for path in STACK_FILES]

SLICEABLE = sorted(
    name for name, instance in load().instances.items() if not instance.fractional and instance.arch == "amd64"
)


def plan_of_stack(stack: str) -> Plan:
    """The plan of a stack file that ships."""
    return make_plan(parse(read_stack_file(ROOT / f"Pulumi.{stack}.yaml").raw, stack=stack), stack=stack)


def plan_of(raw: dict[str, Any]) -> Plan:
    """The plan of raw settings in us-west-2."""
    return make_plan(parse({"aws:region": "us-west-2", **raw}, stack="test"), stack="test")


def objects_of(raw: dict[str, Any]) -> list[Any]:
    """The Kubernetes objects of raw settings, with placeholders for what only AWS knows."""
    plan = plan_of(raw)
    return objects(plan, placeholders(plan))


pool_names = st.from_regex(r"[a-z]([-a-z0-9]{0,18}[a-z0-9])?", fullmatch=True).filter(
    lambda name: name not in ("default", "exclusive")
)

node_groups = st.fixed_dictionaries(
    {"instanceType": st.sampled_from(SLICEABLE)},
    optional={
        "replicas": st.integers(1, 60),
        "sharing": st.fixed_dictionaries({}, optional={"renameResource": st.booleans()}),
        "capacity": st.sampled_from(["spot", "on-demand"]),
        "max": st.integers(1, 50),
    },
)

raw_settings = st.fixed_dictionaries(
    {"gpuNodeGroups": st.dictionaries(pool_names, node_groups, max_size=5)},
    optional={
        "replicas": st.one_of(st.integers(1, 60), st.integers(1, 60).map(str)),
        "gpuStack": st.sampled_from(["device-plugin", "gpu-operator"]),
        "sharing": st.fixed_dictionaries(
            {}, optional={"renameResource": st.booleans(), "failRequestsGreaterThanOne": st.booleans()}
        ),
        "network": st.sampled_from([{}, {"nat": "per-zone"}, {"cidr": "10.4.0.0/20"}]),
        "monitoring": st.sampled_from(
            [{}, {"enabled": True}, {"enabled": True, "storage": {"storageClass": "gp3"}, "alertSecret": "routes"}]
        ),
    },
)
plans = raw_settings.map(plan_of)


FAMILIES = sorted({load().instances[name].family for name in SLICEABLE})


@st.composite
def gpu_node_pools(draw: st.DrawFn) -> dict[str, Any]:
    """One valid GPU NodePool: a selection by families or explicit types, with a limit for each GPU count."""
    if draw(st.booleans()):
        families = draw(st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=3, unique=True))
        chosen: dict[str, Any] = {"families": families}
        types = [name for name in SLICEABLE if load().instances[name].family in families]
    else:
        types = draw(st.lists(st.sampled_from(SLICEABLE), min_size=1, max_size=4, unique=True))
        chosen = {"instanceTypes": types}
    counts = sorted({load().instances[name].gpu_count for name in types})
    most = {count: count * draw(st.integers(1, 5)) + draw(st.integers(0, count - 1)) for count in counts}
    return {
        **chosen,
        "maxGpus": most if len(counts) > 1 or draw(st.booleans()) else most[counts[0]],
        "replicas": draw(st.integers(1, 20)),
        "sharing": draw(st.sampled_from([{}, {"renameResource": True}])),
        "capacity": draw(st.sampled_from([["spot"], ["on-demand"], ["on-demand", "spot"]])),
        "weight": draw(st.integers(1, 90)),
    }


#: Names that no derived NodePool name (`<pool>-<n>gpu`) can meet.
_short_names = st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(lambda name: name not in ("default", "exclusive"))

karpenter_settings = st.fixed_dictionaries(
    {"gpuNodePools": st.dictionaries(_short_names, gpu_node_pools(), min_size=1, max_size=3)},
    optional={
        "gpuStack": st.sampled_from(["device-plugin", "gpu-operator"]),
        "monitoring": st.sampled_from([{}, {"enabled": True}]),
    },
)
karpenter_plans = karpenter_settings.map(plan_of)
