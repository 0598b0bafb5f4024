"""`python -m gpu_slices COMMAND`."""

from __future__ import annotations

import sys

from .cli.main import main

sys.exit(main(sys.argv[1:]))
