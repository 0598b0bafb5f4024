"""Rows of the table about complaints while slices work."""

from __future__ import annotations

from typing import Final

from .table import Cause, Check

MEMORY: Final = Check(
    name="memory",
    symptom="Pods that share a GPU crash or restart: CUDA out of memory, OOMKilled",
    looks_at="how containers of pods with slices ended",
    judged="none was OOMKilled and none restarts",
    causes=(
        Cause(
            name="gpu-memory-shared",
            text="time-slicing shares time, not memory: every pod may take the whole card, and the next allocation fails, "
            "whoever makes it",
            remedy="cap memory in the framework (TensorFlow: TF_FORCE_GPU_ALLOW_GROWTH=true and a logical device limit; "
            "PyTorch: torch.cuda.set_per_process_memory_fraction; vLLM: --gpu-memory-utilization), lower replicas, or "
            "use sharing that divides memory (MPS limits, MIG)",
        ),
        Cause(
            name="host-memory",
            text="the container went over its own memory limit on the node; the GPU has no part in it",
            remedy="raise resources.limits.memory of the pod",
        ),
    ),
)

ADMISSION: Final = Check(
    name="admission",
    symptom="Failed pods pile up: UnexpectedAdmissionError",
    looks_at="Failed pods with slices",
    judged="none failed at admission",
    causes=(
        Cause(
            name="more-than-one-slice",
            text="the pod asks for more than one slice, which failRequestsGreaterThanOne refuses; a Deployment makes a new "
            "pod each time, without end",
            remedy="ask for one slice: two slices of a GPU give no more than one; then kubectl delete pod {pod} -n {namespace}",
        ),
        Cause(
            name="plugin-restarted",
            text="the pod was bound while the plugin restarted and had no device to give; such a pod is not tried again",
            remedy="kubectl delete pod {pod} -n {namespace}; its controller makes another",
        ),
    ),
)

VISIBLE: Final = Check(
    name="visible-devices",
    symptom="A pod without a slice uses the GPU",
    looks_at="pods on GPU nodes that set NVIDIA_VISIBLE_DEVICES and ask for no GPU",
    judged="there is none",
    causes=(
        Cause(
            name="gpu-without-slice",
            text="the node's default runtime is nvidia: a container with NVIDIA_VISIBLE_DEVICES sees every GPU of the node, "
            "counted by nobody (CUDA images set it themselves, which the pod does not show)",
            remedy="ask for a slice, or set NVIDIA_VISIBLE_DEVICES=void in {pod}; the taint keeps other pods off",
        ),
    ),
)

BOTTLENECK: Final = Check(
    name="bottleneck",
    symptom="Performance issues: pods are slow, or slices stay free while pods wait",
    looks_at="CPU and memory requested on each node against what it has, beside its free slices",
    judged="where slices are free there is CPU and memory for a pod of the pool's podRequests",
    causes=(
        Cause(
            name="cpu-exhausted",
            text="the node's CPU is given away before its slices are: tokenizing, decoding and loading data are CPU work",
            remedy="choose a larger size, fewer replicas, or smaller CPU requests; set podRequests so that `plan` counts it",
        ),
        Cause(
            name="memory-exhausted",
            text="the node's memory is given away before its slices are",
            remedy="choose a larger size, fewer replicas, or smaller memory requests; set podRequests so that `plan` counts it",
        ),
    ),
)

NETWORK: Final = Check(
    name="network",
    symptom="Pods stay in ContainerCreating; network performance is poor",
    looks_at="warnings about pod sandboxes, addresses and image pulls",
    judged="there are none",
    causes=(
        Cause(
            name="no-addresses",
            text="the node's subnet or network interfaces have no address left for a pod",
            remedy="widen the subnets (network.cidr), or enable prefix delegation of the VPC CNI",
        ),
        Cause(
            name="sandbox",
            text="the container network on the node is not ready",
            remedy="kubectl get pods -n kube-system -l k8s-app=aws-node -o wide; kubectl logs of the one on {node}",
        ),
        Cause(
            name="image",
            text="an image cannot be pulled, or takes very long: CUDA images have 5 to 10 GB",
            remedy="kubectl describe pod {pod} -n {namespace}; raise diskThroughput, or set instanceStore for local NVMe",
        ),
    ),
)

DISK: Final = Check(
    name="pressure",
    symptom="Pods are evicted from a GPU node",
    looks_at="DiskPressure, MemoryPressure and PIDPressure of pool nodes",
    judged="none is True",
    causes=(
        Cause(
            name="disk-full",
            text="images and container layers fill the node's disk",
            remedy="raise diskGiB of the pool {pool}",
        ),
        Cause(
            name="memory-short",
            text="the node runs out of memory: pods use more than they request",
            remedy="set memory limits on the pods of {node}",
        ),
    ),
)

SPOT: Final = Check(
    name="spot",
    symptom="Nodes go away, and pods with them (spot termination)",
    looks_at="events about spot interruptions and disruption",
    judged="there are none in the cluster's event memory (one hour)",
    causes=(
        Cause(
            name="spot-interrupted",
            text="EC2 took spot capacity back, with two minutes' notice",
            remedy="add on-demand to the pool's capacity, or more families and sizes; give pods a short "
            "terminationGracePeriodSeconds and a PodDisruptionBudget",
        ),
    ),
)

IDLE: Final = Check(
    name="idle",
    symptom="The bill is higher than expected",
    looks_at="slices in use on each node",
    judged="every GPU node has a slice in use",
    causes=(
        Cause(
            name="idle-node",
            text="the node costs its full price and no slice of it is in use",
            remedy="a node group keeps `min` nodes whatever happens: use gpuNodePools, which go to zero; `status` shows $ now, "
            "and Cost Explorer by the tag gpu-slices:stack what was spent",
        ),
    ),
)

METRICS: Final = Check(
    name="metrics",
    symptom="GPU metrics name one pod only, or none, of those that share a GPU",
    looks_at="environment of the DCGM exporter",
    judged="KUBERNETES_VIRTUAL_GPUS is true where it runs",
    causes=(
        Cause(
            name="no-virtual-gpus",
            text="without KUBERNETES_VIRTUAL_GPUS=true the exporter gives a shared GPU's series to one of its pods; with it "
            "each gets one, all with the whole GPU's values",
            remedy="`monitoring.enabled: true` sets it; on an exporter of your own set the variable yourself "
            "(dcgmExporter.env under the operator, extraEnv in its own chart)",
        ),
    ),
)

VERSION: Final = Check(
    name="plugin-version",
    symptom="The plugin of a certain version fails: mounts of MOFED or GDRCopy, `argument list too long`",
    looks_at="tag of the device plugin's image",
    judged="it is at least 0.18.0 and not one of 0.19.0 to 0.19.2",
    causes=(
        Cause(
            name="avoid-version",
            text="0.19.0 to 0.19.2 switched GDRCopy and MOFED on by default; before 0.18.0 duplicate ids of thousands of "
            "slices outgrow a container's arguments",
            remedy="run `pulumi up`: this program pins a version without either",
        ),
    ),
)
