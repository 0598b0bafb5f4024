"""The key `workloads`: sample workloads by their name in the catalogue."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ..workloads.catalogue import SAMPLES
from .base import Model, Positive, Text, refused
from .mistakes import did_you_mean
from .sharing import Profile


def _sample_name(value: str) -> str:
    if value not in SAMPLES:
        raise refused(f"there is no sample workload {value!r}", did_you_mean(value, SAMPLES))
    return value


SampleName = Annotated[Text, AfterValidator(_sample_name)]


class Workload(Model):
    """One sample workload: pods that take one slice each."""

    pool: Text = Field(description="GPU pool whose slices it takes.")
    tenant: Text = Field(description="Tenant in whose namespace it runs; the tenant's quota holds for it.")
    mig_profile: Profile | None = Field(
        default=None, description="MIG profile of which each pod takes an instance. Default: the pool's smallest slice."
    )
    pods: Positive | None = Field(default=None, description="Pods at once; without it the sample's own number.")
