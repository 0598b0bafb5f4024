"""The policies of the roles that CI takes: one that reads, for previews, and one that changes, for updates.

Both follow from the table of actions. What they may change in IAM is limited to names that this program gives, to AWS
policies that it attaches, and to the services that it hands roles to. Whoever may deploy can still make a role of such a
name with a policy of their own: the environment's reviewers stand before that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .deploy_actions import ACTIONS, LOOKUPS, WITHOUT_RESOURCE
from .karpenter import POLICY_SIZE_LIMIT

Document = dict[str, Any]
Statement = dict[str, Any]

#: What the names of roles, policies and instance profiles begin with: the platform's component is called so.
OWN_PREFIX: Final = "platform-"
#: AWS's policies that the program attaches to its roles.
ATTACHED_POLICIES: Final = (
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonSSMManagedInstanceCore",
    "CloudWatchAgentServerPolicy",
    "AWSXrayWriteOnlyAccess",
    "service-role/AmazonEBSCSIDriverPolicy",
    "AmazonFSxFullAccess",
)
#: Services that make a role for themselves when they are first used.
SERVICE_ROLES: Final = (
    "eks.amazonaws.com",
    "eks-nodegroup.amazonaws.com",
    "guardduty.amazonaws.com",
    "malware-protection.guardduty.amazonaws.com",
    "securityhub.amazonaws.com",
    "spot.amazonaws.com",
)
#: Where services without regions are asked, which is what `aws:RequestedRegion` then says.
_GLOBAL_REGION: Final = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
_GLOBAL_SERVICES: Final = frozenset({"budgets", "ce"})
_ATTACHING: Final = frozenset({"iam:AttachRolePolicy", "iam:DetachRolePolicy"})
_SERVICE_ROLE_ACTIONS: Final = frozenset(
    {"iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:GetServiceLinkedRoleDeletionStatus"}
)


@dataclass(frozen=True, kw_only=True)
class DeployScope:
    """Where stacks of this program are deployed; `partition` is aws, aws-cn or aws-us-gov."""

    partition: str
    account: str
    regions: tuple[str, ...]


def reading_actions() -> tuple[str, ...]:
    """Everything that a preview with refresh asks AWS, sorted."""
    return tuple(sorted({action for several in _reads() for action in several}))


def _reads() -> Iterator[tuple[str, ...]]:
    yield from LOOKUPS.values()
    yield from (needs.read for needs in ACTIONS.values())


def changing_actions() -> tuple[str, ...]:
    """Everything that an update or a destroy asks AWS, reading included, sorted."""
    return tuple(sorted({*reading_actions(), *(action for needs in ACTIONS.values() for action in needs.write)}))


def preview_policies(scope: DeployScope) -> tuple[Document, ...]:
    """Documents that only read, each below IAM's limit of a managed policy."""
    iam, others = _parted(reading_actions())
    own = _iam_statement("ReadOwnIdentities", iam, _own_identities(scope))
    return _documents([own, *_by_service(others, scope)])


def deploy_policies(scope: DeployScope) -> tuple[Document, ...]:
    """Documents that change, each below IAM's limit of a managed policy."""
    iam, others = _parted(changing_actions())
    plain = [action for action in iam if action not in _ATTACHING | _SERVICE_ROLE_ACTIONS]
    return _documents(
        [
            _iam_statement("ManageOwnIdentities", plain, _own_identities(scope)),
            _attach(scope),
            _pass(scope),
            _service_roles(scope),
            *_by_service(others, scope),
        ]
    )


def document_json(document: Document) -> str:
    """A document as the text that IAM takes."""
    return json.dumps(document, sort_keys=True)


def size(document: Document) -> int:
    """A document's characters as IAM counts them: without white space."""
    return sum(not sign.isspace() for sign in document_json(document))


def _parted(actions: Iterable[str]) -> tuple[list[str], list[str]]:
    """IAM's actions, and those of other services."""
    listed = list(actions)
    iam = [action for action in listed if action.startswith("iam:")]
    return iam, [action for action in listed if action not in iam]


