"""Object storage that speaks S3: HEAD, GET with Range, ListObjectsV2, and its ways to refuse.

A signature is looked for, not checked: the key that signs must be a known one.
"""

import email.utils
import hashlib
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from tests.upstream.server import Answer, Request, Response

MODIFIED_AT = 1_700_000_000
XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"


class ObjectStore:
    """Buckets of objects; `objects["bucket/path/file.parquet"]` holds the bytes of one.

    Parameters
    ----------
    objects
        Bytes by bucket and key; changing the mapping changes what is served.
    keys
        Access keys that may read; none of them lets everybody in.
    page
        Most keys that one listing tells.
    """

    def __init__(
        self,
        objects: Mapping[str, bytes],
        *,
        keys: frozenset[str] = frozenset(),
        page: int = 1000,
    ) -> None:
        self.objects = dict(objects)
        self.keys = keys
        self.page = page
        self.modified_at: dict[str, int] = {}

    def routes(self) -> dict[str, Answer]:
        """Answer for the whole server, wherever no other route does."""
        return {"/*": self.answer}

    def answer(self, request: Request) -> Response:
        """Answer a request for `/bucket` or `/bucket/key`."""
        bucket, _, key = unquote(request.path).lstrip("/").partition("/")
        refusal = self._refusal(request, bucket)
        if refusal:
            return refusal
        if key:
            return self._object(request, f"{bucket}/{key}")
        if "location" in request.query:
            return _xml(f'<LocationConstraint xmlns="{XMLNS}"/>')
        if request.method == "HEAD":
            return Response(headers={"x-amz-bucket-region": "us-east-1"})
        return self._listing(request, bucket)

    def etag(self, name: str) -> str:
        """Return the tag of an object: it changes with the bytes."""
        return f'"{hashlib.md5(self.objects[name], usedforsecurity=False).hexdigest()}"'

    def _refusal(self, request: Request, bucket: str) -> Response | None:
        signed = re.search(r"Credential=([^/,]+)/", request.headers.get("authorization", ""))
        if signed and self.keys and signed[1] not in self.keys:
            return error(403, "InvalidAccessKeyId", "The access key does not exist.")
        if self.keys and not signed:
            return error(403, "AccessDenied", "Access Denied")
        if not any(name.startswith(f"{bucket}/") for name in self.objects):
            return error(404, "NoSuchBucket", "The specified bucket does not exist")
        return None

    def _object(self, request: Request, name: str) -> Response:
        body = self.objects.get(name)
        if body is None:
            return error(404, "NoSuchKey", "The specified key does not exist.")
        modified_at = self.modified_at.get(name, MODIFIED_AT)
        headers = {
            "ETag": self.etag(name),
            "Last-Modified": email.utils.formatdate(modified_at, usegmt=True),
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        asked = request.headers
        if asked.get("if-match") not in {None, headers["ETag"]}:
            return error(412, "PreconditionFailed", "At least one precondition did not hold")
        if asked.get("if-none-match") == headers["ETag"]:
            return Response(status=304, headers=headers)
        span = re.fullmatch(r"bytes=(\d*)-(\d*)", asked.get("range", ""))
        if not span or request.method == "HEAD":
            return Response(body, headers=headers)
        return _slice(body, span[1], span[2], headers)

    def _listing(self, request: Request, bucket: str) -> Response:
        query = request.query
        is_encoded = query.get("encoding-type") == "url"
        word = quote if is_encoded else escape
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = max(query.get("continuation-token", ""), query.get("start-after", ""))
        most = min(int(query.get("max-keys", self.page)), self.page)
        names: dict[str, bool] = {}
        for name in sorted(self.objects):
            key = name.removeprefix(f"{bucket}/")
            if key == name or not key.startswith(prefix):
                continue
            folder, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", 0)
            # What lies below a delimiter is told as one common prefix.
            names[prefix + folder + delimiter if found else key] = bool(found)
        left = [name for name in names if name > after]
        told = left[:most]
        rows = [
            f"<CommonPrefixes><Prefix>{word(name)}</Prefix></CommonPrefixes>"
            if names[name]
            else self._row(bucket, name, word(name))
            for name in told
        ]
        is_cut = len(left) > most
        last = escape(told[-1]) if told else ""
        token = f"<NextContinuationToken>{last}</NextContinuationToken>"
        return _xml(
            f'<ListBucketResult xmlns="{XMLNS}"><Name>{escape(bucket)}</Name>'
            f"<Prefix>{word(prefix)}</Prefix><Delimiter>{word(delimiter)}</Delimiter>"
            f"<KeyCount>{len(told)}</KeyCount><MaxKeys>{most}</MaxKeys>"
            f"{'<EncodingType>url</EncodingType>' if is_encoded else ''}<IsTruncated>{str(is_cut).lower()}</IsTruncated>"
            f"{token if is_cut else ''}{''.join(rows)}</ListBucketResult>"
        )

    def _row(self, bucket: str, key: str, told: str) -> str:
        name = f"{bucket}/{key}"
        stamp = email.utils.formatdate(self.modified_at.get(name, MODIFIED_AT), usegmt=True)
        at = email.utils.parsedate_to_datetime(stamp).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return (
            f"<Contents><Key>{told}</Key><LastModified>{at}</LastModified>"
            f"<ETag>{escape(self.etag(name))}</ETag><Size>{len(self.objects[name])}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )


def error(status: int, code: str, message: str) -> Response:
    """Answer as S3 refuses."""
    return _xml(f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", status)


def _slice(body: bytes, first: str, last: str, headers: dict[str, str]) -> Response:
    """Answer a range; without a beginning it is so many bytes from the end."""
    start = int(first) if first else max(0, len(body) - int(last))
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    if start >= len(body):
        return error(416, "InvalidRange", "The requested range is not satisfiable")
    span = {"Content-Range": f"bytes {start}-{end}/{len(body)}"}
    return Response(body[start : end + 1], 206, headers | span)


def _xml(content: str, status: int = 200) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>{content}'.encode()
    return Response(body, status, {"Content-Type": "application/xml"})
