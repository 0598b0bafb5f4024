"""Whether a stack can be added to a cluster, from what AWS says of it: the words, and the pure function that judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ..checks.table import Cause, Check, Finding
from ..plan import Plan
from ..settings.adopted_cluster import AdoptedCluster
from ..settings.cluster import ExistingNetwork
from ..settings.compatibility_checks import unfit_versions
from ..settings.mistakes import Mistake
from ..versions import KUBERNETES_VERSIONS
from .facts import POD_IDENTITY_AGENT, ClusterFacts

_EVERYWHERE: Final = "0.0.0.0/0"
#: Both let EKS and this stack write access entries (EKS user guide, "authentication modes").
_WITH_ACCESS_ENTRIES: Final = frozenset({"API", "API_AND_CONFIG_MAP"})

ADOPTED: Final = Check(
    name="adopted-cluster",
    symptom="A cluster that is there already cannot take the stack",
    looks_at="status, version, authentication mode, Auto Mode, VPC, security group, endpoint and add-ons of the cluster "
    "that cluster.adopt names",
    judged="it is active, runs a supported version, takes access entries, is not in Auto Mode, lies in network.vpcId with "
    "the subnets named, and has the Pod Identity agent where pods of the stack get AWS roles",
    causes=(
        Cause(
            name="cluster-missing",
            text="there is no such cluster in this account and region",
            remedy="aws eks list-clusters --region {region} lists those there are; write one under cluster.adopt",
        ),
        Cause(
            name="not-active",
            text="the cluster is being made, changed or deleted, or has failed",
            remedy="aws eks wait cluster-active --name {cluster} --region {region}, then again",
        ),
        Cause(
            name="config-map-mode",
            text="the cluster lets in only whom the config map aws-auth names: no access entry can be added",
            remedy="aws eks update-cluster-config --name {cluster} --region {region} --access-config "
            "authenticationMode=API_AND_CONFIG_MAP (aws-auth stays valid; there is no way back to CONFIG_MAP)",
        ),
        Cause(
            name="auto-mode",
            text="EKS Auto Mode brings a device plugin that cannot be told to slice, and a Karpenter without NodeOverlays",
            remedy="adopt a cluster without Auto Mode, or let the stack make its own: remove cluster.adopt",
        ),
        Cause(
            name="version-unsupported",
            text="the pinned charts and AMIs are not for the cluster's Kubernetes version",
            remedy="aws eks update-cluster-version --name {cluster} --kubernetes-version VERSION, one minor at a time, to "
            "one of {versions}",
        ),
        Cause(
            name="version-breaks",
            text="a part of the stack is known to break with the cluster's Kubernetes version",
            remedy="{remedy}",
        ),
        Cause(
            name="other-vpc",
            text="the cluster lives in another VPC than network.vpcId: its nodes cannot join from there",
            remedy="write network.vpcId: {vpc} with private subnets of it",
        ),
        Cause(
            name="foreign-subnet",
            text="the subnet is not one of the cluster's VPC",
            remedy="aws ec2 describe-subnets --filters Name=vpc-id,Values={vpc} --region {region} lists those there are",
        ),
        Cause(
            name="no-security-group",
            text="the cluster has no cluster security group, which nodes and control plane talk through (EKS makes one "
            "since 2020)",
            remedy="move to a newer cluster",
        ),
        Cause(
            name="agent-missing",
            text="pods of the stack get AWS roles by EKS Pod Identity, and the cluster lacks its agent",
            remedy="write cluster.addons: {{eks-pod-identity-agent: VERSION}} (aws eks describe-addon-versions --addon-name "
            "eks-pod-identity-agent), or install it yourself",
        ),
        Cause(
            name="endpoint-limited",
            text="nodes reach the API only through the public endpoint, and only from some addresses",
            remedy="the addresses of the NAT gateways of network.privateSubnetIds must be among publicAccessCidrs; or turn "
            "on the private endpoint",
        ),
        Cause(
            name="endpoint-private",
            text="the API answers only inside the VPC",
            remedy="run pulumi from inside it, or through a VPN",
        ),
    ),
)

Rule = Callable[[ClusterFacts, Plan], Iterator[Finding]]


def judge(facts: ClusterFacts, plan: Plan) -> tuple[Finding, ...]:
    """Everything there is to say of the cluster; one line that it passed where there is nothing."""
    found = tuple(finding for rule in _RULES for finding in rule(facts, plan))
    return found or (ADOPTED.passed(_name(facts), f"{facts.version}, {facts.authentication_mode}, in {facts.vpc_id}"),)


def missing(name: str, region: str) -> Finding:
    """What there is to say where no cluster is."""
    return ADOPTED.failed(f"cluster {name}", "is not there", "cluster-missing", region=region)


def mistakes(findings: Iterable[Finding]) -> tuple[Mistake, ...]:
    """What failed, as mistakes of the stack file: it names a cluster that cannot take the stack."""
    return tuple(
        Mistake(path="cluster.adopt", problem=f"{one.subject} {one.seen}: {one.cause.text}", remedy=one.remedy)
        for one in findings
        if one.outcome == "failed" and one.cause
    )


def remarks(findings: Iterable[Finding]) -> tuple[str, ...]:
    """What is worth knowing and keeps nobody from adopting."""
    return tuple(
        f"cluster.adopt: {one.subject} {one.seen}: {one.cause.text}; {one.remedy}"
        for one in findings
        if one.outcome == "warned" and one.cause
    )


def _name(facts: ClusterFacts) -> str:
    return f"cluster {facts.name}"


def _status(facts: ClusterFacts, plan: Plan) -> Iterator[Finding]:
    if facts.status not in ("ACTIVE", "UPDATING"):
        yield ADOPTED.failed(
            _name(facts), f"is {facts.status}", "not-active", cluster=facts.name, region=plan.settings.region
        )


def _authentication(facts: ClusterFacts, plan: Plan) -> Iterator[Finding]:
    if facts.authentication_mode not in _WITH_ACCESS_ENTRIES:
        seen = f"has authentication mode {facts.authentication_mode}"
        yield ADOPTED.failed(_name(facts), seen, "config-map-mode", cluster=facts.name, region=plan.settings.region)


def _auto_mode(facts: ClusterFacts, _: Plan) -> Iterator[Finding]:
    if facts.auto_mode:
        yield ADOPTED.failed(_name(facts), "is in Auto Mode", "auto-mode")


def _version(facts: ClusterFacts, plan: Plan) -> Iterator[Finding]:
    if facts.version not in KUBERNETES_VERSIONS:
        versions = ", ".join(KUBERNETES_VERSIONS)
        seen = f"runs Kubernetes {facts.version}"
        yield ADOPTED.failed(_name(facts), seen, "version-unsupported", cluster=facts.name, versions=versions)
        return
    for found in sorted(set(unfit_versions(plan.settings, facts.version))):
        seen = f"runs Kubernetes {facts.version}: {found.problem}"
        yield ADOPTED.failed(_name(facts), seen, "version-breaks", remedy=found.remedy)


def _network(facts: ClusterFacts, plan: Plan) -> Iterator[Finding]:
    network = plan.settings.network
    if not isinstance(network, ExistingNetwork):
        return
    if network.vpc_id != facts.vpc_id:
        yield ADOPTED.failed(_name(facts), f"is in {facts.vpc_id}, not {network.vpc_id}", "other-vpc", vpc=facts.vpc_id)
        return
    for subnet in (*network.private_subnet_ids, *network.public_subnet_ids):
        if subnet not in facts.vpc_subnets:
            details = {"vpc": facts.vpc_id, "region": plan.settings.region}
            yield ADOPTED.failed(subnet, f"is not in {facts.vpc_id}", "foreign-subnet", **details)


def _security_group(facts: ClusterFacts, _: Plan) -> Iterator[Finding]:
    if not facts.security_group_id:
        yield ADOPTED.failed(_name(facts), "names none", "no-security-group")


def _agent(facts: ClusterFacts, plan: Plan) -> Iterator[Finding]:
    cluster = plan.settings.cluster
    declared = isinstance(cluster, AdoptedCluster) and POD_IDENTITY_AGENT in cluster.addons
    if plan.pod_identity and not declared and not facts.addons.get(POD_IDENTITY_AGENT):
        yield ADOPTED.failed(_name(facts), f"has no {POD_IDENTITY_AGENT}", "agent-missing")


def _endpoint(facts: ClusterFacts, _: Plan) -> Iterator[Finding]:
    if not facts.private and _EVERYWHERE not in facts.public_cidrs:
        yield ADOPTED.warned(_name(facts), f"answers {', '.join(facts.public_cidrs)}", "endpoint-limited")
    if not facts.public:
        yield ADOPTED.warned(_name(facts), "has no public endpoint", "endpoint-private")


_RULES: Final[tuple[Rule, ...]] = (
    _status,
    _authentication,
    _auto_mode,
    _version,
    _network,
    _security_group,
    _agent,
    _endpoint,
)
