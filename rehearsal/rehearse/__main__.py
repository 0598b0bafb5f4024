"""`python -m rehearsal.rehearse --stack NAME [--pods N] [--replicas N] [--without-overlays] [--keep]`."""

from __future__ import annotations

import sys

try:
    from rehearsal.rehearse.command import main

    sys.exit(main(sys.argv[1:]))
except KeyboardInterrupt:  # before or after the part that knows what it was doing
    print("stopped", file=sys.stderr)
    sys.exit(130)
