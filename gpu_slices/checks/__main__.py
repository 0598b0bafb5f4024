"""`python -m gpu_slices.checks` prints docs/troubleshooting.md."""

from __future__ import annotations

import sys

from ..report.troubleshooting import troubleshooting_page
from . import preflight
from .rules import rows

sys.stdout.write(troubleshooting_page(rows(), preflight.rows()))
