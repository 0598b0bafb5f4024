"""The account's state and CI identity: read the settings, build both, export what people type and workflows need."""

from __future__ import annotations

import sys
from pathlib import Path

# Pulumi runs this folder as a program: the packages that it is made of lie beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi

from backend.program import backend

backend(pulumi.export)
