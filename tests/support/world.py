"""Drives a stand-in as the engine would, without the engine: check, then create, update or delete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.account import Account
from rehearsal.aws.provider import Aws
from rehearsal.kubernetes.provider import Kubernetes
from rehearsal.kubernetes.store import AccountStore
from rehearsal.stand_in import Diff, Refused, StandIn

VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"
ROLE, CLUSTER, NODES = "aws:iam/role:Role", "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"


@dataclass(frozen=True)
class Made:
    """A resource that was created."""

    token: str
    urn: str
    id: str
    inputs: Mapping[str, Any]
    state: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.state[name]


class World:
    """One stand-in over one account."""

    def __init__(self, stand_in: StandIn, account: Account) -> None:
        self.stand_in = stand_in
        self.account = account

    def check(self, token: str, name: str, inputs: Mapping[str, Any], old: Mapping[str, Any] | None = None):
        urn = f"urn:pulumi:test::project::{token}::{name}"
        checked, problems = self.stand_in.check(token, urn, old or {}, inputs)
        return urn, checked, [problem.words for problem in problems]

    def create(self, token: str, name: str, inputs: Mapping[str, Any]) -> Made:
        urn, checked, problems = self.check(token, name, inputs)
        assert not problems, problems
        id_, state = self.stand_in.create(token, urn, checked, False)
        return Made(token, urn, id_, checked, state)

    def refusal(self, token: str, name: str, inputs: Mapping[str, Any]) -> str:
        """The words with which a creation is refused."""
        _, _, problems = self.check(token, name, inputs)
        if problems:
            return "; ".join(problems)
        try:
            self.create(token, name, inputs)
        except Refused as refused:
            return str(refused)
        raise AssertionError(f"{token} {name} was created")

    def update(self, made: Made, inputs: Mapping[str, Any]) -> Made:
        _, checked, problems = self.check(made.token, made.urn.rsplit("::", 1)[-1], inputs, made.inputs)
        assert not problems, problems
        state = self.stand_in.update(made.token, made.urn, made.id, checked, made.state, False)
        return Made(made.token, made.urn, made.id, checked, state)

    def diff(self, made: Made, inputs: Mapping[str, Any]) -> Diff:
        _, checked, _ = self.check(made.token, made.urn.rsplit("::", 1)[-1], inputs, made.inputs)
        return self.stand_in.diff(made.token, made.urn, made.inputs, checked, made.state)

    def replaced(self, made: Made, inputs: Mapping[str, Any]) -> set[str]:
        """The properties for which an update would replace."""
        diff = self.diff(made, inputs)
        return {change.path for change in diff.changes if diff.is_replacing(change.path)}

    def delete(self, made: Made) -> None:
        self.stand_in.delete(made.token, made.urn, made.id, made.state)


def aws_world(folder: Path, **config: str) -> World:
    account = Account(folder / "account.sqlite")
    stand_in = Aws(account)
    stand_in.configure({"region": "us-west-2", **config})
    return World(stand_in, account)


def kubernetes_world(folder: Path, endpoint: str = "https://cluster") -> World:
    """A kubernetes stand-in whose kubeconfig points at an address."""
    account = Account(folder / "account.sqlite")
    stand_in = Kubernetes(lambda server: AccountStore(account, server))
    stand_in.configure({"kubeconfig": json.dumps({"clusters": [{"cluster": {"server": endpoint}}]})})
    return World(stand_in, account)


def trust(*services: str) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": list(services)}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def network(world: World) -> tuple[Made, Made, Made]:
    """A VPC with a subnet in each of two zones."""
    vpc = world.create(VPC, "net", {"cidrBlock": "10.0.0.0/16"})
    subnets = [
        world.create(
            SUBNET, f"net-{zone}", {"vpcId": vpc.id, "cidrBlock": cidr, "availabilityZone": f"us-west-2{zone}"}
        )
        for zone, cidr in (("a", "10.0.0.0/24"), ("b", "10.0.1.0/24"))
    ]
    return vpc, subnets[0], subnets[1]


def cluster(world: World, *subnets: Made, **inputs: Any) -> Made:
    role = world.create(ROLE, "control-plane", {"assumeRolePolicy": trust("eks.amazonaws.com")})
    vpc = {"subnetIds": [subnet.id for subnet in subnets]}
    return world.create(CLUSTER, "demo", {"name": "demo", "roleArn": role["arn"], "vpcConfig": vpc, **inputs})


def node_role(world: World) -> Made:
    return world.create(ROLE, "nodes", {"assumeRolePolicy": trust("ec2.amazonaws.com")})


def node_inputs(control_plane: Made, role: Made, *subnets: Made, **inputs: Any) -> dict[str, Any]:
    """What a valid node group says, and what a test changes of it."""
    return {
        "clusterName": control_plane["name"],
        "nodeRoleArn": role["arn"],
        "subnetIds": [subnet.id for subnet in subnets],
        "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 2},
        "instanceTypes": ["g6e.2xlarge"],
        **inputs,
    }
