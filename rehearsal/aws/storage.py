"""S3."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rehearsal.aws.table import AwsType, To, View, paths

BUCKET = "aws:s3/bucket:Bucket"

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_TO_BUCKET = {"bucket": To(BUCKET, blocks=False)}


def _bucket_name(inputs: Mapping[str, Any], view: View) -> str | None:
    """Names are one space for all accounts: a bucket that is another's is refused as one's own is."""
    name = inputs["bucket"]
    if not _NAME.fullmatch(name):
        return f"InvalidBucketName: The specified bucket is not valid: {name}"
    if any(other.get("bucket") == name for other in view.others(BUCKET)):
        return (
            f"BucketAlreadyExists: The requested bucket name {name} is not available. The bucket namespace is shared by "
            "all users of the system. Please select a different name and try again."
        )
    return None


def _versioned(inputs: Mapping[str, Any], _view: View) -> str | None:
    status = inputs["versioningConfiguration"].get("status")
    return None if status in ("Enabled", "Suspended", "Disabled") else f"MalformedXML: versioning can't be {status}"


def _policy(inputs: Mapping[str, Any], _view: View) -> str | None:
    try:
        document = json.loads(inputs["policy"])
    except ValueError:
        return "MalformedPolicy: Policies must be valid JSON and the first byte must be '{'"
    return None if document.get("Statement") else "MalformedPolicy: Missing required field Statement"


def _expiring(inputs: Mapping[str, Any], _view: View) -> str | None:
    ids = [rule.get("id") for rule in inputs.get("rules") or ()]
    return None if len(ids) == len(set(ids)) else "InvalidArgument: Rule ID must be unique"


def _of_bucket(*rules: Any) -> AwsType:
    """A part of a bucket's configuration, which S3 keeps with the bucket."""
    return AwsType(id="{bucket}", immutable=paths("bucket"), refers=_TO_BUCKET, rules=tuple(rules))


TYPES: dict[str, AwsType] = {
    BUCKET: AwsType(
        id="{bucket}",
        arn="arn:aws:s3:::{bucket}",
        named="bucket",
        prefix="bucketPrefix",
        immutable=paths("bucket", "bucketPrefix"),
        longest=63,
        outputs={"bucketDomainName": "{bucket}.s3.amazonaws.com", "hostedZoneId": "Z3BJ6K6RIION7M"},
        rules=(_bucket_name,),
        handles=("bucket",),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket(_expiring),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket(),
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket(_policy),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket(),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket(),
    "aws:s3/bucketVersioning:BucketVersioning": _of_bucket(_versioned),
}
