"""Rules about security that every tree of this program keeps, whatever its settings: encrypted, tagged, closed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from gpu_slices.plan import Plan
from gpu_slices.settings.cluster import Cluster
from rehearsal.answers import Declared
from rehearsal.recorder import Recording
from rehearsal.schemas import load
from rehearsal.stand_in import parsed
from tests.support.policy_lint import findings, idle_resources, listed, statements
from tests.support.recordings import AWS_PROVIDER, LAUNCH_TEMPLATE, LOG_GROUP, NODE_CLASS

#: What holds data at rest → whether its inputs have it encrypted.
ENCRYPTED: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "aws:sqs/queue:Queue": lambda one: one.get("sqsManagedSseEnabled") or one.get("kmsMasterKeyId"),
    LOG_GROUP: lambda one: one.get("kmsKeyId"),
    LAUNCH_TEMPLATE: lambda one: all(disk["ebs"]["encrypted"] == "true" for disk in one["blockDeviceMappings"]),
    NODE_CLASS: lambda one: all(disk["ebs"]["encrypted"] is True for disk in one["spec"]["blockDeviceMappings"]),
    "aws:eks/cluster:Cluster": lambda one: one["encryptionConfig"]["provider"]["keyArn"],
    "kubernetes:storage.k8s.io/v1:StorageClass": lambda one: one["parameters"]["encrypted"] == "true",
}
#: Types whose name says that they hold data, and that are only about something that does.
ONLY_ABOUT = {"aws:sqs/queuePolicy:QueuePolicy", "kubernetes:core/v1:ResourceQuota"}
HOLDS_DATA = re.compile(
    r"bucket|queue|volume|logGroup|secret|fileSystem|snapshot|topic|dynamodb|kinesis|rds", re.IGNORECASE
)


def everything_that_holds_data_is_encrypted(recorded: Recording, plan: Plan) -> None:
    """Log groups under the stack's own key, where it has one: a key that it was given for secrets may know nothing of
    logs, and beside an adopted cluster logs have CloudWatch's own."""
    cluster = plan.settings.cluster
    given = not isinstance(cluster, Cluster) or cluster.encryption.kms_key_arn is not None
    for one in recorded.resources:
        if one.type == LOG_GROUP and given:
            continue
        if one.type in ENCRYPTED:
            assert ENCRYPTED[one.type](one.inputs), f"{one.name} keeps data in clear"
        else:
            assert not HOLDS_DATA.search(one.type) or one.type in ONLY_ABOUT, f"{one.type} needs a row in ENCRYPTED"


