"""How old data are: the age of what a source describes, and since when nobody has run its address."""

import re
from datetime import date

from data.catalogue import Source, load_catalogue
from data.errors import GridsteadError
from data.network_case import catalogue_of, load_with_case

# A year, a month or a day; or the end of years from and to.
_DATED = re.compile(r"(\d{4})(?:-(?P<month>\d{2})(?:-\d{2})?)?")
_YEARS = re.compile(r"\d{4}-(\d{4})(?P<month>)")


def known_sources(study: str) -> dict[str, Source]:
    """Give the sources of the catalogue that a study uses; our own where the study cannot be read any more."""
    try:
        catalogue = catalogue_of(load_with_case(study))[0]
    except (GridsteadError, OSError):
        # A study of the user's that lies elsewhere: our own sources are known all the same.
        catalogue = load_catalogue()
    return {source.id: source for source in catalogue.sources}


def data_age(as_of: str, today: date) -> str:
    """Say how old data were on a day.

    Parameters
    ----------
    as_of
        What their source says they describe: a year, a month, a day, years from and to, or any words.
    today
        The day that is asked about.

    Returns
    -------
    str
        Months up to two years, then years; as exact as the source is. Empty where its words name no date.
    """
    found = _YEARS.fullmatch(as_of.strip()) or _DATED.fullmatch(as_of.strip())
    if found is None:
        return ""
    year, month = int(found[1]), found["month"]
    if month:
        months = (today.year - year) * 12 + today.month - int(month)
        if months < 24:
            return "this month" if months <= 0 else _counted(months, "month")
        return _counted(months // 12, "year")
    return "this year" if today.year <= year else f"about {_counted(today.year - year, 'year')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
