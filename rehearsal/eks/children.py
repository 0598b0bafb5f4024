"""What pulumi_eks's components create, as data (component provider v4.3, measured and read).

Only what this program may ask of them is played; every other option is refused with a sentence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.eks.access import KUBECONFIG_OF, issuer, kubeconfig, kubeconfig_json
from rehearsal.eks.expansion import Child, Expansion, Made, Out
from rehearsal.schemas import load
from rehearsal.stand_in import Refused
from rehearsal.values import UNKNOWN, has_unknown

CLUSTER = "eks:index:Cluster"
NODES = "eks:index:ManagedNodeGroup"


def expand(token: str, name: str, inputs: Mapping[str, Any]) -> Expansion:
    """What the component `name` of a type creates for these inputs (references already replaced by their state).

    Raises Refused for options that are wrong or not played, LookupError for another type.
    """
    if token not in _EXPANSIONS:
        raise LookupError(f"the eks stand-in plays {' and '.join(sorted(_EXPANSIONS))}, not {token}")
    problems = load("eks").problems(token, inputs)
    if problems:
        raise Refused("; ".join(problem.words for problem in problems))
    unplayed = sorted(name for name, value in inputs.items() if value is not None and name not in _PLAYED[token])
    if unplayed:
        raise Refused(f"{token} {name}: the eks stand-in does not play {', '.join(unplayed)}")
    return _EXPANSIONS[token](name, {key: value for key, value in inputs.items() if value is not None})


#: Cluster inputs that reach aws.eks.Cluster; the rest says what not to create.
_CLUSTER_DATA = (
    "name", "version", "vpcId", "subnetIds", "privateSubnetIds", "publicSubnetIds", "endpointPrivateAccess",
    "endpointPublicAccess", "publicAccessCidrs", "enabledClusterLogTypes", "encryptionConfigKeyArn",
    "authenticationMode", "bootstrapSelfManagedAddons", "upgradePolicy", "deletionProtection", "tags", "clusterTags",
)  # fmt: skip
_CLUSTER_SWITCHES = (
    "skipDefaultNodeGroup", "skipDefaultSecurityGroups", "createOidcProvider", "useDefaultVpcCni",
    "kubeProxyAddonOptions", "corednsAddonOptions", "createInstanceRole",
)  # fmt: skip
#: ManagedNodeGroup inputs that reach aws.eks.NodeGroup under the same name.
_NODE_DATA = (
    "amiType", "capacityType", "diskSize", "forceUpdateVersion", "instanceTypes", "labels", "launchTemplate",
    "nodeGroupName", "nodeGroupNamePrefix", "releaseVersion", "scalingConfig", "subnetIds", "tags", "taints", "version",
)  # fmt: skip
_NODE_SWITCHES = ("cluster", "clusterName", "nodeRole", "nodeRoleArn", "ignoreScalingChanges")

_PLAYED = {CLUSTER: {*_CLUSTER_DATA, *_CLUSTER_SWITCHES}, NODES: {*_NODE_DATA, *_NODE_SWITCHES}}


def _cluster(name: str, inputs: Mapping[str, Any]) -> Expansion:
    _refuse_unplayed(name, inputs)
    subnets = _subnets(name, inputs)
    role = f"{name}-eksRole"
    policy = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
    short = hashlib.sha1(policy.encode(), usedforsecurity=False).hexdigest()[:8]
    tags = _given(inputs, "tags")
    service = {"Action": ["sts:AssumeRole", "sts:TagSession"], "Effect": "Allow"}
    trust = {"Version": "2012-10-17", "Statement": [{**service, "Principal": {"Service": ["eks.amazonaws.com"]}}]}
    role_inputs = {
        "assumeRolePolicy": json.dumps(trust, separators=(",", ":")),
        "description": "Allows EKS to manage clusters on your behalf.",
        **tags,
    }
    attachment = {"policyArn": policy, "role": Out("role", "name")}
    iam, eks = "aws:iam/role:Role", "aws:eks/cluster:Cluster"
    children = (
        Child(key="service", type="eks:index:ServiceRole", name=role, custom=False),
        Child(key="role", type=iam, name=f"{role}-role", inputs=role_inputs, parent="service", uses=("tags",)),
        Child(
            key="policy",
            type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            name=f"{role}-{short}",
            inputs=attachment,
            parent="service",
        ),
        Child(
            key="cluster",
            type=eks,
            name=f"{name}-eksCluster",
            inputs=_cluster_inputs(name, inputs, subnets),
            uses=tuple(key for key in _CLUSTER_DATA if key != "vpcId"),
            after=("role", "policy"),
            ignore_changes=("accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"),
        ),
        Child(
            key="provider",
            type="pulumi:providers:kubernetes",
            name=f"{name}-eks-k8s",
            inputs={"kubeconfig": Made(KUBECONFIG_OF, kubeconfig_json)},
        ),
    )
    return Expansion(children=children, outputs=_cluster_outputs(inputs, subnets))


def _refuse_unplayed(name: str, inputs: Mapping[str, Any]) -> None:
    """What would make the component create more than the cluster and its role."""
    wanted = {
        "skipDefaultNodeGroup": True,
        "skipDefaultSecurityGroups": True,
        "useDefaultVpcCni": True,
        "kubeProxyAddonOptions": {"enabled": False},
        "corednsAddonOptions": {"enabled": False},
        "authenticationMode": "API",
    }
    wrong = [f"{key}={value!r}" for key, value in wanted.items() if inputs.get(key) != value]
    if inputs.get("createOidcProvider"):
        wrong.append("createOidcProvider=False")
    if inputs.get("vpcId") is None:
        wrong.append("vpcId")
    if wrong:
        raise Refused(f"{CLUSTER} {name}: the eks stand-in plays a cluster only with {', '.join(wrong)}")


def _subnets(name: str, inputs: Mapping[str, Any]) -> Any:
    """The control plane's subnets: given as one list, or public and private ones."""
    halves = [inputs[key] for key in ("publicSubnetIds", "privateSubnetIds") if key in inputs]
    if "subnetIds" in inputs:
        if halves:
            raise Refused(f"{CLUSTER} {name}: subnetIds and publicSubnetIds or privateSubnetIds are mutually exclusive")
        return inputs["subnetIds"]
    return UNKNOWN if has_unknown(halves) else [subnet for half in halves for subnet in half]


