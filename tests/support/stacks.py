"""The stack files that ship, and random valid settings."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from gpu_slices.catalogue import load
from gpu_slices.cloud_refs import placeholders
from gpu_slices.manifests import objects
from gpu_slices.mig import too_much
from gpu_slices.plan import Plan, make_plan
from gpu_slices.settings import parse, read_stack_file
from gpu_slices.settings.cluster import Cluster

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

ROOT = Path(__file__).resolve().parents[2]
STACK_FILES = sorted(ROOT.glob("Pulumi.*.yaml"))
STACKS = [path.name.split(".")[1] for path in STACK_FILES]

SLICEABLE = sorted(
    name for name, instance in load().instances.items() if not instance.fractional and instance.arch == "amd64"
)


def by_stack(everyday: Collection[str], among: Collection[str] = STACKS) -> list[ParameterSet]:
    """Stack files as a test's parameters: those not for every day run with FULL=1."""
    return [pytest.param(one, marks=() if one in everyday else pytest.mark.full) for one in among]


def plan_of_stack(stack: str) -> Plan:
    """The plan of a stack file that ships."""
    return make_plan(parse(read_stack_file(ROOT / f"Pulumi.{stack}.yaml").raw, stack=stack), stack=stack)


#: Stack files that make their cluster; the others add to one that is there.
NEW_CLUSTERS = [stack for stack in STACKS if isinstance(plan_of_stack(stack).settings.cluster, Cluster)]


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

Strategies = tuple[str, ...]
#: GPU stack and the strategies whose pools may stand beside each other on it.
STACKS_OF_STRATEGIES: list[tuple[str, Strategies]] = [
    ("device-plugin", ("time-slicing", "mps")),
    ("gpu-operator", ("time-slicing", "mig")),
    ("gpu-operator", ("mps",)),
]


@st.composite
def sharings(draw: st.DrawFn, strategies: Strategies, types: list[str]) -> dict[str, Any]:
    """`replicas` and `sharing` of one pool with these instance types, with a strategy that they all can."""
    able = [one for one in strategies if one != "mig" or len({mig_table(name) for name in types}) == 1]
    strategy = draw(st.sampled_from([one for one in able if one != "mig" or mig_table(types[0])] or ["time-slicing"]))
    renamed = draw(st.sampled_from([{}, {"renameResource": True}, {"renameResource": False}]))
    if strategy == "time-slicing":
        return {**draw(st.fixed_dictionaries({}, optional={"replicas": st.integers(1, 60)})), "sharing": renamed}
    most = {"mps": min(48 if load().instances[name].gpu.name != "v100" else 16 for name in types), "mig": 3}[strategy]
    layout = {"mig": draw(layouts(types))} if strategy == "mig" else {}
    return {
        "replicas": draw(st.integers(1, most)),
        "sharing": {**renamed, "strategy": strategy, **layout},
    }


def mig_table(instance_type: str) -> tuple[tuple[str, int], ...]:
    """The MIG profiles of a type's GPUs with the most instances of each; none without MIG."""
    instance = load().instances[instance_type]
    return tuple(instance.gpu.mig_profiles.get(instance.gpu_memory_mib, {}).items())


@st.composite
def layouts(draw: st.DrawFn, types: list[str]) -> dict[str, Any]:
    """A MIG layout that fits the GPUs of these types, for all alike or, where all have as many, some and others."""
    counts = {load().instances[name].gpu_count for name in types}
    if draw(st.booleans()):
        name, most = draw(st.sampled_from(mig_table(types[0])))
        return {"strategy": draw(st.sampled_from(["single", "mixed"])), "profiles": {name: draw(st.integers(1, most))}}
    if len(counts) > 1 or counts == {1} or draw(st.booleans()):
        return {"profiles": draw(_gpu_of_profiles(types[0]))}
    count = counts.pop()
    first = draw(st.integers(1, count - 1))
    parts = [(first, draw(_gpu_of_profiles(types[0]))), (count - first, draw(_gpu_of_profiles(types[0])))]
    return {"gpus": [{"count": number, "profiles": profiles} for number, profiles in parts]}


@st.composite
def _gpu_of_profiles(draw: st.DrawFn, instance_type: str) -> dict[str, int]:
    known, mib = dict(mig_table(instance_type)), load().instances[instance_type].gpu_memory_mib
    chosen: dict[str, int] = {}
    for name in draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=7)):
        more = {**chosen, name: chosen.get(name, 0) + 1}
        chosen = chosen if too_much(more, known, mib) else more
    return chosen


@st.composite
def node_groups(draw: st.DrawFn, strategies: Strategies) -> dict[str, Any]:
    """One valid GPU node group."""
    name = draw(st.sampled_from(SLICEABLE))
    optional = {"capacity": st.sampled_from(["spot", "on-demand"]), "max": st.integers(1, 50)}
    rest = draw(st.fixed_dictionaries({}, optional=optional))
    return {"instanceType": name, **draw(sharings(strategies, [name])), **rest}


@st.composite
def _raw_settings(draw: st.DrawFn) -> dict[str, Any]:
    stack, strategies = draw(st.sampled_from(STACKS_OF_STRATEGIES))
    optional = {
        "replicas": st.one_of(st.integers(1, 60), st.integers(1, 60).map(str)),
        "sharing": st.fixed_dictionaries(
            {}, optional={"renameResource": st.booleans(), "failRequestsGreaterThanOne": st.booleans()}
        ),
        "network": st.sampled_from([{}, {"nat": "per-zone"}, {"cidr": "10.4.0.0/20"}]),
        "monitoring": st.sampled_from(
            [{}, {"enabled": True}, {"enabled": True, "storage": {"storageClass": "gp3"}, "alertSecret": "routes"}]
        ),
    }
    return {
        "gpuStack": stack,
        "gpuNodeGroups": draw(st.dictionaries(pool_names, node_groups(strategies), max_size=5)),
        **draw(st.fixed_dictionaries({}, optional=optional)),
    }


raw_settings = _raw_settings()
plans = raw_settings.map(plan_of)


FAMILIES = sorted({load().instances[name].family for name in SLICEABLE})


@st.composite
def gpu_node_pools(draw: st.DrawFn, strategies: Strategies) -> dict[str, Any]:
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
        **draw(sharings(strategies, types)),
        "capacity": draw(st.sampled_from([["spot"], ["on-demand"], ["on-demand", "spot"]])),
        "weight": draw(st.integers(1, 90)),
    }


#: Names that no derived NodePool name (`<pool>-<n>gpu`) can meet.
_short_names = st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(lambda name: name not in ("default", "exclusive"))

karpenter_settings = st.sampled_from(STACKS_OF_STRATEGIES).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {
            "gpuStack": st.just(chosen[0]),
            "gpuNodePools": st.dictionaries(_short_names, gpu_node_pools(chosen[1]), min_size=1, max_size=3),
        },
        optional={"monitoring": st.sampled_from([{}, {"enabled": True}])},
    )
)
karpenter_plans = karpenter_settings.map(plan_of)
