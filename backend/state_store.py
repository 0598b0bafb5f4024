"""The bucket that holds states, and the key that encrypts them and their secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.component import Component
from gpu_slices.iam.state import bucket_policy_json, state_key_policy

from .plan import KEY_ALIAS, Place

#: The longest that KMS waits before it deletes a key: what it encrypted is lost then.
_KEY_WINDOW_DAYS: Final = 30
#: After so many days S3 drops the parts of uploads that were never finished.
_UPLOAD_DAYS: Final = 7


@dataclass(frozen=True, kw_only=True)
class StateStoreArgs:
    """`protect` makes a destroy refuse bucket and key; replaced states are kept for `keep_versions_days`."""

    bucket_name: str
    keep_versions_days: int
    protect: bool
    place: Place


class StateStore(Component):
    """Versioned, encrypted, private, TLS only. Pulumi locks a stack by a file of its own in the bucket."""

    bucket_arn: pulumi.Output[str]
    key_arn: pulumi.Output[str]
    bucket_name: pulumi.Output[str]

    def __init__(self, name: str, args: StateStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        key = self._key(name, args)
        bucket = aws.s3.Bucket(f"{name}-bucket", bucket=args.bucket_name, opts=self.child(protect=args.protect))
        versions = self._versions(name, bucket, args)
        self._encryption(name, bucket, key)
        self._privacy(name, bucket)
        # A name is exported once the bucket keeps what is put into it.
        self.bucket_name = pulumi.Output.all(bucket.bucket, versions.id).apply(lambda both: both[0])
        self.bucket_arn, self.key_arn = bucket.arn, key.arn
        self.register_outputs({"bucket_name": self.bucket_name, "key_arn": self.key_arn})

    def _key(self, name: str, args: StateStoreArgs) -> aws.kms.Key:
        policy = state_key_policy(partition=args.place.partition, account=args.place.account)
        key = aws.kms.Key(
            f"{name}-key",
            description="Pulumi state of gpu-slices, and the secrets in it",
            enable_key_rotation=True,
            deletion_window_in_days=_KEY_WINDOW_DAYS,
            policy=json.dumps(policy, sort_keys=True),
            opts=self.child(protect=args.protect),
        )
        aws.kms.Alias(f"{name}-key-alias", name=KEY_ALIAS, target_key_id=key.key_id, opts=self.child())
        return key

    def _versions(self, name: str, bucket: aws.s3.Bucket, args: StateStoreArgs) -> aws.s3.BucketVersioning:
        versions = aws.s3.BucketVersioning(
            f"{name}-versions",
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=self.child(),
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.bucket,
            rules=[
                {
                    "id": "replaced-states",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {"noncurrent_days": args.keep_versions_days},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": _UPLOAD_DAYS},
                }
            ],
            # Without versions S3 has none to expire.
            opts=self.child(depends_on=[versions]),
        )
        return versions

    def _encryption(self, name: str, bucket: aws.s3.Bucket, key: aws.kms.Key) -> None:
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": key.arn,
                    },
                    "bucket_key_enabled": True,
                }
            ],
            opts=self.child(),
        )

    def _privacy(self, name: str, bucket: aws.s3.Bucket) -> None:
        aws.s3.BucketOwnershipControls(
            f"{name}-owner", bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=self.child()
        )
        block = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child(),
        )
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.bucket,
            policy=bucket.arn.apply(bucket_policy_json),
            # S3 refuses two of these changes at once.
            opts=self.child(depends_on=[block]),
        )