def _cluster_inputs(name: str, inputs: Mapping[str, Any], subnets: Any) -> dict[str, Any]:
    vpc = _given(inputs, "endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")
    if "publicAccessCidrs" in vpc and vpc.get("endpointPublicAccess") is False:
        raise Refused(f"{CLUSTER} {name}: `publicAccessCidrs` can only be set when `endpointPublicAccess` is true")
    named = {"Name": f"{name}-eksCluster"}
    groups = [inputs.get("clusterTags") or {}, inputs.get("tags") or {}]
    tags = UNKNOWN if UNKNOWN in groups else {**named, **groups[0], **groups[1]}
    key = inputs.get("encryptionConfigKeyArn")
    encryption = UNKNOWN if key == UNKNOWN else {"provider": {"keyArn": key}, "resources": ["secrets"]}
    return {
        **_given(inputs, "name", "version", "enabledClusterLogTypes", "upgradePolicy", "deletionProtection"),
        "roleArn": Out("role", "arn"),
        "bootstrapSelfManagedAddons": inputs.get("bootstrapSelfManagedAddons", True),
        "vpcConfig": {"subnetIds": subnets, **vpc},
        "tags": tags,
        "accessConfig": {
            "authenticationMode": inputs["authenticationMode"],
            "bootstrapClusterCreatorAdminPermissions": True,
        },
    } | ({} if key is None else {"encryptionConfig": encryption})


def _cluster_outputs(inputs: Mapping[str, Any], subnets: Any) -> dict[str, Any]:
    cluster = Out("cluster")
    config = Made(KUBECONFIG_OF, kubeconfig)
    core = {
        **_given(inputs, "vpcId", "publicSubnetIds", "privateSubnetIds", "tags"),
        "subnetIds": subnets,
        "cluster": cluster,
        "endpoint": Out("cluster", "endpoint"),
        "kubeconfig": config,
        "provider": Out("provider"),
        "instanceRoles": [],
        "clusterIamRole": Out("role"),
        "nodeGroupOptions": {},
        "storageClasses": {},
    }
    empty = ("autoModeNodeRoleName", "clusterIngressRuleId", "clusterSecurityGroupId", "defaultNodeGroupAsgName",
             "fargateProfileId", "fargateProfileStatus", "nodeSecurityGroupId", "oidcProviderArn")  # fmt: skip
    return {
        **dict.fromkeys(empty, ""),
        "core": core,
        "eksCluster": cluster,
        "instanceRoles": [],
        "kubeconfig": config,
        "kubeconfigJson": Made(KUBECONFIG_OF, kubeconfig_json),
        "oidcProviderUrl": Made((Out("cluster", "identities"),), issuer),
        "oidcIssuer": Made((Out("cluster", "identities"),), lambda ids: issuer(ids).removeprefix("https://")),
    }


def _managed_nodes(name: str, inputs: Mapping[str, Any]) -> Expansion:
    if ("nodeRole" in inputs) == ("nodeRoleArn" in inputs):
        raise Refused(f"{NODES} {name}: exactly one of nodeRole and nodeRoleArn is needed")
    if "nodeGroupName" in inputs and "nodeGroupNamePrefix" in inputs:
        raise Refused(f"{NODES} {name}: nodeGroupName and nodeGroupNamePrefix are mutually exclusive")
    cluster = inputs["cluster"] if isinstance(inputs["cluster"], Mapping) else {}
    core = cluster.get("core") or cluster
    role = inputs.get("nodeRole")
    role_arn = inputs.get("nodeRoleArn") or (role.get("arn", UNKNOWN) if isinstance(role, Mapping) else UNKNOWN)
    node_inputs = {
        **_given(inputs, *_NODE_DATA),
        "clusterName": inputs.get("clusterName") or (core.get("cluster") or {}).get("name", UNKNOWN),
        "nodeRoleArn": role_arn,
        "scalingConfig": inputs.get("scalingConfig") or {"desiredSize": 2, "minSize": 1, "maxSize": 2},
        "subnetIds": inputs.get("subnetIds") or core.get("subnetIds", UNKNOWN),
    }
    ignored = ("scalingConfig.desiredSize",) if inputs.get("ignoreScalingChanges") else ()
    group = Child(
        key="group",
        type="aws:eks/nodeGroup:NodeGroup",
        name=name,
        inputs=node_inputs,
        uses=(*_NODE_DATA, *_NODE_SWITCHES),
        ignore_changes=ignored,
    )
    return Expansion(children=(group,), outputs={"nodeGroup": Out("group"), "placementGroupName": ""})


def _given(inputs: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: inputs[name] for name in names if name in inputs}


_EXPANSIONS: dict[str, Callable[[str, Mapping[str, Any]], Expansion]] = {CLUSTER: _cluster, NODES: _managed_nodes}
