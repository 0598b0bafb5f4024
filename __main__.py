"""The stack: read its settings, build the platform, export what people need."""

import pulumi

from components.config import load_plan
from components.gpu_platform import GpuPlatform, GpuPlatformArgs

plan = load_plan()
platform = GpuPlatform("platform", GpuPlatformArgs(plan=plan))

pulumi.export("clusterName", platform.cluster_name)
pulumi.export("kubeconfig", platform.kubeconfig)
pulumi.export("pools", platform.pools)
