"""Notifications: to whom, of what, and never with an address."""

import http.server
import json
import threading

import pytest

from data.errors import PullError
from flows import doctor, notify
from flows.home import Home
from flows.request import RunRequest
from tests.flows.conftest import write_to

SECRET = "s3cr3t-token"


def fail(*_):
    message = f"The server of {SECRET} is gone." if _ else "The server is gone."
    raise PullError(message, "Try tomorrow.")


class Inbox(http.server.ThreadingHTTPServer):
    """Takes what is posted; answers as `status` says."""

    def __init__(self):
        self.got, self.status = [], 200
        inbox = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.got.append((self.path, json.loads(body)))
                self.send_response(inbox.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def inbox(monkeypatch):
    with Inbox() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"json://127.0.0.1:{server.server_port}/{SECRET}"
        monkeypatch.setenv(notify.NOTIFY_VARIABLE, address)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def request_(tmp_path):
    return RunRequest(home=tmp_path / "home", study="tiny")


def test_a_failure_is_told_once_with_its_hint(inbox, request_):
    with pytest.raises(PullError), notify.telling(request_), notify.telling(request_):
        fail()
    ((path, sent),) = inbox.got
    assert path == f"/{SECRET}"
    assert sent["title"] == "gridstead tiny: failed"
    assert sent["message"].startswith("The server is gone.\nTry tomorrow.\nOn ")
    assert sent["type"] == "failure"


def test_nothing_is_sent_where_nobody_is_named(inbox, request_, monkeypatch):
    monkeypatch.delenv(notify.NOTIFY_VARIABLE)
    with pytest.raises(PullError), notify.telling(request_):
        fail()
    assert inbox.got == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"jsn://nowhere/{SECRET}", "apprise knows no such address"),
        (f"json://127.0.0.1:9/{SECRET}", "the service did not take it"),
        (f"block:slack-webhook/{SECRET}", ""),
    ],
)
def test_what_cannot_be_sent_is_a_warning_without_the_address(
    monkeypatch, caplog, capfd, address, why
):
    from prefect.blocks.core import Block

    monkeypatch.setattr(Block, "load", fail)
    monkeypatch.setenv(notify.NOTIFY_VARIABLE, address)
    failed = notify.tell(notify.Notice("a test", ["Hello."]))
    assert len(failed) == 1
    assert failed[0].startswith(f"Notification 1 of GRIDSTEAD_NOTIFY was not sent: {why}")
    assert [record.message for record in caplog.records if record.name == "gridstead"] == failed
    said = capfd.readouterr()
    assert SECRET not in "".join([*failed, caplog.text, said.out, said.err])


def test_a_service_that_refuses_leaves_the_run_as_it_was(inbox, request_):
    inbox.status = 500
    with pytest.raises(PullError, match="gone"), notify.telling(request_):
        fail()
    assert len(inbox.got) == 1


def test_a_block_of_prefect_is_told(inbox, monkeypatch):
    from prefect.blocks.core import Block
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    words = {"subject": "{{subject}}", "body": "{{body}}"}
    url = f"http://127.0.0.1:{inbox.server_port}/hook"
    block = CustomWebhookNotificationBlock(name="ours", url=url, json_data=words)
    monkeypatch.setattr(Block, "load", lambda name: block)
    monkeypatch.setenv(notify.NOTIFY_VARIABLE, "block:custom-webhook/ours")
    assert notify.tell(notify.Notice("a test", ["Hello."])) == []
    ((path, sent),) = inbox.got
    assert (path, sent["subject"]) == ("/hook", "a test")
    assert sent["body"].startswith("Hello.")


def test_a_build_with_nothing_to_look_at_is_silent_and_one_with_something_is_told(inbox, world):
    home = Home.at(world.home)
    write_to(world.build, "update meta.check_result set offending_count = 0")
    notify.tell_of_build(home)
    assert inbox.got == []
    write_to(world.build, "update meta.source set is_stale = true where source_id = 'tamu_grid'")
    write_to(
        world.build,
        "update meta.check_result set offending_count = 7 where check_name = 'people_as_census'",
    )
    notify.tell_of_build(home)
    ((_, sent),) = inbox.got
    assert sent["title"] == "gridstead tiny: published, 1 stale"
    assert "tamu_grid is stale: it could not be fetched, and its copy of " in sent["message"]
    assert "Check people_as_census (warn) found 7 rows" in sent["message"]


def test_big_movers_are_told(inbox, world, monkeypatch):
    from flows import diff

    movers = [{"text": f"training: County {number} 90 -> 2"} for number in range(12)]
    monkeypatch.setattr(diff, "big_movers", lambda _home: movers)
    write_to(world.build, "update meta.check_result set offending_count = 0")
    notify.tell_of_build(Home.at(world.home))
    ((_, sent),) = inbox.got
    assert sent["title"] == "gridstead tiny: published, 12 moved far"
    assert sent["message"].count("County") == notify.FIRST
    assert "2 more moved far" in sent["message"]


def test_a_build_that_cannot_be_read_fails_nothing(inbox, world, caplog):
    world.build.unlink()
    notify.tell_of_build(Home.at(world.home))
    assert "cannot be read: BuildError" in caplog.text
    assert inbox.got == []


def test_a_failed_run_of_the_command_line_is_told(inbox, gridstead, tmp_path):
    answer = gridstead("run", tmp_path / "none.yaml", "--home", tmp_path / "home")
    assert answer.code == 2
    ((_, sent),) = inbox.got
    assert sent["message"].splitlines()[0] in answer.err
    assert SECRET not in answer.err


def test_the_doctor_sends_a_test(inbox, tmp_path):
    found = doctor._notify(send=True)
    assert (found.status, found.found) == ("ok", "A test was sent to 1 addresses.")
    assert [sent["title"] for _, sent in inbox.got] == ["gridstead doctor: a test"]
    inbox.status = 500
    assert doctor._notify(send=True).status == "error"
