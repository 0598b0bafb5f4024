"""The stack: read its settings, build the platform, export what people need."""

import gc

# The SDKs' thousands of classes stay until the end: looking for garbage among them took a quarter of every run.
gc.set_threshold(50_000, 50, 1000)

import pulumi  # noqa: E402

from components.config import load_plan  # noqa: E402
from components.gpu_platform import GpuPlatform, GpuPlatformArgs  # noqa: E402

plan = load_plan()
platform = GpuPlatform("platform", GpuPlatformArgs(plan=plan))

pulumi.export("clusterName", platform.cluster_name)
pulumi.export("kubeconfig", platform.kubeconfig)
pulumi.export("pools", platform.pools)
pulumi.export("tenants", platform.tenants)
