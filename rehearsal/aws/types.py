"""Every AWS type the stand-in knows."""

from __future__ import annotations

from rehearsal.aws import cluster, compute, identity, messages, money, network
from rehearsal.aws.table import AwsType

TYPES: dict[str, AwsType] = {
    **network.TYPES,
    **compute.TYPES,
    **identity.TYPES,
    **messages.TYPES,
    **cluster.TYPES,
    **money.TYPES,
}
