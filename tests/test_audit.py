"""The audit of the lock finds what is wrong, and nothing where all is right."""

import pytest

from tests import audit

HASH = "--hash=sha256:" + "0" * 64
GOOD = f"a==1.0 \\\n    {HASH}\nb==2.0 ; python_version < '3' \\\n    {HASH}\n"


def test_a_lock_that_is_installed_as_it_states_is_good():
    assert audit.faults_of(GOOD, {"a": "1.0"}.get) == []


@pytest.mark.parametrize(
    ("text", "has", "said"),
    [
        (f"a>=1.0 {HASH}", {"a": "1.0"}, "not pinned"),
        (f"a==1.* {HASH}", {"a": "1.0"}, "not pinned"),
        (f"a==1.0,!=1.1 {HASH}", {"a": "1.0"}, "not pinned"),
        ("a==1.0", {"a": "1.0"}, "no hash"),
        (f"a==1.0 {HASH[:-1]}", {"a": "1.0"}, "no hash"),
        (GOOD, {"a": "1.1"}, "installed as 1.1"),
        (GOOD, {}, "not installed"),
        (f"--index-url x\n{GOOD}", {"a": "1.0"}, "Line 1 names where"),
        (f"# from https://x\n{GOOD}", {"a": "1.0"}, "Line 1 names where"),
        ("", {}, "no requirement"),
    ],
)
def test_a_fault_is_said(text, has, said):
    (fault,) = audit.faults_of(text, has.get)
    assert said in fault


def test_our_own_lock_is_pinned_by_version_and_hash():
    pins = audit.pins_of(audit.LOCK.read_text())
    assert len(pins) > 50
    assert [fault for pin in pins for fault in pin.faults] == []
