"""How an artefact is reached: the access kinds of a catalogue entry.

Addresses and headers may hold `${NAME}`, which stands for an environment variable: a catalogue is
passed on, so that it holds no secret itself.
"""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

MAX_BYTES = 2 * 1024**3
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Headers that carry a secret by their name: Authorization, Cookie, X-Api-Key, X-Auth-Token and the like.
_SECRET_HEADER = re.compile(
    r"auth|cookie|key|token|secret|passw|signature|credential", re.IGNORECASE
)
# Those of the download itself: a resumed or conditional request sets them.
_OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "range", "transfer-encoding"}
)


def _without_password(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError as error:
        message = f"is no address: {error}"
        raise ValueError(message) from None
    # A container of Azure stands before an @ as well, but nothing of it is a password.
    user, at, _ = parts.netloc.rpartition("@")
    if at and (":" in VARIABLE.sub("", user) or parts.scheme in {"http", "https"}):
        message = "an address must not hold a user or a password; use a header with ${NAME}"
        raise ValueError(message)
    return value


Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Url = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s]+$"), AfterValidator(_without_password)
]
# Objects have no query: it is how some clients take passwords.
ObjectUri = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9+.-]*://[^\s?#]+$"),
    AfterValidator(_without_password),
]
# Keys and values of OpenStreetMap tags that are asked for: none of them needs a quote.
OsmKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:.-]+$")]
OsmValue = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:.; -]+$")]


class Strict(BaseModel):
    """A model that knows its keys and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PackageAccess(Strict):
    """A wheel, downloaded with the user's own pip configuration; never installed or imported."""

    kind: Literal["package"]
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9][A-Za-z0-9.+!_-]*$")]


class HttpAccess(Strict):
    """One file behind one URL."""

    kind: Literal["http"]
    url: Url
    filename: Text | None = Field(
        default=None, description="Name of the file when the URL does not end in one."
    )
    headers: dict[str, Text] = Field(
        default_factory=dict,
        description="Headers to send; ${NAME} in a value stands for an environment variable.",
    )
    max_bytes: Annotated[int, Field(gt=0)] = MAX_BYTES

    @field_validator("filename")
    @classmethod
    def _filename_is_a_name(cls, value: str | None) -> str | None:
        if value is not None and (value in {".", ".."} or "/" in value or "\\" in value):
            message = f"filename {value!r} is a path"
            raise ValueError(message)
        return value

    @field_validator("headers")
    @classmethod
    def _headers_hold_no_secret(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not _HEADER_NAME.fullmatch(name) or not text.isprintable() or not text.isascii():
                message = f"header {name!r} is no header"
                raise ValueError(message)
            if name.lower() in _OWN_HEADERS or name.lower().startswith("if-"):
                message = f"header {name!r} is set by the download itself"
                raise ValueError(message)
            if _SECRET_HEADER.search(name) and not VARIABLE.search(text):
                message = f"header {name!r} must take its secret from a variable: ${{NAME}}"
                raise ValueError(message)
        return value


class ArcgisAccess(Strict):
    """One layer of an ArcGIS FeatureServer or MapServer, paged by object id."""

    kind: Literal["arcgis"]
    url: Url = Field(description="URL of the layer, without /query.")
    where: Text = "1=1"
    fields: Text = "*"
    page_size: Annotated[int, Field(gt=0)] | None = Field(
        default=None, description="Features per request; null takes the server's own maximum."
    )
    max_bytes: Annotated[int, Field(gt=0)] = MAX_BYTES


class OverpassAccess(Strict):
    """OpenStreetMap features of some tags in a box, asked of an Overpass API."""

    kind: Literal["overpass"]
    tags: dict[OsmKey, Literal[True] | OsmValue | list[OsmValue]] = Field(
        min_length=1,
        description="Key -> value, list of values, or true for any; a feature with one of them is taken.",
    )
    # A box is all it takes: what stands beyond the border counts for distances, so that the box is
    # drawn wider than the area anyway, and a place name would need a second service.
    bbox: Annotated[list[float], Field(min_length=4, max_length=4)] = Field(
        description="West, south, east and north in degrees; features that touch it come whole."
    )
    url: Url = Field(
        default="https://overpass-api.de/api", description="URL of the API, without /interpreter."
    )
    max_bytes: Annotated[int, Field(gt=0)] = MAX_BYTES

    @field_validator("bbox")
    @classmethod
    def _bbox_is_a_box(cls, value: list[float]) -> list[float]:
        west, south, east, north = value
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            message = f"{value} is no box of west, south, east and north in degrees"
            raise ValueError(message)
        return value


class ObjectAccess(Strict):
    """One object of a store (S3, Google Cloud, Azure), or several Parquet objects joined to one file."""

    kind: Literal["object"]
    uri: ObjectUri = Field(
        description="Address such as s3://bucket/path/file.parquet; * in its name takes several."
    )
    endpoint: Url | None = Field(
        default=None, description="URL of a store that speaks S3 but is not Amazon's."
    )
    region: Text | None = None
    anonymous: bool = Field(
        default=False, description="Ask without credentials; else they come from the environment."
    )
    max_bytes: Annotated[int, Field(gt=0)] = MAX_BYTES

    @field_validator("uri")
    @classmethod
    def _uri_names_an_object(cls, value: str) -> str:
        if value.startswith(("http://", "https://")):
            message = "an address of the web is of kind http"
            raise ValueError(message)
        bucket, _, key = value.partition("://")[2].partition("/")
        if "*" in bucket or "*" in key.rpartition("/")[0] or "[" in value:
            message = "only the last part of a uri may hold *"
            raise ValueError(message)
        if key.endswith("/") or not key or ".." in key.split("/"):
            message = "uri must end in the name of an object, or in a name with *"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _endpoint_is_of_s3(self) -> Self:
        if not self.uri.startswith("s3://") and (self.endpoint or self.region):
            message = "endpoint and region are of s3:// alone"
            raise ValueError(message)
        return self


class FileAccess(Strict):
    """A file on disk; a relative path is looked up in the mirror folder."""

    kind: Literal["file"]
    path: Text


NetworkAccess = PackageAccess | HttpAccess | ArcgisAccess | OverpassAccess | ObjectAccess
Access = Annotated[
    NetworkAccess | FileAccess,
    Field(discriminator="kind"),
]
