"""Asks AWS about a cluster that is to be adopted, and stops the program where it cannot take the stack."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from gpu_slices.adoption import rules
from gpu_slices.adoption.facts import POD_IDENTITY_AGENT, ClusterFacts
from gpu_slices.plan import Plan
from gpu_slices.settings.adopted_cluster import AdoptedCluster
from gpu_slices.settings.cluster import ExistingNetwork
from gpu_slices.settings.mistakes import Mistake

#: How the provider says that something is not there; every other failure is not ours to explain.
_NOT_THERE = ("couldn't find resource", "ResourceNotFoundException", "empty result")


def adopted_facts(plan: Plan, cluster: AdoptedCluster, options: pulumi.InvokeOptions) -> ClusterFacts:
    """What AWS says of the cluster, at preview as at up; what is worth knowing becomes a Pulumi diagnostic.

    Raises pulumi.RunError, which Pulumi shows without a traceback, with everything that keeps the cluster from taking
    the stack on a line of its own: nothing has been declared by then but providers.
    """
    try:
        facts = _look_up(plan, cluster, options)
    except Exception as problem:
        raise pulumi.RunError(f"cluster.adopt: AWS was asked about {cluster.adopt}: {problem}") from problem
    found = rules.judge(facts, plan) if facts else (rules.missing(cluster.adopt, plan.settings.region),)
    for remark in rules.remarks(found):
        pulumi.warn(remark)
    if mistakes := rules.mistakes(found):
        raise pulumi.RunError(_text(plan, mistakes))
    if facts is None:
        raise AssertionError("a cluster that is not there is a mistake")
    return facts


def _text(plan: Plan, mistakes: tuple[Mistake, ...]) -> str:
    lines = "\n".join(str(mistake) for mistake in mistakes)
    return f"stack {plan.stack} cannot be added to the cluster:\n{lines}"


def _look_up(plan: Plan, cluster: AdoptedCluster, options: pulumi.InvokeOptions) -> ClusterFacts | None:
    try:
        found = aws.eks.get_cluster(name=cluster.adopt, opts=options)
    except Exception as problem:
        if _says_not_there(problem):
            return None
        raise
    vpc = found.vpc_config
    return ClusterFacts(
        name=found.name,
        arn=found.arn,
        status=found.status,
        version=found.version,
        endpoint=found.endpoint,
        certificate_authority=found.certificate_authorities[0].data if found.certificate_authorities else "",
        authentication_mode=found.access_configs[0].authentication_mode if found.access_configs else "CONFIG_MAP",
        auto_mode=any(one.enabled for one in found.compute_configs or ()),
        vpc_id=vpc.vpc_id,
        vpc_subnets=_subnets(plan, vpc.vpc_id, options),
        security_group_id=vpc.cluster_security_group_id,
        public=vpc.endpoint_public_access,
        private=vpc.endpoint_private_access,
        public_cidrs=tuple(vpc.public_access_cidrs or ()),
        addons={POD_IDENTITY_AGENT: _has_addon(cluster.adopt, POD_IDENTITY_AGENT, options)}
        if plan.pod_identity
        else {},
    )


def _subnets(plan: Plan, vpc_id: str, options: pulumi.InvokeOptions) -> frozenset[str]:
    network = plan.settings.network
    if not isinstance(network, ExistingNetwork):
        return frozenset()
    return frozenset(aws.ec2.get_subnets(filters=[{"name": "vpc-id", "values": [vpc_id]}], opts=options).ids)


def _has_addon(cluster: str, addon: str, options: pulumi.InvokeOptions) -> bool:
    try:
        aws.eks.get_addon(cluster_name=cluster, addon_name=addon, opts=options)
    except Exception as problem:
        if _says_not_there(problem):
            return False
        raise
    return True


def _says_not_there(problem: Exception) -> bool:
    return any(words in str(problem) for words in _NOT_THERE)
