"""The questions the stand-in answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.account import ACCOUNT_ID, Item
from rehearsal.aws.account_services import DETECTOR, FEATURE, HUB
from rehearsal.aws.cluster import ADDON, CLUSTER
from rehearsal.aws.identity import OIDC
from rehearsal.aws.network import SUBNET
from rehearsal.stand_in import Refused


@dataclass(frozen=True)
class Place:
    """Where the question is asked, and what exists there: `all` gives everything of a type."""

    region: str
    all: Callable[[str], Sequence[Item]]

    def named(self, type_: str, **values: str) -> Mapping[str, Any] | None:
        """The one thing of a type with these values; None where there is none."""
        found = (item.data for item in self.all(type_))
        return next((one for one in found if all(one.get(key) == value for key, value in values.items())), None)


Arguments = Mapping[str, Any]


def _partition(_arguments: Arguments, _place: Place) -> Mapping[str, Any]:
    words = {"partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}
    return {"id": "aws", **words}


def _caller(_arguments: Arguments, _place: Place) -> Mapping[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT_ID}:user/rehearsal"
    return {"id": ACCOUNT_ID, "accountId": ACCOUNT_ID, "arn": arn, "userId": "AIDAREHEARSAL000000"}


def _region(arguments: Arguments, place: Place) -> Mapping[str, Any]:
    region = arguments.get("region") or place.region
    description, endpoint = f"stand-in for {region}", f"ec2.{region}.amazonaws.com"
    return {"id": region, "name": region, "region": region, "description": description, "endpoint": endpoint}


def _zones(_arguments: Arguments, place: Place) -> Mapping[str, Any]:
    """Three zones, a to c, all open."""
    names = [f"{place.region}{letter}" for letter in "abc"]
    area, town, number = place.region.split("-")
    prefix = f"{area[:2]}{town[0]}{number}"
    zone_ids = [f"{prefix}-az{number}" for number in range(1, len(names) + 1)]
    return {
        "id": place.region,
        "names": names,
        "zoneIds": zone_ids,
        "groupNames": [place.region],
        "region": place.region,
    }


def _service(arguments: Arguments, place: Place) -> Mapping[str, Any]:
    service = arguments["serviceName"]
    region = arguments.get("region") or place.region
    name = f"{service}.amazonaws.com"
    return {
        "id": f"{service}.{region}",
        "name": name,
        "serviceName": service,
        "suffix": "amazonaws.com",
        "region": region,
    }


def _detector(_arguments: Arguments, place: Place) -> Mapping[str, Any]:
    detectors = place.all(DETECTOR)
    if not detectors:
        raise Refused("reading GuardDuty Detector: empty result")
    (detector,) = detectors
    features = [dict(feature) for feature in detector.data.get("features") or ()]
    features += [
        {
            "name": item.data["name"],
            "status": item.data["status"],
            "additionalConfigurations": item.data.get("additionalConfigurations") or [],
        }
        for item in place.all(FEATURE)
        if item.data["detectorId"] == detector.id
    ]
    return {
        "id": detector.id,
        "arn": detector.data["arn"],
        "features": features,
        "findingPublishingFrequency": detector.data.get("findingPublishingFrequency", "SIX_HOURS"),
        "region": place.region,
        "serviceRoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/aws-service-role/guardduty.amazonaws.com/"
        "AWSServiceRoleForAmazonGuardDuty",
        "status": "ENABLED" if detector.data.get("enable", True) else "DISABLED",
        "tags": detector.data.get("tagsAll", {}),
    }


def _standards(_arguments: Arguments, place: Place) -> Mapping[str, Any]:
    if not place.all(HUB):
        raise Refused(f"InvalidAccessException: Account {ACCOUNT_ID} is not subscribed to AWS Security Hub")
    return {"id": place.region, "region": place.region, "standardsSubscriptions": []}


def _identity_provider(arguments: Arguments, place: Place) -> Mapping[str, Any]:
    url = arguments["url"]
    for item in place.all(OIDC):
        if item.data["url"] == url:
            shown = {name: item.data.get(name) or [] for name in ("clientIdLists", "thumbprintLists")}
            return {"id": item.id, "arn": item.id, "url": url, "tags": item.data.get("tagsAll", {}), **shown}
    raise Refused(f"finding IAM OIDC Provider by url ({url}): not found")


def _cluster(arguments: Arguments, place: Place) -> Mapping[str, Any]:
    """As the data source shows a cluster: blocks are lists, and what EKS fills in is there."""
    name = arguments["name"]
    found = place.named(CLUSTER, name=name)
    if found is None:
        raise Refused(f"reading EKS Cluster ({name}): couldn't find resource")
    compute = found.get("computeConfig") or {"enabled": False}
    return {
        "id": name,
        **{
            key: found.get(key)
            for key in ("name", "arn", "status", "version", "endpoint", "roleArn", "platformVersion")
        },
        "region": place.region,
        "certificateAuthorities": [found["certificateAuthority"]],
        "accessConfigs": [found.get("accessConfig") or {"authenticationMode": "CONFIG_MAP"}],
        "computeConfigs": [compute],
        "vpcConfig": found["vpcConfig"],
        "tags": found.get("tags") or {},
    }


def _addon(arguments: Arguments, place: Place) -> Mapping[str, Any]:
    cluster, name = arguments["clusterName"], arguments["addonName"]
    found = place.named(ADDON, clusterName=cluster, addonName=name)
    if found is None:
        raise Refused(f"reading EKS Add-On ({cluster}:{name}): couldn't find resource")
    shown = ("clusterName", "addonName", "addonVersion", "arn")
    return {"id": f"{cluster}:{name}", "region": place.region, **{key: found.get(key) for key in shown}}


def _subnets(arguments: Arguments, place: Place) -> Mapping[str, Any]:
    """By VPC only: another filter is refused rather than left out of account."""
    wanted: set[str] = set()
    for one in arguments.get("filters") or ():
        if one["name"] != "vpc-id":
            raise Refused(f"the aws stand-in filters subnets by vpc-id, not by {one['name']}")
        wanted |= set(one["values"])
    ids = sorted(item.id for item in place.all(SUBNET) if item.data["vpcId"] in wanted)
    return {"id": place.region, "ids": ids, "region": place.region, "filters": arguments.get("filters")}


INVOKES: dict[str, Callable[[Arguments, Place], Mapping[str, Any]]] = {
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:index/getServicePrincipal:getServicePrincipal": _service,
    "aws:eks/getCluster:getCluster": _cluster,
    "aws:eks/getAddon:getAddon": _addon,
    "aws:ec2/getSubnets:getSubnets": _subnets,
    "aws:guardduty/getDetector:getDetector": _detector,
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": _identity_provider,
    "aws:securityhub/getEnabledStandards:getEnabledStandards": _standards,
}
