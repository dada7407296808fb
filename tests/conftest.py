"""The order in which files of tests are handed out, and what they inherit."""

import signal

import pytest

# Begins with the run of the tiny study that most tests of flows share; meanwhile others need no run.
FIRST = "tests/flows/test_ask.py"

# A shell that starts the tests in the background has them ignore Ctrl-C, which all that they start would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put one file that makes the shared run first, then all that need none, then the others of flows."""

    def turn(item: pytest.Item) -> int:
        name = item.nodeid
        if name.startswith(FIRST):
            return 0
        return 2 if name.startswith("tests/flows/") else 1

    items.sort(key=turn)
