"""What runs with what: image releases, the newest versions known, and known breaks, as data with sources.

What is pinned stands in versions.py; what a GPU needs of a driver, in the catalogue.
"""

from __future__ import annotations

from .breaks import Applied, Break, applied, breaks
from .parts import Parts, image_parts, newest, stack_parts

__all__ = ["Applied", "Break", "Parts", "applied", "breaks", "image_parts", "newest", "stack_parts"]
