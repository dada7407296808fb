"""Objects of a store (S3, Google Cloud, Azure and what fsspec knows), as one file."""

from data.access._request import Fetched, Request
from data.address import ObjectAccess
from data.errors import PullError


def fetch_object(access: ObjectAccess, request: Request) -> Fetched | None:
    """Fetch one object, or join several Parquet objects; None says that the last copy is current."""
    message = f"{access.uri} cannot be read yet by source {request.source_id!r}."
    raise PullError(message)
