"""What tests of exports share: a note, names that strangers might give, and the digest of a file."""

import datetime as dt
import hashlib

from geo.export import ExportNote

# Each test adds what its own format could stumble over.
HOSTILE = [
    'O\'Brien "& Sons"',
    "<script>alert(1)</script>",
    "🚀 東京",
    "مقاطعة \u202eevil",
    "a|b;c,d\ne",
]
NOTE = ExportNote(
    run_id="r1",
    run_date=dt.date(2026, 1, 2),
    study="open-conus",
    is_synthetic=True,
    attributions=["A & <B>", "=Ünï"],
    licences=["grid: MIT"],
    excluded=["Backbones (not stated)"],
    tool_version="0.1.0",
)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
