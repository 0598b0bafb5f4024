"""What EC2 sells with NVIDIA GPUs: instance types, GPUs, prices. Data in the two JSON files beside this module."""

from __future__ import annotations

from .load import load
from .types import Catalogue, Gpu, InstanceType

__all__ = ["Catalogue", "Gpu", "InstanceType", "load"]
