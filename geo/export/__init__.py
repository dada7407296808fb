"""Writers for mapping tools."""

from geo.export._files import replacing
from geo.export.formats import FORMATS, Writer, find_format
from geo.export.model import ExportLayer, ExportNote

__all__ = ["FORMATS", "ExportLayer", "ExportNote", "Writer", "find_format", "replacing"]
