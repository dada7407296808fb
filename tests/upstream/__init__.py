"""A local upstream for tests: the protocols of the sources on 127.0.0.1, and the ways in which they fail."""

from tests.upstream.arcgis import ArcgisLayer
from tests.upstream.local_server import Handler, LocalServer
from tests.upstream.packages import PackageIndex, make_wheel
from tests.upstream.s3 import ObjectStore
from tests.upstream.server import (
    Answer,
    Request,
    Response,
    Upstream,
    conditional,
    reply,
    running,
)

__all__ = [
    "Answer",
    "ArcgisLayer",
    "Handler",
    "LocalServer",
    "ObjectStore",
    "PackageIndex",
    "Request",
    "Response",
    "Upstream",
    "conditional",
    "make_wheel",
    "reply",
    "running",
]
