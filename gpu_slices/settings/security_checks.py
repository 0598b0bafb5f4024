"""Rules over `security`, and over what of `cluster` belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..images import KARPENTER_CONTROLLER, known_images
from ..versions import KARPENTER
from .adopted_cluster import AdoptedCluster
from .cluster import OPTIONAL_ADDON_NAMES
from .mistakes import Mistake, did_you_mean
from .model import REGION_KEY, Settings

Check = Callable[[Settings], Iterator[Mistake]]


def _break_glass_is_seen(settings: Settings) -> Iterator[Mistake]:
    role = settings.security.break_glass_role_arn
    if role is None:
        return
    if isinstance(settings.cluster, AdoptedCluster):
        yield Mistake(
            path="security.breakGlassRoleArn",
            problem="its alarm reads the audit log, which an adopted cluster keeps, or not, by its own settings",
            remedy="remove it; watch the role where the cluster is made",
        )
    elif "audit" not in settings.cluster.logs:
        yield Mistake(
            path="security.breakGlassRoleArn",
            problem="nobody would see the role being used: the audit log is off",
            remedy="add audit to cluster.logs",
        )
    for name, access in settings.cluster.access.items():
        if access.principal_arn == role:
            yield Mistake(
                path="security.breakGlassRoleArn",
                problem=f"is the role of cluster.access.{name} too, so it is no emergency's",
                remedy="name a role that nobody uses from day to day",
            )


def _disk_key_is_of_the_region(settings: Settings) -> Iterator[Mistake]:
    key = settings.security.disk_kms_key_arn
    if key is not None and key.split(":")[3] != settings.region:
        yield Mistake(
            path="security.diskKmsKeyArn",
            problem=f"the key is in {key.split(':')[3]}, disks of {settings.region} need one there",
            remedy=f"name a key of {settings.region}, or a multi-Region key's replica there",
        )


def _digests_are_of_known_images(settings: Settings) -> Iterator[Mistake]:
    known = known_images()
    for image in sorted(set(settings.security.digests) - set(known)):
        yield Mistake(
            path=f"security.digests.{image}",
            problem="the program runs no such image, with this very tag",
            remedy=did_you_mean(image, known),
        )
    if settings.karpenter.version != KARPENTER.version and KARPENTER_CONTROLLER in settings.security.digests:
        yield Mistake(
            path=f"security.digests.{KARPENTER_CONTROLLER}",
            problem=f"is of Karpenter {KARPENTER.version}, the stack runs {settings.karpenter.version}",
            remedy="remove it: each version of the chart carries its own controller's digest",
        )


def _optional_addons_are_chosen(settings: Settings) -> Iterator[Mistake]:
    for name in sorted(set(settings.cluster.addons) & set(OPTIONAL_ADDON_NAMES)):
        if name not in settings.cluster.optional_addons:
            yield Mistake(
                path=f"cluster.addons.{name}",
                problem="is the version of an add-on that the stack does not have",
                remedy=f"add {name} to cluster.optionalAddons, or remove the version",
            )


#: Check → keys that it interprets, as in checks.CHECKS.
SECURITY_CHECKS: Mapping[Check, tuple[str, ...]] = {
    _break_glass_is_seen: (),
    _disk_key_is_of_the_region: (REGION_KEY,),
    _digests_are_of_known_images: ("karpenter",),
    _optional_addons_are_chosen: (),
}
