"""Notifications: a failed run, stale sources, failed checks and big movers, to whom the user names.

Off by default. `GRIDSTEAD_NOTIFY` holds addresses of apprise (json://, mailto://, slack://, ...) or names of
Prefect's notification blocks (`block:slack-webhook/ops`), apart by spaces. They hold secrets: none is
printed, logged or stored, nor is what a service says of it.
"""

import logging
import os
import socket
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from data import store
from flows.failing import failure_of
from flows.home import Home
from flows.progress import warn
from flows.reporting import rows_of
from flows.request import RunRequest

NOTIFY_VARIABLE = "GRIDSTEAD_NOTIFY"
BLOCK = "block:"
# Of what there may be many: the first are told, and how many there are.
FIRST = 10


@dataclass
class Notice:
    """What is sent: a subject and sentences."""

    subject: str
    lines: list[str] = field(default_factory=list)
    is_failure: bool = False


class _Told:
    """Whether somebody further out tells of a failure: the command line, around the flow."""

    is_watched: ClassVar[bool] = False


def addresses() -> list[str]:
    """Addresses that notifications go to; none when they are off."""
    return os.environ.get(NOTIFY_VARIABLE, "").split()


@contextmanager
def telling(request: RunRequest) -> Generator[None]:
    """Tell of a failure within the block, once, however many such blocks stand around each other."""
    if _Told.is_watched:
        yield
        return
    _Told.is_watched = True
    try:
        yield
    except BaseException as error:
        failure = failure_of(error)
        subject = f"gridstead {request.study}: failed"
        tell(
            Notice(subject, [failure.message, failure.hint], is_failure=True), Home.at(request.home)
        )
        raise
    finally:
        _Told.is_watched = False


def tell_of_build(home: Home) -> None:
    """Tell of a published build what somebody should look at; nothing where nothing is wrong."""
    if not addresses():
        return
    try:
        notice = notice_of(home)
    except Exception as error:  # noqa: BLE001 - the build is published, and a message is no reason to fail
        warn(f"What the build should notify of cannot be read: {type(error).__name__}.")
        return
    if notice.lines:
        tell(notice, home)


def notice_of(home: Home) -> Notice:
    """Gather stale sources, failed checks and big movers of the published build."""
    with store.open_build(home.build) as con:
        run = rows_of(con, "query/run")[0]
        stale = [row for row in rows_of(con, "query/source_report") if row["is_stale"]]
        checks = [row for row in rows_of(con, "query/checks") if row["offending_count"]]
    lines = [
        f"{row['source_id']} is stale: it could not be fetched, and its copy of "
        f"{row['fetched_at']:%Y-%m-%d %H:%M} UTC was taken."
        for row in stale
    ]
    lines += [
        f"Check {row['check_name']} ({row['severity']}) found {row['offending_count']:,} rows: "
        f"{row['description']}."
        for row in checks
        if row["severity"] == "warn" and row["check_name"] != "source_stale"
    ]
    movers = _movers(home)
    lines += movers[:FIRST]
    if len(movers) > FIRST:
        lines.append(f"{len(movers) - FIRST:,} more moved far: see `gridstead diff`.")
    about = [f"{len(stale)} stale"] if stale else []
    about += [f"{len(movers)} moved far"] if movers else []
    return Notice(
        f"gridstead {run['study']}: published" + "".join(f", {word}" for word in about), lines
    )


def tell(notice: Notice, home: Home | None = None) -> list[str]:
    """Send a notice to every address; what cannot be sent is a warning and fails nothing.

    Returns
    -------
    list
        A sentence for each address that it could not be sent to, without the address.
    """
    where = [f"On {socket.gethostname()}" + (f", home {home.root}." if home else ".")]
    body = "\n".join([line for line in notice.lines if line] + where)
    failed = []
    for number, address in enumerate(addresses(), start=1):
        why = _send(address, notice, body)
        if why is not None:
            failed.append(f"Notification {number} of {NOTIFY_VARIABLE} was not sent: {why}.")
            warn(failed[-1])
    return failed


def _send(address: str, notice: Notice, body: str) -> str | None:
    """Send to one address; why it failed, in words that hold nothing of the address."""
    try:
        if address.startswith(BLOCK):
            return _send_block(address.removeprefix(BLOCK), notice.subject, body)
        return _send_apprise(address, notice, body)
    except Exception as error:  # noqa: BLE001
        # Its message may hold the address.
        return f"{type(error).__name__}"


def _send_apprise(address: str, notice: Notice, body: str) -> str | None:
    with _silent():
        from apprise import Apprise, AppriseAsset, NotifyType

        service = Apprise(asset=AppriseAsset(app_id="Gridstead", app_desc="Gridstead", app_url=""))
        if not service.add(address):
            return "apprise knows no such address"
        kind = NotifyType.FAILURE if notice.is_failure else NotifyType.WARNING
        is_sent = service.notify(body=body, title=notice.subject, notify_type=kind)
    return None if is_sent else "the service did not take it"


def _send_block(name: str, subject: str, body: str) -> str | None:
    with _silent():
        from prefect.blocks.abstract import NotificationBlock
        from prefect.blocks.core import Block

        loaded = Block.load(name)
        if not isinstance(loaded, NotificationBlock):
            return "the block is none that notifies"
        # Outside of an event loop its methods wait by themselves.
        block: Any = loaded
        with block.raise_on_failure():
            block.notify(body, subject)
    return None


@contextmanager
def _silent() -> Generator[None]:
    """Keep lines and warnings of apprise from the screen: they may hold addresses."""
    logger = logging.getLogger("apprise")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _movers(home: Home) -> list[str]:
    from flows.diff import big_movers

    return [mover["text"] for mover in big_movers(home)]
