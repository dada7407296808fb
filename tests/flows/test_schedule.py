"""Texts that start a run every night: as cron, systemd and Prefect read them."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from flows.request import RunRequest


@pytest.fixture
def text(gridstead, tmp_path):
    """The text for a home whose name has all that such texts may trip over."""

    def ask(kind, *words):
        answer = gridstead("schedule", kind, *words, "--home", tmp_path / "a b%c$d", "--json")
        assert answer.code == 0, answer.err
        return answer.json["text"]

    return ask


def lines(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_a_line_of_crontab_starts_the_run_at_its_time(text, tmp_path):
    (line,) = lines(text("cron", "--at", "03:05"))
    minute, hour, *days, command = line.split(" ", 5)
    assert (minute, hour, days) == ("5", "3", ["*", "*", "*"])
    # A percent sign that is not escaped ends the command of a crontab.
    assert "%" not in command.replace(r"\%", "")
    words = shlex.split(command.replace(r"\%", "%"))
    assert words[:2] == ["cd", str(Path.cwd())]
    assert words[-5:] == ["run", "open-conus", "--home", str(tmp_path / "a b%c$d"), "--quiet"]


def test_a_study_file_is_named_by_its_whole_path(text, tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert shlex.quote(str(tmp_path / "mine.yaml")) in text("cron", "--study", "mine.yaml")


def test_what_prefect_is_told_is_a_request(text, tmp_path):
    _, setup, _ = lines(text("prefect", "--at", "02:15"))
    words = shlex.split(setup.replace("&&", ";"))
    params = json.loads(words[words.index("--params") + 1])
    request = RunRequest.model_validate(params["request"])
    assert (request.study, request.home) == ("open-conus", tmp_path / "a b%c$d")
    assert words[words.index("--cron") + 1] == "15 2 * * *"
    assert words[words.index("--collision-strategy") + 1] == "CANCEL_NEW"


def test_long_lines_are_not_broken(gridstead):
    shown = gridstead("schedule", "prefect")
    assert len(lines(shown.out)) == 3


@pytest.mark.parametrize("at", ["24:00", "2", "02:60", "noon"])
def test_a_time_that_is_none_is_refused(gridstead, at):
    answer = gridstead("schedule", "cron", "--at", at)
    assert (answer.code, "is no time of day" in answer.err) == (2, True)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_the_units(text, tmp_path):
    folder = tmp_path / "units"
    folder.mkdir()
    files: dict[str, list[str]] = {}
    for line in text("systemd").splitlines():
        if line.startswith("# ~/.config/systemd/user/"):
            name = line.rpartition("/")[2]
            files[name] = []
        files[name].append(line)
    assert set(files) == {"gridstead.service", "gridstead.timer"}
    for name, content in files.items():
        (folder / name).write_text("\n".join(content) + "\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", *(folder / name for name in files)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "Failed to initialize manager" in done.stderr:
        pytest.skip(f"systemd-analyze cannot work here: {done.stderr.strip()}")
    ours = [line for line in done.stderr.splitlines() if "gridstead" in line]
    assert (done.returncode, ours) == (0, [])
