"""How a source is fetched: one module an access kind."""

from typing import assert_never

from data.access._request import Fetched, Request
from data.access._retry import Retry
from data.access._secrets import mark, without_secrets
from data.access.arcgis import fetch_arcgis
from data.access.http import fetch_http
from data.access.object import fetch_object
from data.access.overpass import fetch_overpass
from data.access.package import fetch_package
from data.address import (
    ArcgisAccess,
    HttpAccess,
    NetworkAccess,
    ObjectAccess,
    OverpassAccess,
    PackageAccess,
)

__all__ = ["Fetched", "Request", "Retry", "fetch", "mark"]


def fetch(access: NetworkAccess, request: Request) -> Fetched | None:
    """Fetch over the network; None says that the last good copy is still current.

    Raises
    ------
    PullError
        The artefact cannot be had; no message holds a secret.
    """
    with without_secrets():
        return _fetch(access, request)


def _fetch(access: NetworkAccess, request: Request) -> Fetched | None:
    match access:
        case PackageAccess():
            return fetch_package(access, request)
        case HttpAccess():
            return fetch_http(access, request)
        case ArcgisAccess():
            return fetch_arcgis(access, request)
        case OverpassAccess():
            return fetch_overpass(access, request)
        case ObjectAccess():
            return fetch_object(access, request)
        case _:
            assert_never(access)
