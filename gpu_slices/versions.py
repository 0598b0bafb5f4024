"""Every pin that is not a Python package: one line, one fact. Python packages are pinned in requirements*.txt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_OCI: Final = "oci://"


@dataclass(frozen=True, kw_only=True)
class ChartPin:
    """One Helm chart: its name, repository (https:// or oci://) and exact version."""

    chart: str
    repo: str
    version: str

    @property
    def reference(self) -> str:
        """How Helm is told of the chart: its name, or its whole address in an OCI registry, which has no index."""
        return f"{self.repo}/{self.chart}" if self.repo.startswith(_OCI) else self.chart

    @property
    def repository(self) -> str | None:
        """The repository that Helm looks the name up in; None for a chart in an OCI registry."""
        return None if self.repo.startswith(_OCI) else self.repo


# renovate: datasource=helm depName=nvidia-device-plugin registryUrl=https://nvidia.github.io/k8s-device-plugin
DEVICE_PLUGIN: Final = ChartPin(
    chart="nvidia-device-plugin", repo="https://nvidia.github.io/k8s-device-plugin", version="0.20.0"
)
# renovate: datasource=helm depName=gpu-operator registryUrl=https://helm.ngc.nvidia.com/nvidia
GPU_OPERATOR: Final = ChartPin(chart="gpu-operator", repo="https://helm.ngc.nvidia.com/nvidia", version="v26.7.0")

# renovate: datasource=docker depName=public.ecr.aws/karpenter/karpenter
KARPENTER: Final = ChartPin(chart="karpenter", repo="oci://public.ecr.aws/karpenter", version="1.14.1")
# renovate: datasource=docker depName=public.ecr.aws/karpenter/karpenter-crd
KARPENTER_CRD: Final = ChartPin(chart="karpenter-crd", repo="oci://public.ecr.aws/karpenter", version="1.14.1")

# renovate: datasource=helm depName=kube-prometheus-stack registryUrl=https://prometheus-community.github.io/helm-charts
KUBE_PROMETHEUS_STACK: Final = ChartPin(
    chart="kube-prometheus-stack", repo="https://prometheus-community.github.io/helm-charts", version="88.5.3"
)
#: The Prometheus that this chart installs; tests of rules run on the same (tools/promtool, whose module counts 0.314.0).
PROMETHEUS: Final = "3.14.0"
# renovate: datasource=helm depName=dcgm-exporter registryUrl=https://nvidia.github.io/dcgm-exporter/helm-charts
DCGM_EXPORTER: Final = ChartPin(
    chart="dcgm-exporter", repo="https://nvidia.github.io/dcgm-exporter/helm-charts", version="4.8.2"
)

#: Kubernetes minors that EKS offers and that the pinned parts support.
KUBERNETES_VERSIONS: Final = ("1.32", "1.33", "1.34", "1.35", "1.36")
DEFAULT_KUBERNETES: Final = "1.35"

#: AL2023 with NVIDIA's driver and container toolkit; managed node groups name the family, EKS picks the release.
GPU_AMI_TYPE: Final = "AL2023_x86_64_NVIDIA"
SYSTEM_AMI_TYPE: Final = "AL2023_x86_64_STANDARD"
#: What Karpenter launches: AL2023, standard and accelerated alike (driver 580, Kubernetes up to 1.36).
AMI_ALIAS: Final = "al2023@v20260714"

# renovate: datasource=docker depName=vllm/vllm-openai
VLLM_IMAGE: Final = "vllm/vllm-openai:v0.33.0"
#: TGI's last release: upstream is archived (2026-03-21), so this pin has no successor.
TGI_IMAGE: Final = "ghcr.io/huggingface/text-generation-inference:3.3.7"
# renovate: datasource=docker depName=public.ecr.aws/docker/library/python
PYTHON_IMAGE: Final = "public.ecr.aws/docker/library/python:3.12.11-slim"
