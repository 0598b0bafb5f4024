"""`python -m engine`: provide the Pulumi CLI and print where it is."""

from __future__ import annotations

import sys

from engine.binary import NoEngine, provide, version


def main() -> int:
    """Exit code 0, 1 without an engine, 130 after Ctrl-C."""
    try:
        binary = provide()
    except NoEngine as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing half-built is left", file=sys.stderr)
        return 130
    print(f"pulumi {version(binary)} at {binary}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
