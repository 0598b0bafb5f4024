"""Rows of the table about nodes: the slices they show, their GPUs, whether they are there and take pods."""

from __future__ import annotations

from typing import Final

from .table import Cause, Check

SLICES: Final = Check(
    name="slices",
    symptom="I set replicas and still see 1 GPU, or the old number",
    looks_at="every pool node's allocatable GPU resources, its config label, the config it names, the plugin's pod there",
    judged="allocatable equals the plan's count for the instance type, under the plan's resource name and no other",
    causes=(
        Cause(
            name="plugin-not-restarted",
            text="the config has the new count, but the plugin on the node read it before: nothing reloads a config",
            remedy="kubectl rollout restart daemonset {plugin} {discovery} -n {namespace}; this program rolls them by a "
            "checksum or a new config map name, so look for who edited the config map by hand",
        ),
        Cause(
            name="config-label-missing",
            text="the node has no label nvidia.com/device-plugin.config, so it got the fallback config: whole GPUs",
            remedy="kubectl label node {node} nvidia.com/device-plugin.config={pool} now; then run `pulumi up`: the node "
            "group or NodePool sets it from the moment a node joins",
        ),
        Cause(
            name="no-default-config",
            text="the operator's plugin has no default config and the node no config label: it runs with an empty "
            "config, which shares nothing and reports no error",
            remedy="set devicePlugin.config.default in the operator's values (this program does: run `pulumi up`), or label "
            "the node: kubectl label node {node} nvidia.com/device-plugin.config={pool}",
        ),
        Cause(
            name="config-label-differs",
            text="the node's config label names another pool's config",
            remedy="kubectl label --overwrite node {node} nvidia.com/device-plugin.config={pool}",
        ),
        Cause(
            name="config-key-unknown",
            text="the node's label names a config that the plugin's config map does not have: its init container fails",
            remedy="run `pulumi up` so that config map and pools agree; a pool that was removed under the operator "
            "belongs in retiredPools for one update",
        ),
        Cause(
            name="plugin-not-tolerating",
            text="the node has a taint that the device plugin does not tolerate, so no plugin pod runs there",
            remedy="take the taint {taint} off, or give plugin, GPU feature discovery and the NFD worker a toleration for it",
        ),
        Cause(
            name="plugin-absent",
            text="no device plugin pod runs on the node",
            remedy="kubectl get pods -n {namespace} -o wide; kubectl describe daemonset {plugin} -n {namespace}: node "
            "affinity wants nvidia.com/gpu.present or feature.node.kubernetes.io/pci-10de.present",
        ),
        Cause(
            name="plugin-crashing",
            text="the device plugin's pod on the node does not run",
            remedy="kubectl logs -n {namespace} {pod} --all-containers; `could not load NVML library` means an AMI "
            "without NVIDIA's driver",
        ),
        Cause(
            name="config-differs",
            text="the config on the cluster is not the plan's: the stack file was edited and not applied, or somebody "
            "edited the config map",
            remedy="pulumi up (pulumi preview --diff shows the difference first)",
        ),
        Cause(
            name="mig-layout-differs",
            text="the node's label nvidia.com/mig.config names another MIG layout than the plan's",
            remedy="run `pulumi up`; under Karpenter the node drifts and is replaced within the pool's budgets",
        ),
        Cause(
            name="mig-not-partitioned",
            text="the MIG manager has not partitioned the node's GPUs: pending and rebooting pass, failed means that a pod "
            "holds an instance or that its map of layouts lacks this one",
            remedy="kubectl logs -n {namespace} -l app=nvidia-mig-manager; kubectl drain {node} --ignore-daemonsets, then "
            "kubectl uncordon {node}",
        ),
        Cause(
            name="resource-renamed",
            text="the node shows its slices under another resource name; kubelet keeps the old name at 0",
            remedy="ask for the name that the plan says; a change of renameResource needs a pool of another name",
        ),
        Cause(
            name="gpu-unhealthy",
            text="kubelet counts devices of the node as unhealthy: capacity is there, allocatable is not (Xid errors, "
            "a fallen GPU)",
            remedy="kubectl logs -n {namespace} {pod} | grep -i -e unhealthy -e xid; replace the node: kubectl delete node "
            "{node} under Karpenter, else end the instance",
        ),
        Cause(
            name="count-differs",
            text="the node shows another count and every part in between looks right",
            remedy="kubectl describe node {node}; kubectl logs -n {namespace} {pod} --all-containers",
        ),
    ),
)

GPU_MODEL: Final = Check(
    name="gpu-model",
    symptom="Slices have less memory than planned, or the GPU is another",
    looks_at="GPU feature discovery's labels nvidia.com/gpu.product and gpu.memory, and the node's instance type",
    judged="product and memory are the catalogue's for the instance type, and the pool has that type",
    causes=(
        Cause(
            name="gpu-differs",
            text="the node's GPU is not the one that the catalogue gives for its instance type",
            remedy="correct gpus.json or instances.json in gpu_slices/catalogue: memory and price per slice follow from it",
        ),
        Cause(
            name="type-not-in-pool",
            text="the node's instance type is not one of the pool's",
            remedy="run `pulumi up`; EKS and Karpenter replace nodes of an older definition when they next drift or expire",
        ),
        Cause(
            name="no-gpu-labels",
            text="GPU feature discovery has not labelled the node",
            remedy="kubectl get pods -n {namespace} -o wide: feature discovery and the NFD worker must run on {node}; the "
            "NFD worker's default toleration misses the taint nvidia.com/gpu=true",
        ),
    ),
)

NODES_READY: Final = Check(
    name="nodes-ready",
    symptom="A GPU node is missing or NotReady",
    looks_at="nodes of each pool and their Ready condition; a node group's `min`",
    judged="a node group has at least `min` nodes; every node of a pool is Ready and takes pods",
    causes=(
        Cause(
            name="too-few-nodes",
            text="the node group has fewer nodes than its minimum: quota 0 for GPU instances, no capacity in the zones, "
            "or nodes that could not join",
            remedy="python -m gpu_slices preflight --stack {stack} tells the quota; aws eks describe-nodegroup shows the "
            "group's health issues",
        ),
        Cause(
            name="nodes-unlabelled",
            text="fewer nodes carry the pool's labels than the stack file says are there: nodes that were there before "
            "the stack join a pool by them",
            remedy="kubectl label node {node} {labels}",
        ),
        Cause(
            name="not-ready",
            text="the kubelet of the node does not report, or reports trouble",
            remedy="kubectl describe node {node}; a full disk is the usual cause with large images: raise diskGiB",
        ),
        Cause(
            name="cordoned",
            text="the node is cordoned: it takes no new pods",
            remedy="kubectl uncordon {node}, unless it is on its way out",
        ),
    ),
)

TAINTS: Final = Check(
    name="taints",
    symptom="Pods do not schedule on the GPU node though it has free slices",
    looks_at="taints of pool nodes",
    judged="no taint but nvidia.com/gpu, which plugin, monitoring and workloads tolerate",
    causes=(
        Cause(
            name="foreign-taint",
            text="the node has a taint that this platform's workloads do not tolerate",
            remedy="kubectl taint node {node} {key}-, or add the toleration to every workload of the pool",
        ),
    ),
)
