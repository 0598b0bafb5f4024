"""Connections of inline programs to their engines."""

from __future__ import annotations

from typing import Final

# The SDK has no other way to say it; requirements.txt pins the SDK.
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS as OPTIONS

#: gRPC otherwise shares what it knows of an address between all connections of a process.
_APART: Final = ("grpc.use_local_subchannel_pool", 1)


def keep_apart() -> None:
    """Lets no connection inherit what another one has met at the same address.

    A program cut off in the middle goes on knocking at its engine's port. A later engine that gets this port would be
    taken for gone without being asked: "Resource monitor has terminated" before anything is done.
    """
    if _APART not in OPTIONS:
        OPTIONS.append(_APART)
