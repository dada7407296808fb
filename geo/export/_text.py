"""Words and numbers as readers see them."""

import re
from collections.abc import Iterable, Sequence
from typing import TypeGuard

import pandas as pd

from geo.export._cells import clean_text

UNKNOWN = "\N{EN DASH}"
# Overrides and isolates reorder what follows them, also in other cells of a plain-text view.
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def score_pattern(scores: Iterable[float | None]) -> str:
    """Give the number format for a set of scores: three decimals up to 1, one decimal above."""
    known = [abs(float(score)) for score in scores if is_known(score)]
    return "{:.3f}" if not known or max(known) <= 1 else "{:.1f}"


def number_text(value: float | None, pattern: str) -> str:
    """Format a number, unknown as a dash."""
    return pattern.format(float(value)) if is_known(value) else UNKNOWN


def in_order(text: str) -> str:
    """Give clean text without the characters that reorder what follows them."""
    return _BIDI.sub("", clean_text(text))


def is_known(value: float | None) -> TypeGuard[float]:
    """Whether a value is neither None, NaN nor NA."""
    return not bool(pd.isna(value))


def joined(parts: Sequence[str], separator: str = "; ") -> str:
    """Join what is not empty, each once, in the given order."""
    return separator.join(dict.fromkeys(part.strip() for part in parts if part.strip()))
