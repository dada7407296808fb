"""Stores of objects: which client opens which address, and what its errors mean.

Credentials come from the environment, as each client of a store looks for them.
"""

import datetime as dt
import errno
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from data.access._retry import Retry, Transient
from data.access._secrets import fill
from data.address import ObjectAccess
from data.errors import PullError

CONNECT_S = 5.0
READ_S = 10.0
S3 = frozenset({"s3"})
GOOGLE = frozenset({"gs", "gcs"})
AZURE = frozenset({"abfs", "abfss"})
CHECK = "Check uri, endpoint and region of the catalogue entry."

# Of the disk that is written to, not of the store.
_OURS = frozenset({errno.EDQUOT, errno.EFBIG, errno.ENOSPC, errno.EROFS})
_REFUSED = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE|EXPIRED|INVALID_CLIENT_TOKEN|UNRECOGNIZED_CLIENT"
    r"|MISSING_AUTHENTICATION|HTTP status 40[13]|PERMISSION_DENIED|UNAUTHENTICATED|Forbidden|Unauthorized"
    r"|AuthenticationFailed|AuthorizationFailure|credential",
    re.IGNORECASE,
)
_NO_BUCKET = re.compile(
    r"NO_SUCH_BUCKET|ContainerNotFound|bucket [^:]*(not found|does not exist)", re.IGNORECASE
)
_GONE = re.compile(
    r"NO_SUCH_KEY|RESOURCE_NOT_FOUND|BlobNotFound|HTTP status 404|PRECONDITION", re.IGNORECASE
)
_TLS = re.compile(r"curlCode: (35|51|58|59|60|77|83)\b[^;]*(?:; Details: (?P<why>[^;]*))?")
_NETWORK = re.compile(
    r"NETWORK_CONNECTION|HTTP status 5\d\d|HTTP status 429|SLOW_DOWN|THROTTLING|SERVICE_UNAVAILABLE"
    r"|INTERNAL_FAILURE|XML_ERROR|HTTP status -1|REQUEST_TIME|UNAVAILABLE|DEADLINE|timed? ?out|curlCode|connect",
    re.IGNORECASE,
)


def open_store(access: ObjectAccess, uri: str, retry: Retry) -> tuple[fs.FileSystem, str]:
    """Open the store of an address; returns it with the path inside.

    Raises
    ------
    PullError
        The client of that store is not installed, or the environment lacks what it needs.
    """
    scheme, _, rest = uri.partition("://")
    if scheme in S3:
        return _open_s3(access, rest, retry), rest
    if scheme in GOOGLE:
        limit = dt.timedelta(seconds=2 * (retry.read_s or READ_S))
        return fs.GcsFileSystem(anonymous=access.anonymous, retry_time_limit=limit), rest
    if scheme in AZURE:
        return _open_azure(access, uri)
    if scheme == "file":
        return fs.LocalFileSystem(), rest
    return _open_other(scheme, uri)


@contextmanager
def told(
    access: ObjectAccess, retry: Retry, *, doing: str = "read", hint: str = CHECK
) -> Generator[None]:
    """Turn what the client of a store raises into one sentence, or into Transient.

    `doing` is what may not be done, and `hint` says what to check of the address.
    """
    try:
        yield
    except FileNotFoundError as error:
        message = "an object vanished between listing and reading"
        raise Transient(message) from error
    except (TimeoutError, ConnectionError) as error:
        raise Transient(_reason(error, retry)) from error
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno in _OURS:
            raise
        raise _meaning(access, error, retry, doing, hint) from error


def _meaning(
    access: ObjectAccess, error: Exception, retry: Retry, doing: str, check: str
) -> Exception:
    text = str(error)
    if tls := _TLS.search(text):
        message = f"{access.uri}: there is no safe connection (TLS): {tls['why'] or 'refused'}."
        return PullError(message, "Check the endpoint and the certificate that it shows.")
    if _NO_BUCKET.search(text):
        message = f"{access.uri} names a bucket that does not exist."
        return PullError(message, check)
    if _REFUSED.search(text) or isinstance(error, PermissionError):
        how = (
            "without credentials" if access.anonymous else "with the credentials of the environment"
        )
        message = f"{access.uri} may not be {doing} {how}."
        hint = "Give the store's own variables, such as AWS_ACCESS_KEY_ID, or set anonymous."
        return PullError(message, hint)
    if _GONE.search(text):
        return Transient("an object vanished between listing and reading")
    if _NETWORK.search(text):
        return Transient(_reason(error, retry))
    message = f"{access.uri} cannot be {doing}: {_first_line(error)}."
    return PullError(message, check)


def _reason(error: Exception, retry: Retry) -> str:
    text = _first_line(error)
    if "too slow" in text or "imeout" in text:
        return f"the store sent nothing for {retry.read_s or READ_S:g} s"
    if "SLOW_DOWN" in text or "THROTTLING" in text:
        # The client tells 429 and 503 with such a code by one name.
        return "the store asks to slow down (429 or 503)"
    if "XML_ERROR" in text:
        return "the store answered something that is no listing"
    if status := re.search(r"HTTP status \d+", text):
        return f"the store answered {status[0]}"
    details = re.search(r"Details: (.*)", text)
    return (details[1] if details else text).rstrip(".")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _open_s3(access: ObjectAccess, path: str, retry: Retry) -> fs.FileSystem:
    region = fill(access.region) if access.region else _region()
    if region is None and access.endpoint is None:
        region = fs.resolve_s3_region(path.partition("/")[0])
    return fs.S3FileSystem(
        anonymous=access.anonymous,
        region=region,
        endpoint_override=fill(access.endpoint) if access.endpoint else None,
        connect_timeout=retry.connect_s or CONNECT_S,
        # On Linux: so long may nothing arrive.
        request_timeout=retry.read_s or READ_S,
        # `Retry` repeats, with pauses that the tests can leave out.
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
    )


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None


def _open_azure(access: ObjectAccess, uri: str) -> tuple[fs.FileSystem, str]:
    """Open abfs://container@account.dfs.core.windows.net/path, or abfs://container/path."""
    parts = urlsplit(uri)
    container, at, host = parts.netloc.partition("@")
    account = host.partition(".")[0] if at else os.environ.get("AZURE_STORAGE_ACCOUNT", "")
    if not account:
        message = f"{access.uri} names no storage account."
        hint = "Write abfs://container@account.dfs.core.windows.net/path, or set AZURE_STORAGE_ACCOUNT."
        raise PullError(message, hint)
    path = f"{container}{parts.path}"
    if access.anonymous:
        address = f"abfs://{container}@{account}.dfs.core.windows.net/?credential_kind=anonymous"
        return fs.FileSystem.from_uri(address)[0], path
    key = os.environ.get("AZURE_STORAGE_KEY")
    token = None if key else os.environ.get("AZURE_STORAGE_SAS_TOKEN")
    return fs.AzureFileSystem(account, account_key=key, sas_token=token), path


def _open_other(scheme: str, uri: str) -> tuple[fs.FileSystem, str]:
    try:
        import fsspec
    except ImportError as error:
        message = f"Addresses of {scheme}:// need a client that is not installed."
        raise PullError(message, "Install it: pip install fsspec.") from error
    try:
        store, path = fsspec.url_to_fs(uri)
    except (ImportError, ValueError) as error:
        message = (
            f"Addresses of {scheme}:// need a client that is not installed: {_first_line(error)}."
        )
        raise PullError(message, "Install it with pip where Gridstead runs.") from error
    return fs.PyFileSystem(fs.FSSpecHandler(store)), path
