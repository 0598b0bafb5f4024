"""What the table says an edit does is what the program then declares otherwise. One row, one edit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from gpu_slices.plan import Plan, make_plan
from gpu_slices.review.consequence_rules import UNTOLD
from gpu_slices.review.consequences import TABLE, consequence
from gpu_slices.review.edits import KeyEdit, key_edits
from gpu_slices.review.effects import EFFECTS, Effect, worst
from gpu_slices.review.sides import Edits
from gpu_slices.settings import parse
from gpu_slices.settings.model import REGION_KEY
from gpu_slices.settings.schema import json_schema
from gpu_slices.versions import DEVICE_PLUGIN
from rehearsal.aws.types import TYPES
from rehearsal.project import project_program
from rehearsal.recorder import Recording, record

POOL = {"instanceType": "g6e.2xlarge", "desired": 2, "min": 1, "max": 3}
HELD = {"id": "cr-0aaaaaaaaaaaaaaaa", "zone": "us-west-2a"}
BURST = {"families": ["g5", "g6"], "gpusPerNode": [1], "sizes": ["xlarge", "2xlarge"], "maxGpus": 4}
BASE: dict[str, Any] = {
    REGION_KEY: "us-west-2",
    "replicas": 10,
    "systemNodes": {"desired": 3, "max": 5},
    "gpuNodeGroups": {"l40s": POOL, "old": POOL, "held": {**POOL, "capacityReservation": HELD}},
    "gpuNodePools": {"burst": {**BURST, "capacity": ["on-demand", "spot"]}, "gone": BURST, "reserved": BURST},
    "nodePools": {"general": {"cpu": [4, 8]}, "gone-too": {}},
    "tenants": {"team": {"pools": ["l40s", "burst"], "slices": 5}, "left": {"pools": ["burst"], "slices": 1}},
    "cluster": {"access": {"ops": {"principalArn": "arn:aws:iam::123456789012:role/Ops", "policy": "view"}}},
}
KEY = "arn:aws:kms:us-west-2:123456789012:key/1"

#: Edit → its effect. `-KEY` removes a key.
CASES: dict[str, Effect] = {
    "replicas=4": "restart",
    "sharing.failRequestsGreaterThanOne=false": "restart",
    "gpuStack=gpu-operator": "disrupt",
    "cluster.name=other": "replace",
    'cluster.version="1.34"': "disrupt",
    "cluster.logRetentionDays=7": "nothing",
    "cluster.endpoint.publicCidrs[0]=192.0.2.0/24": "nothing",
    f"cluster.encryption.kmsKeyArn={KEY}": "replace",
    "cluster.encryption.deletionWindowDays=30": "nothing",
    "cluster.access.ops.policy=admin": "nothing",
    "cluster.addons.coredns=v1.12.1-eksbuild.2": "restart",
    "cluster.optionalAddons[0]=aws-ebs-csi-driver": "nothing",
    "network.cidr=10.9.0.0/16": "replace",
    "network.zones[0]=us-west-2c": "replace",
    "network.nat=per-zone": "disrupt",
    "systemNodes.instanceType=m5.large": "replace",
    "systemNodes.min=1": "nothing",
    "systemNodes.max=9": "nothing",
    "systemNodes.desired=4": "nothing",
    "systemNodes.desired=2": "disrupt",
    "systemNodes.diskGiB=50": "disrupt",
    "gpuNodeGroups.l40s.instanceType=g6e.xlarge": "replace",
    "gpuNodeGroups.l40s.capacity=spot": "replace",
    "gpuNodeGroups.l40s.replicas=4": "restart",
    "gpuNodeGroups.l40s.min=0": "nothing",
    "gpuNodeGroups.l40s.max=9": "nothing",
    "gpuNodeGroups.l40s.desired=3": "nothing",
    "gpuNodeGroups.l40s.desired=1": "disrupt",
    "gpuNodeGroups.l40s.diskGiB=200": "disrupt",
    "gpuNodeGroups.l40s.diskThroughput=250": "disrupt",
    "gpuNodeGroups.l40s.labels.team=x": "nothing",
    "gpuNodeGroups.l40s.amiRelease=1.35.2-20260714": "disrupt",
    "gpuNodeGroups.l40s.podRequests.cpu=50m": "nothing",
    "gpuNodeGroups.l40s.capacityReservation.id=cr-0123456789abcdef0": "replace",
    "gpuNodeGroups.held.capacityReservation.id=cr-0123456789abcdef0": "disrupt",
    "gpuNodeGroups.held.capacityReservation.zone=us-west-2b": "replace",
    "gpuNodeGroups.held.capacityReservation.instances=8": "nothing",
    "gpuNodeGroups.new.instanceType=g6.xlarge": "restart",
    "-gpuNodeGroups.old": "delete",
    "gpuNodePools.burst.replicas=4": "restart",
    "gpuNodePools.burst.maxGpus=2": "nothing",
    "gpuNodePools.burst.families[2]=g6e": "nothing",
    "-gpuNodePools.burst.families[0]": "disrupt",
    "-gpuNodePools.burst.sizes[0]": "disrupt",
    "gpuNodePools.burst.sizes[2]=4xlarge": "nothing",
    "-gpuNodePools.burst.capacity[0]": "disrupt",
    "gpuNodePools.gone.capacity[1]=spot": "nothing",
    "gpuNodePools.burst.zones[0]=us-west-2a": "disrupt",
    "gpuNodePools.burst.limits.cpu=16": "nothing",
    "gpuNodePools.burst.diskGiB=200": "disrupt",
    "gpuNodePools.burst.diskThroughput=250": "disrupt",
    "gpuNodePools.burst.amiAlias=al2023@v20260601": "disrupt",
    "gpuNodePools.burst.expireAfter=24h": "disrupt",
    "gpuNodePools.burst.terminationGracePeriod=2h": "disrupt",
    "gpuNodePools.burst.labels.team=x": "disrupt",
    "gpuNodePools.burst.consolidation.after=1m": "nothing",
    "gpuNodePools.burst.budgets[0].nodes=10%": "nothing",
    "gpuNodePools.burst.weight=20": "nothing",
    "gpuNodePools.burst.instanceStore=true": "disrupt",
    "gpuNodePools.burst.podRequests.memory=1Gi": "nothing",
    "gpuNodePools.reserved.capacityReservations[0]=cr-0123456789abcdef0": "nothing",
    "-gpuNodePools.gone": "delete",
    "nodePools.general.categories[0]=r": "disrupt",
    "-nodePools.general.cpu[0]": "disrupt",
    "nodePools.general.minGeneration=5": "disrupt",
    "nodePools.general.limits.cpu=100": "nothing",
    "-nodePools.gone-too": "delete",
    "karpenter.logLevel=debug": "restart",
    "retiredPools.before.replicas=4": "restart",
    "tenants.team.slices=2": "nothing",
    "tenants.new.slices=0": "nothing",
    "-tenants.left": "delete",
    "tenants.team.egress[0].cidr=10.0.0.0/8": "nothing",
    "tenants.team.ingressFrom[0]=web": "nothing",
    "tenants.team.principals[0]=arn:aws:iam::123456789012:role/Team": "nothing",
    "tenants.team.podSecurity=baseline": "nothing",
    "tenants.team.priority.value=5": "nothing",
    "admission.enforcement=warn": "nothing",
    "tags.owner=x": "disrupt",
    "prices.regionFactor=1.1": "nothing",
    "monitoring.enabled=true": "nothing",
    "monitoring.idleMinutes=60": "nothing",
    "budget.monthlyUsd=100": "nothing",
    f"security.diskKmsKeyArn={KEY}": "disrupt",
    "security.flowLogs=rejected": "nothing",
    "security.guardDuty=true": "nothing",
    "security.breakGlassRoleArn=arn:aws:iam::123456789012:role/Emergency": "nothing",
    "security.digests": "restart",
}
#: Spelt out where the grammar of `--set` cannot say it.
TYPED = {'cluster.version="1.34"': {"cluster": {**BASE["cluster"], "version": "1.34"}}}
TYPED["budget.monthlyUsd=100"] = {"budget": {"monthlyUsd": 100, "emails": ["team@example.com"]}}
TYPED["network.zones[0]=us-west-2c"] = {"network": {"zones": ["us-west-2a", "us-west-2c"]}}
TYPED["nodePools.general.categories[0]=r"] = {
    "nodePools": {**BASE["nodePools"], "general": {"cpu": [4, 8], "categories": ["r"]}}
}
TYPED["gpuNodeGroups.l40s.capacityReservation.id=cr-0123456789abcdef0"] = {
    "gpuNodeGroups": {**BASE["gpuNodeGroups"], "l40s": {**POOL, "capacityReservation": HELD}}
}
TYPED["security.digests"] = {
    "security": {"digests": {f"nvcr.io/nvidia/k8s-device-plugin:v{DEVICE_PLUGIN.version}": f"sha256:{'0' * 64}"}}
}
TYPED["tenants.new.slices=0"] = {"tenants": {**BASE["tenants"], "new": {"pools": ["l40s"], "slices": 0}}}
TYPED["gpuNodePools.gone.capacity[1]=spot"] = {
    "gpuNodePools": {**BASE["gpuNodePools"], "gone": {**BURST, "capacity": ["on-demand", "spot"]}}
}


def edited(case: str) -> dict[str, Any]:
    if case in TYPED:
        return {**BASE, **TYPED[case]}
    edits = Edits(unsets=[case[1:]]) if case.startswith("-") else Edits(sets=[case])
    return edits.applied(BASE)


def plan_of(raw: Mapping[str, Any]) -> Plan:
    return make_plan(parse(raw, stack="test"), stack="test")


def declared(raw: Mapping[str, Any]) -> Recording:
    config = {key if ":" in key else f"gpu-slices:{key}": value for key, value in raw.items()}
    return record(project_program(), stack="test", config=config)


@cache
def before() -> Recording:
    return declared(BASE)


def told(case: str) -> Effect:
    old, new = plan_of(BASE), plan_of(edited(case))
    return worst([consequence(edit, old, new).effect for edit in key_edits(old.settings, new.settings)])


def declares(raw: Mapping[str, Any]) -> Effect:
    """What the resources that the program declares now say, read without knowing the table."""
    old, new = before().by_urn, declared(raw).by_urn
    effects = [_of_one(old[urn].type, old[urn].inputs, new[urn].inputs) for urn in old.keys() & new.keys()]
    effects += [_of_gone(old[urn].type) for urn in old.keys() - new.keys()]
    effects += [effect for urn in new.keys() - old.keys() for effect in _of_added(new[urn].type)]
    return worst(effects)


NODE_CLASS, NODE_POOL = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", "kubernetes:karpenter.sh/v1:NodePool"
NODE_GROUP, ROUTES = "aws:eks/nodeGroup:NodeGroup", "aws:ec2/routeTableAssociation:RouteTableAssociation"
HOLDS_WORK = {NODE_GROUP, "aws:eks/cluster:Cluster", "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"}


def _of_one(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Effect:
    changed = {key for key in {*old, *new} if old.get(key) != new.get(key)}
    if not changed:
        return "nothing"
    if kind in HOLDS_WORK and changed & {path.partition(".")[0] for path in TYPES[kind].immutable} - {"launchTemplate"}:
        return "replace"
    match kind:
        case "aws:eks/nodeGroup:NodeGroup":
            fewer = new["scalingConfig"]["desiredSize"] < old["scalingConfig"]["desiredSize"]
            return "disrupt" if fewer or changed & {"version", "releaseVersion"} else "nothing"
        case "aws:ec2/launchTemplate:LaunchTemplate" | "aws:ec2/routeTableAssociation:RouteTableAssociation":
            return "disrupt"
        case "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass":
            fields = {key for key in {*old["spec"], *new["spec"]} if old["spec"].get(key) != new["spec"].get(key)}
            return "nothing" if fields <= {"capacityReservationSelectorTerms"} else "disrupt"
        case "kubernetes:karpenter.sh/v1:NodePool":
            return _of_template(old["spec"]["template"], new["spec"]["template"])
        case "kubernetes:helm.sh/v3:Release":
            return "restart" if "values" in changed else "nothing"
        case "aws:eks/addon:Addon":
            return "restart"
        case _:
            return "nothing"


def _of_template(old: Mapping[str, Any], new: Mapping[str, Any]) -> Effect:
    """Everything but requirements is in Karpenter's drift hash; of requirements, only narrower ones drift."""
    requirements = [{one["key"]: one for one in side["spec"]["requirements"]} for side in (old, new)]
    rest = [{**side, "spec": {**side["spec"], "requirements": []}} for side in (old, new)]
    narrower = any(
        key not in requirements[0]
        or (requirement["operator"] != "In" and requirement != requirements[0][key])
        or (requirement["operator"] == "In" and set(requirements[0][key]["values"]) - set(requirement["values"]))
        for key, requirement in requirements[1].items()
    )
    return "disrupt" if rest[0] != rest[1] or narrower else "nothing"


