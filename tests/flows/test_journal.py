"""Logs of runs: a JSON object a line, an end that is stated, and no secrets."""

import json

import pytest

from data.errors import PullError
from flows import journal
from flows.home import Home
from flows.progress import Stopwatch, log, shown, warn

GONE = PullError("The server is gone.", "Try tomorrow.")
RUN = "20260301T023000000-1"


@pytest.fixture
def home(tmp_path):
    return Home.at(tmp_path).make()


def test_every_line_has_its_step_and_its_numbers(home, monkeypatch):
    done = []
    with shown(quiet=True), journal.kept(home, RUN, "tiny", "The run before was killed."):
        watch = Stopwatch(("pull", "stage"), done.append)
        log("tamu_grid: 1.0 MB from network", source="tamu_grid", bytes=1_000_000)
        watch.lap("pull")
        warn("Look at this.")
        watch.lap("stage")
    lines = journal.read(home.logs / f"{RUN}.jsonl")
    assert all({"ts", "level", "step", "message"} <= set(line) for line in lines)
    began, killed, pulled, lap, warned, *_, end = lines
    assert (began["message"], began["study"], began["run_id"]) == ("began", "tiny", RUN)
    assert (killed["level"], killed["message"]) == ("warning", "The run before was killed.")
    assert (pulled["step"], pulled["source"], pulled["bytes"]) == ("pull", "tamu_grid", 1_000_000)
    assert (lap["step"], lap["seconds"]) == ("pull", watch.seconds["pull"])
    assert (warned["step"], warned["level"]) == ("stage", "warning")
    assert end["outcome"] == journal.PUBLISHED
    assert done == [1, 2]


def test_a_failure_is_its_sentence_and_only_a_bug_has_a_traceback(home):
    with pytest.raises(PullError), journal.kept(home, RUN, "tiny"):
        raise GONE
    end = journal.ending(home.logs / f"{RUN}.jsonl")
    assert (end["message"], end["hint"], end["exit_code"]) == ("The server is gone.", "Try tomorrow.", 1)  # fmt: skip
    assert "traceback" not in end
    with pytest.raises(ZeroDivisionError), journal.kept(home, RUN, "tiny"):
        1 / 0  # noqa: B018
    assert "ZeroDivisionError" in journal.ending(home.logs / f"{RUN}.jsonl")["traceback"]


def test_a_line_that_was_cut_is_left_out(home):
    path = home.logs / f"{RUN}.jsonl"
    path.write_text('{"message": "began"}\n[1]\n{"message": "pu')
    assert journal.read(path) == [{"message": "began"}]
    assert journal.ending(path) is None


def test_a_run_leaves_a_log_of_its_sources(base):
    (path,) = (base.home / "logs").glob("*.jsonl")
    lines = journal.read(path)
    sources = {line["source"]: line for line in lines if "rows_read" in line}
    assert sources["tamu_grid"]["rows_read"] == sources["tamu_grid"]["rows_loaded"] + sources["tamu_grid"]["rows_rejected"]  # fmt: skip
    pulled = {line["source"] for line in lines if line["step"] == "pull" and "bytes" in line}
    assert pulled == {source for source in sources if source != "gridstead_reference"}
    assert lines[-1]["outcome"] == journal.PUBLISHED
    assert path.stem in {build.stem for build in (base.home / "builds").glob("*.duckdb")}


def test_lines_are_json_where_asked(gridstead, tmp_path):
    answer = gridstead("run", tmp_path / "none.yaml", "--home", tmp_path / "home", "--log-json")
    assert answer.code == 2
    assert [set(json.loads(line)) for line in answer.err.splitlines()] == [{"error", "hint"}]
