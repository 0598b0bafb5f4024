"""Rules between `monitoring` and what its parts need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ..naming import STORAGE_CLASS
from .mistakes import Mistake
from .model import Settings

Check = Callable[[Settings], Iterator[Mistake]]
_DRIVER: Final = "aws-ebs-csi-driver"


def _the_volume_has_a_driver(settings: Settings) -> Iterator[Mistake]:
    """A class of another name may be there already; ours comes with the add-on only."""
    storage = settings.monitoring.storage
    asked_for = settings.cluster.optional_addons
    if settings.monitoring.enabled and storage and storage.storage_class == STORAGE_CLASS and _DRIVER not in asked_for:
        yield Mistake(
            path="monitoring.storage.storageClass",
            problem=f"nothing brings the class {STORAGE_CLASS}: Prometheus would wait for its volume for ever",
            remedy=f"add {_DRIVER} to cluster.optionalAddons, or name a class that the cluster has",
        )


#: Check → keys that it interprets, as in checks.CHECKS.
MONITORING_CHECKS: Mapping[Check, tuple[str, ...]] = {
    _the_volume_has_a_driver: ("monitoring", "cluster"),
}
