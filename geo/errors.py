"""Errors of the computation: one line each, over builtins."""


class GeoError(ValueError):
    """Base of the errors that `geo` raises about its inputs."""


class CrsError(GeoError):
    """A frame has no CRS, or not the one that the function states."""


class GeometryError(GeoError):
    """A geometry is missing, empty, of the wrong kind or outside the range of its CRS."""
