"""The sample workloads as data: one entry per sample, images pinned exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["Deployment", "Job"]
CudaVersion = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample: every pod of it takes one slice.

    `cuda` is the CUDA version inside the image. `writable` are folders that the image writes to although they belong to
    root in it. Empty `command`: the image's own.
    """

    kind: Kind
    image: str
    cuda: CudaVersion
    #: Pods when the stack says no number.
    pods: int
    #: One line for the reader of a stack.
    shows: str
    #: The seed guide that it comes from.
    guide: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    writable: tuple[str, ...] = ()


#: nvidia-smi and its libraries come from the node; 12.9 is the newest CUDA that still knows V100 and already B300.
_CUDA_IMAGE: Final = "nvidia/cuda:12.9.1-base-ubuntu24.04"
#: Without it the first TensorFlow process takes the whole card and every other pod on it fails.
_GROW: Final = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}

SAMPLES: Final[Mapping[str, Sample]] = {
    "cifar10": Sample(
        kind="Deployment",
        image="public.ecr.aws/r5m2h0c9/cifar10_cnn:v2",
        # Its publisher states none: TensorFlow's GPU images of its year (2023) carry 11.8.
        cuda=(11, 8),
        pods=8,
        shows="image classifiers in training, several on each GPU",
        guide="003",
        # It downloads its data below HOME and saves the model beside its program.
        env={**_GROW, "HOME": "/tmp"},
        writable=("/app/saved_models",),
    ),
    "cuda": Sample(
        kind="Job",
        image=_CUDA_IMAGE,
        cuda=(12, 9),
        pods=1,
        shows="nvidia-smi, once: which GPU a pod sees",
        guide="001",
        command=("nvidia-smi",),
    ),
    "smoke": Sample(
        kind="Deployment",
        image=_CUDA_IMAGE,
        cuda=(12, 9),
        pods=3,
        shows="pods that hold a slice and do nothing: scheduling, quota, kubectl exec",
        guide="000",
        command=("sleep", "infinity"),
    ),
    "tensorflow": Sample(
        kind="Deployment",
        # The last one that finds its GPU: 2.18 to 2.21 ask for cuDNN 9, the images carry 8 (tensorflow/build#217, #221).
        image="tensorflow/tensorflow:2.17.0-gpu",
        cuda=(12, 3),
        pods=2,
        shows="TensorFlow to work in: kubectl exec, then python",
        guide="002",
        command=("sleep", "infinity"),
        env={**_GROW, "HOME": "/tmp"},
    ),
}