def the_key_lets_cloudwatch_use_it_for_every_log_group_under_it(recorded: Recording, _: Plan) -> None:
    """CloudWatch Logs would refuse the group otherwise."""
    under = {one.inputs["name"] for one in recorded.of(LOG_GROUP) if one.inputs.get("kmsKeyId")}
    for key in recorded.of("aws:kms/key:Key"):
        (logs,) = [one for one in json.loads(key.inputs["policy"])["Statement"] if "Service" in one["Principal"]]
        arns = listed(logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"])
        assert under <= {arn.partition(":log-group:")[2] for arn in arns}


def no_log_is_kept_for_ever(recorded: Recording, _: Plan) -> None:
    assert all(one.inputs.get("retentionInDays") for one in recorded.of(LOG_GROUP))


def documents(recorded: Recording) -> Iterator[tuple[Declared, str, Mapping[str, Any]]]:
    """Every policy document of the tree: (resource, property, document)."""
    for one in recorded.resources:
        for name in ("assumeRolePolicy", "policy", "policyDocument"):
            if one.type.startswith("aws:") and isinstance(one.inputs.get(name), str):
                yield one, name, json.loads(one.inputs[name])


IDENTITY = {"aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy"}
#: What parliament finds although AWS has it so: finding → why.
KNOWN = {
    "ssm:GetParameter lacks arn:*:ssm:*:*:parameter/*": "AWS's public parameters carry no account in their ARN",
    "logs:DescribeLogGroups lacks arn:*:logs:*:*:log-group:*": "one log group is what the role may see",
}


def a_policy_on_everything_has_a_condition(recorded: Recording, _: Plan) -> None:
    """In a resource's own policy `*` is that resource; there the condition is on who may use it."""
    for one, _, document in documents(recorded):
        for statement in statements(document):
            if "*" in listed(statement.get("Resource", [])) and statement["Effect"] == "Allow":
                about_itself = one.type not in IDENTITY and statement["Principal"] != "*"
                assert statement.get("Condition") or about_itself, f"{one.name}: {statement.get('Sid')}"


def iam_documents_are_free_of_lint(recorded: Recording, _: Plan) -> None:
    for one, _, document in documents(recorded):
        if one.type in IDENTITY:
            assert lint(json.dumps(document)) == (), one.name


@cache
def lint(text: str) -> tuple[str, ...]:
    """What parliament finds in a document, ARNs that grant nothing among it, less what is known."""
    document = json.loads(text)
    idle = [f"nothing works on {arn}" for arn in idle_resources(document) if ":spot-instances-request/" not in arn]
    return tuple(found for found in [*findings(document), *idle] if found not in KNOWN)


def only_services_and_the_account_itself_take_roles_and_keys(recorded: Recording, _: Plan) -> None:
    for one, _, document in documents(recorded):
        for statement in statements(document):
            principal = statement.get("Principal")
            if principal == "*" and statement["Effect"] == "Allow":
                assert statement["Condition"]["StringEquals"]["aws:PrincipalAccount"], one.name
            elif isinstance(principal, Mapping):
                accounts = [who.split(":")[4] for who in listed(principal.get("AWS", []))]
                assert set(accounts) <= {"123456789012"}, one.name


def everything_taggable_carries_the_stacks_tags(recorded: Recording, plan: Plan) -> None:
    tags = dict(plan.tags)
    (provider,) = recorded.of(AWS_PROVIDER)
    default = parsed(provider.inputs)["defaultTags"]["tags"]
    taggable = [one for one in recorded.resources if one.custom and "tags" in _inputs(one.type)]
    assert taggable
    for one in taggable:
        assert one.provider.rpartition("::")[0] == provider.urn, f"{one.name} does not get the default tags"
        assert tags.items() <= {**default, **(one.inputs.get("tags") or {})}.items(), one.name


def _inputs(token: str) -> Mapping[str, Any]:
    return load("aws").shape(token).inputs if token in load("aws").tokens and not token.startswith("pulumi:") else {}


def nobody_is_let_in_from_everywhere(recorded: Recording, _: Plan) -> None:
    """Security groups; who reaches the Kubernetes API is `cluster.endpoint`, with a warning where that is everybody."""
    for one in recorded.resources:
        if one.type.startswith("aws:ec2/") or one.type.startswith("aws:vpc/"):
            ways_in = [one.inputs, *(one.inputs.get("ingress") or [])] if "Egress" not in one.type else []
            for way in ways_in:
                open_to = {way.get("cidrIpv4"), way.get("cidrIpv6"), *(way.get("cidrBlocks") or [])}
                assert not open_to & {"0.0.0.0/0", "::/0"}, one.name


def the_vpcs_default_security_group_lets_nothing_through(recorded: Recording, _: Plan) -> None:
    closed = recorded.of("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert len(closed) == len(recorded.of("aws:ec2/vpc:Vpc"))
    assert all(not one.inputs.get("ingress") and not one.inputs.get("egress") for one in closed)


SECURITY_RULES = (
    everything_that_holds_data_is_encrypted,
    the_key_lets_cloudwatch_use_it_for_every_log_group_under_it,
    no_log_is_kept_for_ever,
    a_policy_on_everything_has_a_condition,
    iam_documents_are_free_of_lint,
    only_services_and_the_account_itself_take_roles_and_keys,
    everything_taggable_carries_the_stacks_tags,
    nobody_is_let_in_from_everywhere,
    the_vpcs_default_security_group_lets_nothing_through,
)
