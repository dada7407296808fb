"""A store of objects on loopback that speaks S3 and asks for credentials: moto."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from data import place as places

POLICY = """{"Version": "2012-10-17",
 "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"""


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the environment that opens it."""

    name: str
    endpoint: str
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"s3://{self.name}/parts"

    def vanish(self) -> None:
        """Take the bucket away with all that it holds."""
        with self._client("s3") as client:
            while True:
                for page in client.get_paginator("list_objects_v2").paginate(Bucket=self.name):
                    for found in page.get("Contents", ()):
                        client.delete_object(Bucket=self.name, Key=found["Key"])
                try:
                    client.delete_bucket(Bucket=self.name)
                except client.exceptions.ClientError as error:
                    # Somebody wrote in between.
                    if error.response["Error"]["Code"] != "BucketNotEmpty":
                        raise
                else:
                    return

    def objects(self) -> list[str]:
        """Names of all objects."""
        with self._client("s3") as client:
            found = client.list_objects_v2(Bucket=self.name)
        return [each["Key"] for each in found.get("Contents", ())]

    def _client(self, service: str) -> closing[Any]:
        return client_of(service, self.endpoint, self.environment)


def client_of(service: str, endpoint: str, environment: dict[str, str]) -> closing[Any]:
    """Client whose connections are closed at the end of the block, not when garbage is collected."""
    return closing(
        boto3.client(
            service,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )
    )


@contextmanager
def bucket(name: str = "land") -> Iterator[Bucket]:
    """Serve a bucket; this process, and those that it starts, have the credentials for it."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        # What moto holds is one for all servers of a process.
        httpx.post(f"{endpoint}/moto-api/reset-auth", content=b"inf").raise_for_status()
        httpx.post(f"{endpoint}/moto-api/reset").raise_for_status()
        anybody = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
        with client_of("iam", endpoint, anybody) as user:
            user.create_user(UserName="runner")
            user.put_user_policy(UserName="runner", PolicyName="all", PolicyDocument=POLICY)
            key = user.create_access_key(UserName="runner")["AccessKey"]
        environment = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        with client_of("s3", endpoint, environment) as client:
            client.create_bucket(Bucket=name)
        # From here on every request has to be allowed.
        httpx.post(f"{endpoint}/moto-api/reset-auth", content=b"0").raise_for_status()
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in environment.items():
                patch.setenv(variable, value)
            patch.delenv("AWS_SESSION_TOKEN", raising=False)
            places._opened.cache_clear()
            yield Bucket(name, endpoint, environment)
    finally:
        server.stop()
        places._opened.cache_clear()
