"""The `monitoring` key: Prometheus, Grafana and NVIDIA's exporter; nothing of it unless it is switched on."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from ..naming import STORAGE_CLASS
from .base import DnsLabel, Flag, Memory, Model, Positive, Text, refused
from .mistakes import shown

#: Days of samples; more fit no volume that a stack of this size would want.
_MOST_DAYS: Final = 365


def _docs(value: str) -> str:
    if value != "docs" and not value.startswith(("https://", "http://")):
        raise refused(f"{shown(value)} is not an address", "write where your docs/ folder is read: https://…/docs")
    return value


class Storage(Model):
    """A volume for Prometheus's samples."""

    storage_class: DnsLabel = Field(
        default=STORAGE_CLASS,
        description="A StorageClass of the cluster; the default one comes with aws-ebs-csi-driver in cluster.optionalAddons.",
    )
    size_gib: Annotated[Positive, Field(ge=5)] = Field(default=50, alias="sizeGiB", description="Size in GiB.")


class Monitoring(Model):
    """Metrics of GPUs, slices and money, with dashboards and alerts."""

    enabled: Flag = Field(default=False, description="true installs it; nothing here counts without.")
    retention_days: Annotated[Positive, Field(le=_MOST_DAYS)] = Field(
        default=10, description="Days that samples are kept."
    )
    storage: Storage | None = Field(
        default=None,
        description="A volume {storageClass, sizeGiB}, {} for all defaults; without it samples go with Prometheus's pod.",
    )
    memory: Memory = Field(default="1Gi", description="Memory that Prometheus asks for; it may take twice as much.")
    idle_minutes: Annotated[Positive, Field(ge=5)] = Field(
        default=30, description="Minutes without a GPU pod after which a GPU node counts as idle."
    )
    alert_secret: DnsLabel | None = Field(
        default=None,
        description="Secret in namespace monitoring whose key alertmanager.yaml says who is told; you make it yourself.",
    )
    docs_url: Annotated[Text, AfterValidator(_docs)] = Field(
        default="docs", description="Address at which people read this repository's docs/: runbook links start with it."
    )
