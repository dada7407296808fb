"""What the doctor finds."""

from dataclasses import asdict, dataclass
from typing import Any

OK, WARN, ERROR = "ok", "warn", "error"


@dataclass(frozen=True)
class Finding:
    """One check: its name, ok, warn or error, what was found, and what to do about it."""

    check: str
    status: str
    found: str
    hint: str = ""

    def row(self) -> dict[str, Any]:
        """Return it as a row of a table."""
        return asdict(self)
