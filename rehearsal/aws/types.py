"""Every AWS type the stand-in knows."""

from __future__ import annotations

from rehearsal.aws import account_services, cluster, compute, identity, messages, money, network, node_groups, storage
from rehearsal.aws.table import AwsType

TYPES: dict[str, AwsType] = {
    **network.TYPES,
    **compute.TYPES,
    **identity.TYPES,
    **messages.TYPES,
    **storage.TYPES,
    **cluster.TYPES,
    **money.TYPES,
    **node_groups.TYPES,
    **account_services.TYPES,
}
