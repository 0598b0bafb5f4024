"""The stack files that ship, and random valid settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from gpu_slices.catalogue import load
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
    },
)
plans = raw_settings.map(plan_of)
