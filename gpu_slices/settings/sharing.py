"""The key `sharing`: how GPUs are shared, for the stack and, field by field, for a pool."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .. import catalogue
from ..mig import MigStrategy
from .base import Flag, Model, Positive, Text, refused
from .mistakes import did_you_mean

Strategy = Literal["time-slicing", "mps", "mig"]


@cache
def _every_profile() -> frozenset[str]:
    gpus = catalogue.load().gpus.values()
    return frozenset(name for gpu in gpus for profiles in gpu.mig_profiles.values() for name in profiles)


def _profile(value: str) -> str:
    if value not in _every_profile():
        raise refused(f"no GPU has a MIG profile {value!r}", did_you_mean(value, _every_profile()))
    return value


Profile = Annotated[Text, AfterValidator(_profile)]


class MigGpus(Model):
    """Some of a node's GPUs that are partitioned alike."""

    count: Positive = Field(description="How many GPUs of each node.")
    profiles: Annotated[dict[Profile, Positive], Field(min_length=1)] = Field(
        description="MIG profile → instances of it on each of these GPUs."
    )


class Mig(Model):
    """How GPUs are partitioned: all alike by `profiles`, or some otherwise than others by `gpus`."""

    strategy: MigStrategy = Field(
        default="mixed",
        description="mixed: a resource per profile (nvidia.com/mig-1g.10gb); single: one profile, as nvidia.com/gpu.",
    )
    profiles: dict[Profile, Positive] = Field(
        default={}, description="MIG profile → instances of it on every GPU, such as {1g.10gb: 7}."
    )
    gpus: tuple[MigGpus, ...] = Field(
        default=(), description="Instead of profiles: [{count, profiles}], for all GPUs of a node in order."
    )


class Mps(Model):
    """What clients of one MPS daemon must have in common."""

    run_as_user: Positive = Field(
        default=1000, description="User id of the pods: an MPS daemon serves one user at a time, others wait."
    )


class Sharing(Model):
    """How GPUs are shared."""

    strategy: Strategy = Field(default="time-slicing", description="time-slicing, mps or mig.")
    rename_resource: Flag = Field(
        default=False, description="Advertise nvidia.com/gpu.shared, so that nobody takes a slice for a whole GPU."
    )
    fail_requests_greater_than_one: Flag = Field(
        default=True, description="Refuse a pod that asks for two slices: it would get no more than one."
    )
    mig: Mig | None = Field(default=None, description="MIG instances, for strategy mig: strategy, profiles or gpus.")
    mps: Mps = Field(default=Mps(), description="For strategy mps: runAsUser.")


class SharingOverride(Model):
    """Single fields of `sharing` that a pool replaces."""

    strategy: Strategy | None = Field(default=None, description="Replaces sharing.strategy for this pool.")
    rename_resource: Flag | None = Field(default=None, description="Replaces sharing.renameResource for this pool.")
    fail_requests_greater_than_one: Flag | None = Field(
        default=None, description="Replaces sharing.failRequestsGreaterThanOne for this pool."
    )
    mig: Mig | None = Field(default=None, description="Replaces all of sharing.mig for this pool.")
    mps: Mps | None = Field(default=None, description="Replaces all of sharing.mps for this pool.")