def _of_gone(kind: str) -> Effect:
    if kind in (NODE_GROUP, NODE_POOL, "kubernetes:core/v1:Namespace"):
        return "delete"
    return "disrupt" if kind in (ROUTES, "kubernetes:helm.sh/v3:Release") else "nothing"


def _of_added(kind: str) -> Iterator[Effect]:
    if kind == ROUTES:
        yield "disrupt"


@pytest.mark.parametrize("case", CASES)
def test_the_table_grades_an_edit(case: str):
    assert told(case) == CASES[case]


#: The other plugin's namespace is one that goes, and nobody's: the resources alone look graver than they are.
LOOKS_GRAVER = {"gpuStack=gpu-operator"}
HARMLESS = [case for case, effect in CASES.items() if effect == "nothing"]


@pytest.mark.full
@pytest.mark.parametrize("case", sorted(CASES.keys() - LOOKS_GRAVER - set(HARMLESS)))
def test_the_programs_resources_say_the_same(case: str):
    assert declares(edited(case)) == CASES[case]


def test_edits_that_do_nothing_do_nothing_to_the_programs_resources_all_at_once():
    raw = BASE
    for case in HARMLESS:
        raw = _merged(raw, edited(case))
    assert declares(raw) == "nothing"


def _merged(raw: dict[str, Any], edited: Mapping[str, Any]) -> dict[str, Any]:
    """`raw` with what `edited` changes of BASE."""
    changed = {key: value for key, value in edited.items() if value != BASE.get(key)}
    return {**raw, **{key: _deep(BASE.get(key), value, raw.get(key)) for key, value in changed.items()}}


