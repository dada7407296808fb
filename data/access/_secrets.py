"""Secrets: taken from the environment where an address names them, and kept out of what is said."""

import contextlib
import hashlib
import logging
import os
import re
from collections.abc import Generator
from urllib.parse import quote, quote_plus

from data.address import VARIABLE
from data.errors import PullError

# Shorter values are no secrets, and to hide them would make holes in ordinary words; those that no
# address names are only guessed to be secrets.
MIN_LENGTH = 4
MIN_GUESSED_LENGTH = 8

_HIDDEN = "***"
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|SAS|CREDENTIAL")
_QUERY = re.compile(
    r"([?&;][^=&?\s]*(?:token|key|sig|secret|passw|pwd|credential|auth)[^=&?\s]*=)"
    r"[^&\s'\"<>]*[^&\s'\"<>.,:;)]",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_WEB_USER = re.compile(r"(https?://)[^/\s]+@", re.IGNORECASE)
# An @ alone may stand behind the container of an Azure store: only what has a password goes.
_USER = re.compile(r"(://)[^/@:\s]*:[^/\s]*@")
# Loggers of the clients tell addresses as they are asked for, secrets filled in.
_LOGGERS = (
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.proxy",
    "httpx",
    "urllib3.connectionpool",
)
# Value -> name of the variables that addresses of this process have named.
_FILLED: dict[str, str] = {}


def fill(text: str) -> str:
    """Put the values of environment variables where an address or a header names them.

    Raises
    ------
    PullError
        A variable is not set, or holds what no address and no header can.
    """
    return VARIABLE.sub(lambda match: _value(match[1]), text)


def hide(text: str) -> str:
    """Take secrets out of a message.

    They are: values that `fill` gave out, in plain and quoted; values of the environment whose names
    speak of a key, a token or a password; users and passwords of addresses; values of query keys such
    as token, key and signature; what follows Bearer and Basic.
    """
    for value, name in sorted(_known().items(), key=lambda item: -len(item[0])):
        for form in {value, quote(value), quote(value, safe=""), quote_plus(value)}:
            text = text.replace(form, name)
    text = _USER.sub(r"\1", _WEB_USER.sub(r"\1", text))
    text = _QUERY.sub(rf"\1{_HIDDEN}", text)
    return _SCHEME.sub(rf"\1 {_HIDDEN}", text)


def mark(text: str) -> str:
    """Write an address down so that it can be compared later; a secret in it only as a digest."""
    hidden = hide(text)
    if hidden == text:
        return text
    return f"{hidden} sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@contextlib.contextmanager
def without_secrets() -> Generator[None]:
    """Take secrets out of every PullError of the block; a cause that holds one is dropped."""
    try:
        yield
    except PullError as error:
        message, hint = hide(error.message), hide(error.hint)
        if message == error.message and hint == error.hint and not _is_telling(error):
            raise
        raise type(error)(message, hint) from None


def _value(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        message = (
            f"The variable {name} is not set, and the address or a header of the source needs it."
        )
        raise PullError(message, "Set it in the environment that Gridstead runs in.")
    if not value.isprintable() or not value.isascii():
        message = f"The variable {name} holds characters that no address and no header can."
        raise PullError(message, "Look for a line end at its end.")
    _FILLED[value] = name
    return value


def _known() -> dict[str, str]:
    guessed = {
        value: f"${{{name}}}"
        for name, value in os.environ.items()
        if _SECRET_NAME.search(name) and len(value) >= MIN_GUESSED_LENGTH
    }
    filled = {value: f"${{{name}}}" for value, name in _FILLED.items() if len(value) >= MIN_LENGTH}
    return guessed | filled


def _is_telling(error: BaseException) -> bool:
    """Whether what led to an error tells a secret; tracebacks in logs show the whole chain."""
    cause = error.__cause__ or error.__context__
    return cause is not None and (str(cause) != hide(str(cause)) or _is_telling(cause))


class _Hiding(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hide(record.getMessage()), ()
        return True


for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_Hiding())