def _own_identities(scope: DeployScope) -> list[str]:
    kinds = ("instance-profile", "policy", "role")
    service_linked = _arn(scope, "role/aws-service-role/*")
    return [*(_arn(scope, f"{kind}/{OWN_PREFIX}*") for kind in kinds), service_linked]


def _iam_statement(sid: str, actions: Iterable[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}


def _attach(scope: DeployScope) -> Statement:
    """Own policies, and those of AWS's that the program names: never AdministratorAccess."""
    by_aws = [f"arn:{scope.partition}:iam::aws:policy/{name}" for name in sorted(ATTACHED_POLICIES)]
    allowed = [_arn(scope, f"policy/{OWN_PREFIX}*"), *by_aws]
    return {
        **_iam_statement("AttachKnownPolicies", _ATTACHING, [_arn(scope, f"role/{OWN_PREFIX}*")]),
        "Condition": {"ArnLike": {"iam:PolicyARN": allowed}},
    }


def _pass(scope: DeployScope) -> Statement:
    """Own roles, to the services that the program's resources run on."""
    services = sorted({service for needs in ACTIONS.values() for service in needs.services})
    return {
        **_iam_statement("PassOwnRoles", ["iam:PassRole"], [_arn(scope, f"role/{OWN_PREFIX}*")]),
        "Condition": {"StringEquals": {"iam:PassedToService": services}},
    }


def _service_roles(scope: DeployScope) -> Statement:
    resources = [_arn(scope, f"role/aws-service-role/{service}/*") for service in SERVICE_ROLES]
    return _iam_statement("ServicesMakeTheirRoles", _SERVICE_ROLE_ACTIONS, resources)


def _by_service(actions: Iterable[str], scope: DeployScope) -> list[Statement]:
    """Two statements per service: on what is in the account, and what IAM allows on everything or not at all."""
    services: dict[str, list[str]] = {}
    for action in actions:
        services.setdefault(action.partition(":")[0], []).append(action)
    return [
        statement for service, several in sorted(services.items()) for statement in _in_regions(service, several, scope)
    ]


def _in_regions(service: str, actions: list[str], scope: DeployScope) -> list[Statement]:
    regions = [_GLOBAL_REGION[scope.partition]] if service in _GLOBAL_SERVICES else sorted(scope.regions)
    parts = {
        "Use": (sorted(set(actions) - WITHOUT_RESOURCE), _in_account(service, actions, scope)),
        "Ask": (sorted(set(actions) & WITHOUT_RESOURCE), ["*"]),
    }
    return [
        {
            "Sid": f"{word}{service.capitalize()}",
            "Effect": "Allow",
            "Action": listed,
            "Resource": resources,
            "Condition": {"StringEquals": {"aws:RequestedRegion": regions}},
        }
        for word, (listed, resources) in parts.items()
        if listed
    ]


def _in_account(service: str, actions: list[str], scope: DeployScope) -> list[str]:
    """Everything of a service in the account; a launch also reads images, and subnets that another account shares."""
    start = f"arn:{scope.partition}:{service}"
    own = f"{start}::{scope.account}:*" if service in _GLOBAL_SERVICES else f"{start}:*:{scope.account}:*"
    launch = [f"{start}:*:*:subnet/*", f"{start}:*::image/*", f"{start}:*::snapshot/*"]
    return [own, *launch] if "ec2:RunInstances" in actions else [own]


def _documents(statements: list[Statement]) -> tuple[Document, ...]:
    """As few documents as hold the statements in their order."""
    documents: list[Document] = []
    for statement in statements:
        last = _with(documents[-1], statement) if documents else None
        if last is not None and size(last) <= POLICY_SIZE_LIMIT:
            documents[-1] = last
        else:
            documents.append(_with({"Version": "2012-10-17", "Statement": []}, statement))
    return tuple(documents)


def _with(document: Mapping[str, Any], statement: Statement) -> Document:
    return {**document, "Statement": [*document["Statement"], statement]}


def _arn(scope: DeployScope, path: str) -> str:
    return f"arn:{scope.partition}:iam::{scope.account}:{path}"
