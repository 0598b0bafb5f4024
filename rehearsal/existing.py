"""The account before the stack: the network and the cluster that a stack file takes for granted.

A rehearsal takes the stack file's word for what is there, as eksctl would have made it: the VPC and subnets under
`network`, the cluster under `cluster.adopt` with its role and its Pod Identity agent. Nothing else exists: an id that
the stack file does not name is refused. Whoever wants another world gives one of their own to `stage`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gpu_slices.adoption.facts import POD_IDENTITY_AGENT
from gpu_slices.settings import Settings, SettingsError, parse, read_stack_file
from gpu_slices.settings.adopted_cluster import AdoptedCluster
from gpu_slices.settings.cluster import ExistingNetwork
from gpu_slices.versions import DEFAULT_KUBERNETES
from rehearsal.account import EXISTING, Item
from rehearsal.aws.cluster import ADDON, CLUSTER
from rehearsal.aws.identity import ROLE
from rehearsal.aws.mint import invent
from rehearsal.aws.network import SUBNET, VPC
from rehearsal.aws.types import TYPES

_RANGE: Final = "10.0.0.0/16"


def existing_world(stack_file: Path) -> tuple[Item, ...]:
    """What a stack file takes for granted; nothing for one that has mistakes or is another program's."""
    try:
        file = read_stack_file(stack_file)
    except SettingsError:
        return ()
    return world_of_raw(file.raw)


def world_of_raw(raw: Mapping[str, Any]) -> tuple[Item, ...]:
    """The same of raw settings."""
    try:
        return world_of(parse(raw, stack="any"))
    except SettingsError:
        return ()


def world_of(settings: Settings, **cluster: Any) -> tuple[Item, ...]:
    """What these settings take for granted. `cluster` are inputs of the adopted cluster that differ (`version`, …)."""
    network = settings.network
    if not isinstance(network, ExistingNetwork):
        return ()
    subnets = (*network.private_subnet_ids, *network.public_subnet_ids)
    items = [_item(settings, VPC, network.vpc_id, {"cidrBlock": _RANGE})]
    for index, subnet in enumerate(subnets):
        place = {"cidrBlock": f"10.0.{index}.0/24", "availabilityZone": f"{settings.region}{'ab'[index % 2]}"}
        items.append(_item(settings, SUBNET, subnet, {"vpcId": network.vpc_id, **place}))
    if isinstance(settings.cluster, AdoptedCluster):
        items += _cluster(settings, settings.cluster.adopt, network, cluster)
    return tuple(items)


def handles_of(item: Item) -> list[str]:
    """By what others may refer to it, as the provider hands it out: ARN, name, and what its type adds."""
    names = dict.fromkeys(("arn", "name", *(TYPES[item.type].handles if item.type in TYPES else ())))
    return [item.data[name] for name in names if isinstance(item.data.get(name), str)]


def _cluster(settings: Settings, name: str, network: ExistingNetwork, differs: Mapping[str, Any]) -> list[Item]:
    role = _item(settings, ROLE, f"{name}-cluster-role", {"name": f"{name}-cluster-role", "assumeRolePolicy": _TRUST})
    inputs = {
        "name": name,
        "version": DEFAULT_KUBERNETES,
        "roleArn": role.data["arn"],
        "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        "vpcConfig": {
            "vpcId": network.vpc_id,
            "subnetIds": list(network.private_subnet_ids),
            "endpointPrivateAccess": True,
        },
        **differs,
    }
    agent = {"clusterName": name, "addonName": POD_IDENTITY_AGENT}
    return [
        role,
        _item(settings, CLUSTER, name, inputs),
        _item(settings, ADDON, f"{name}:{POD_IDENTITY_AGENT}", agent),
    ]


def _item(settings: Settings, token: str, id_: str, inputs: Mapping[str, Any]) -> Item:
    """The thing as AWS would show it, under an id that was there first."""
    made, state = invent(token, f"{EXISTING}::{id_}", inputs, region=settings.region)
    return Item(type=token, id=id_, urn=EXISTING, data=json.loads(json.dumps(state).replace(made, id_)))


_TRUST: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "eks.amazonaws.com"}}],
    }
)