def _deep(base: Any, edited: Any, raw: Any) -> Any:
    if not (isinstance(edited, dict) and isinstance(raw, dict)):
        return edited
    base = base if isinstance(base, dict) else {}
    changed = {key: value for key, value in edited.items() if key not in base or value != base[key]}
    return {**raw, **{key: _deep(base.get(key), value, raw.get(key)) for key, value in changed.items()}}


def test_every_setting_has_a_row():
    """Without one, a reviewer would be told to read the engine's changes."""
    old = plan_of(BASE)
    missing = [
        ".".join(path)
        for path in _leaves(json_schema(), ())
        if not any(_covers(pattern, path) for pattern, _ in TABLE) and path != ("region",)
    ]
    assert missing == []
    assert consequence(KeyEdit(path="x", parts=("x",), old=1, new=2), old, old) == UNTOLD


def test_every_row_is_a_setting():
    leaves = [*_leaves(json_schema(), ())]
    unknown = [
        pattern
        for pattern, _ in TABLE
        if not any(_covers(pattern, leaf) or _covers(pattern, leaf[:2]) for leaf in leaves)
    ]
    assert unknown == []


def test_effects_are_ordered_from_harmless_to_final():
    assert worst(["restart", "delete", "nothing"]) == "delete"
    assert worst([]) == EFFECTS[0] == "nothing"


def _covers(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if pattern[-1] == "**":
        return len(path) >= len(pattern) - 1 and all(w in ("*", g) for w, g in zip(pattern[:-1], path, strict=False))
    return len(pattern) == len(path) and all(w in ("*", g) for w, g in zip(pattern, path, strict=True))


def _leaves(node: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Paths of all settings, `*` for names that a person chooses."""
    if "$ref" in node:
        yield from _leaves(json_schema()["$defs"][node["$ref"].rpartition("/")[2]], path)
        return
    variants = [*node.get("anyOf", []), *node.get("oneOf", [])]
    for variant in variants:
        if variant.get("type") != "null":
            yield from _leaves(variant, path)
    for key, inner in node.get("properties", {}).items():
        yield from _leaves(inner, (*path, key))
    below = node.get("additionalProperties")
    if isinstance(below, dict) and ("$ref" in below or "properties" in below):
        yield from _leaves(below, (*path, "*"))
    elif not variants and not node.get("properties"):
        yield path
