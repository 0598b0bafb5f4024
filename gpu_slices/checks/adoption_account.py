"""A cluster that is to be adopted, as `preflight` sees it: what AWS says of it, and what runs in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..adoption import rules
from ..adoption.contents import CONTENTS, judge_contents, read_contents
from ..settings.adopted_cluster import AdoptedCluster
from .aws_account import AwsAccount
from .cluster_api import ClusterError
from .table import Cause, Check, Finding

ADDONS: Final = Check(
    name="adopted-addons",
    symptom="`pulumi up` stops with ResourceInUseException: Addon already exists",
    looks_at="the EKS add-ons of the adopted cluster that cluster.addons names",
    judged="they are not there yet, or are this stack's own",
    causes=(
        Cause(
            name="addon-there",
            text="the cluster has the add-on, and the stack takes nothing over",
            remedy="remove cluster.addons.{addon}: what is there stays as it is",
        ),
    ),
)


def adopted_cluster(account: AwsAccount) -> Iterator[Finding]:
    """Nothing to say of a new cluster; so below."""
    cluster, region = account.plan.settings.cluster, account.plan.settings.region
    if not isinstance(cluster, AdoptedCluster):
        return
    facts = account.adopted
    if facts is None:
        yield rules.missing(cluster.adopt, region)
    else:
        yield from rules.judge(facts, account.plan)


def adopted_addons(account: AwsAccount) -> Iterator[Finding]:
    """The add-ons that the stack wants to add."""
    cluster, facts = account.plan.settings.cluster, account.adopted
    if not isinstance(cluster, AdoptedCluster) or facts is None:
        return
    client = account.client("eks")
    for name in sorted(cluster.addons):
        if not facts.addons.get(name):
            yield ADDONS.passed(f"add-on {name}", "is not there yet")
            continue
        there = client.describe_addon(clusterName=cluster.adopt, addonName=name)["addon"]
        if account.owner.owns(there.get("tags") or {}):
            yield ADDONS.passed(f"add-on {name}", "is this stack's own")
        else:
            yield ADDONS.failed(f"add-on {name}", f"is there, {there.get('addonVersion')}", "addon-there", addon=name)


def adopted_contents(account: AwsAccount) -> Iterator[Finding]:
    """What runs in the cluster; it takes somebody who may read it."""
    facts = account.adopted
    if facts is None:
        return
    try:
        found = read_contents(account.open_cluster(facts))
    except ClusterError as error:
        yield CONTENTS.failed(f"cluster {facts.name}", str(error), "unreadable")
        return
    yield from judge_contents(found, account.plan)
