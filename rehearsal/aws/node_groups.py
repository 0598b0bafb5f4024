"""EKS: managed node groups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.aws.cluster import CLUSTER, EKS_ARN
from rehearsal.aws.compute import RESERVATION, TEMPLATE, market_of, target_of
from rehearsal.aws.identity import ROLE
from rehearsal.aws.machines import NODES
from rehearsal.aws.network import SUBNET
from rehearsal.aws.table import AwsType, To, View, paths

_EFFECTS = frozenset({"NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"})


def _scaling(inputs: Mapping[str, Any], _view: View) -> str | None:
    scaling = inputs["scalingConfig"]
    least, most, wanted = (int(scaling[name]) for name in ("minSize", "maxSize", "desiredSize"))
    if 0 <= least <= wanted <= most and most >= 1:
        return None
    return (
        "InvalidParameterException: a node group needs minSize <= desiredSize <= maxSize and maxSize >= 1, "
        f"not {least}, {wanted}, {most}"
    )


def _template(inputs: Mapping[str, Any], view: View) -> str | None:
    template = inputs.get("launchTemplate")
    if not template:
        return None
    if inputs.get("diskSize") is not None:
        return "InvalidRequestException: Disk size must be specified within the launch template."
    if inputs.get("remoteAccess") is not None:
        return "InvalidRequestException: Remote access configuration cannot be specified with a launch template."
    found = view.find(TEMPLATE, template.get("id") or template.get("name"))
    version = str(template["version"])
    if found and version.isdigit() and int(version) > found["latestVersion"]:
        return f"InvalidRequestException: launch template {found['id']} has no version {version}"
    return None


def _market(inputs: Mapping[str, Any], view: View) -> str | None:
    """The group and its template say the same of where capacity comes from, and one of them the instance type."""
    named = inputs.get("launchTemplate") or {}
    template = view.find(TEMPLATE, named.get("id") or named.get("name") or "") or {}
    block = inputs.get("capacityType") == "CAPACITY_BLOCK"
    if block != (market_of(template) == "capacity-block"):
        return (
            "InvalidParameterException: capacityType CAPACITY_BLOCK and a launch template with MarketType "
            "capacity-block go together"
        )
    if block and inputs.get("instanceTypes"):
        return "InvalidParameterException: instance types are in the launch template already"
    reservation = target_of(template)
    return _reserved(inputs, view, reservation) if reservation else None


def _reserved(inputs: Mapping[str, Any], view: View, reservation: str) -> str | None:
    """EKS itself would only see its instances not coming; what Auto Scaling and EC2 then say."""
    if inputs.get("capacityType") == "SPOT":
        return "InvalidParameterCombination: spot instances cannot use a capacity reservation"
    found = view.find(RESERVATION, reservation)
    if found is None:
        return f"InvalidCapacityReservationId.NotFound: The capacity reservation ID '{reservation}' does not exist"
    zones = {(view.find(SUBNET, subnet) or {}).get("availabilityZone") for subnet in inputs["subnetIds"]}
    if zones != {found["availabilityZone"]}:
        return (
            f"InvalidParameterValue: capacity reservation {reservation} is in {found['availabilityZone']}, "
            f"the subnets in {', '.join(sorted(map(str, zones)))}"
        )
    return None


def _node_role(inputs: Mapping[str, Any], view: View) -> str | None:
    """EKS looks at a node role's trust when a group is created."""
    role = view.find(ROLE, inputs["nodeRoleArn"])
    if role is None or "ec2.amazonaws.com" in json.dumps(role["assumeRolePolicy"]):
        return None
    return "InvalidParameterException: Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole"


def _taints(inputs: Mapping[str, Any], _view: View) -> str | None:
    wrong = sorted({taint["effect"] for taint in inputs.get("taints") or ()} - _EFFECTS)
    return f"InvalidParameterException: unknown taint effect {wrong}, use {sorted(_EFFECTS)}" if wrong else None


def _age(inputs: Mapping[str, Any], view: View) -> str | None:
    """Nodes are never newer than their control plane."""
    cluster = view.find(CLUSTER, inputs["clusterName"])
    if not cluster or inputs.get("version") is None or cluster.get("version") is None:
        return None
    nodes, control = (tuple(map(int, str(v).split("."))) for v in (inputs["version"], cluster["version"]))
    if nodes <= control:
        return None
    return (
        f"InvalidParameterException: node version {inputs['version']} is newer than the cluster's {cluster['version']}"
    )


def _groups(_inputs: Mapping[str, Any], words: Mapping[str, str]) -> list[Any]:
    name = f"eks-{words['nodeGroupName']}-{words['uuid']}"
    return [{"autoscalingGroups": [{"name": name}], "remoteAccessSecurityGroupId": ""}]


TYPES: dict[str, AwsType] = {
    NODES: AwsType(
        id="{clusterName}:{nodeGroupName}",
        arn=EKS_ARN + "nodegroup/{clusterName}/{nodeGroupName}/{uuid}",
        named="nodeGroupName",
        prefix="nodeGroupNamePrefix",
        immutable=paths(
            "amiType", "capacityType", "clusterName", "diskSize", "instanceTypes", "nodeGroupName",
            "nodeGroupNamePrefix", "nodeRoleArn", "remoteAccess", "subnetIds", "launchTemplate.id",
            "launchTemplate.name",
        ),
        unique=("clusterName", "nodeGroupName"),
        taken="ResourceInUseException",
        refers={
            "clusterName": To(CLUSTER),
            "nodeRoleArn": To(ROLE, "arn:", blocks=False),
            "subnetIds": To(SUBNET, "subnet-"),
            "launchTemplate.id": To(TEMPLATE, "lt-", blocks=False),
        },
        outputs={"status": "ACTIVE", "resources": _groups},
        longest=63,
        rules=(_scaling, _template, _market, _node_role, _taints, _age),
    ),
}  # fmt: skip
