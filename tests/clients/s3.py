"""What the clients of S3 have in common here: a key, and a bucket for each test."""

from __future__ import annotations

import itertools
from typing import Any

import boto3
from botocore.config import Config

from tests.clients.conftest import Served
from tests.doors.wired import OPEN, SECRET

REGION = "gov-secret-1"
_numbers = itertools.count()


def client(served: Served, floor: str = OPEN, ceiling: str = SECRET, **more: Any) -> Any:
    """boto3 with an endpoint and a key, and nothing else that a user would not say."""
    id, secret = served.region.key(floor, ceiling, client="boto3")
    return boto3.client(
        "s3",
        endpoint_url=served.url,
        region_name=REGION,
        aws_access_key_id=id,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}, proxies={}, read_timeout=30, **more),
    )


def new_bucket(s3: Any) -> str:
    name = f"client-bucket-{next(_numbers)}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def environment(served: Served, floor: str = OPEN, ceiling: str = "") -> dict[str, str]:
    """A key and a region as the tools of AWS find them."""
    id, secret = served.region.key(floor, ceiling or floor, client="boto3")
    return {"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": REGION}
