"""The lecture: every experiment runs, failures lose nothing, and the page shows what was found."""

import json
import logging
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from imgsearch.cli.main import run
from imgsearch.device import pick_device
from imgsearch.errors import LabError
from imgsearch.lab import lecture
from imgsearch.lab.finding import Finding, Lab
from imgsearch.lab.lecture import page_path, run_lecture
from imgsearch.lab.registry import EXPERIMENTS
from imgsearch.paths import IndexPaths
from imgsearch.progress import silent
from tests.support.progress import RecordedProgress

NAMES = ("one", "unwilling", "broken", "last")


@pytest.fixture
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the experiments by four: one has no data, one has a defect."""

    def run_toy(name: str, lab: Lab) -> Finding:
        lab.on_progress(0.5, 1, "half")
        if name == "unwilling":
            raise LabError("there are no texts. Crawl some.")
        if name == "broken":
            raise ZeroDivisionError("by nothing")
        return Finding(name, f"Title of {name}", "paper", "data", ("a",), (("b",),), {"figure": 1}, "seen", b"\x89PNG")

    monkeypatch.setattr(lecture, "run_experiment", run_toy)
    monkeypatch.setattr(lecture, "EXPERIMENTS", dict.fromkeys(NAMES, ""))


@pytest.mark.usefixtures("_toys")
def test_a_failed_experiment_is_shown_with_its_reason_and_loses_no_other(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        results = list(run_lecture(lab, NAMES))
    assert [each.name for each in results if each.finding is not None] == ["one", "last"]
    assert "broken failed" in caplog.text  # with its traceback
    page = page_path(lab).read_text(encoding="utf-8")
    for text in ("Title of one", "there are no texts. Crawl some.", "ZeroDivisionError: by nothing", "Title of last"):
        assert text in page
    assert sorted(path.name for path in lab.paths.lab.glob("*.png")) == ["last.png", "one.png"]


@pytest.mark.usefixtures("_toys")
def test_the_page_grows_with_each_experiment_until_it_is_stopped(lab: Lab) -> None:
    stopped: list[bool] = []
    results = run_lecture(replace(lab, stop=lambda: bool(stopped)), NAMES)
    next(results)
    assert "Title of last" not in page_path(lab).read_text(encoding="utf-8")
    assert "Title of one" in page_path(lab).read_text(encoding="utf-8")
    stopped.append(True)
    assert list(results) == []


@pytest.mark.usefixtures("_toys")
def test_progress_is_that_of_the_whole_lecture(lab: Lab) -> None:
    seen = RecordedProgress()
    list(run_lecture(replace(lab, on_progress=seen), ("one", "last")))
    assert seen.calls == [(0.25, 1, "one: half"), (0.75, 1, "last: half")]


def test_every_record_names_its_experiment_and_a_function_that_exists() -> None:
    for name, experiment in EXPERIMENTS.items():
        assert experiment.name == name
        assert all((experiment.heading, experiment.summary, experiment.data, experiment.chapter))
        module, _, function = experiment.function.partition(":")
        assert callable(getattr(import_module(f"imgsearch.lab.experiments.{module}"), function))


def test_the_registry_loads_without_torch() -> None:
    program = "import sys, imgsearch.lab.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.usefixtures("_toys")
def test_the_command_prints_each_finding_and_each_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lab", "all", "--device", "cpu", "--index", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "Title of one" in printed.out
    assert "unwilling is not shown: there are no texts" in printed.err
    assert run(["lab", "all", "--device", "cpu", "--json", "--index", str(tmp_path)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == list(NAMES)
    assert answer["one"]["figures"] == {"figure": 1}
    assert answer["unwilling"] == {"reason": "there are no texts. Crawl some."}


@pytest.mark.usefixtures("_toys")
def test_the_command_fails_if_no_experiment_could_be_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lecture, "EXPERIMENTS", {"unwilling": ""})
    assert run(["lab", "all", "--device", "cpu", "--index", str(tmp_path)]) == 1
    assert "there are no texts" in capsys.readouterr().err


@pytest.mark.slow
def test_every_experiment_runs_at_its_small_size_on_the_gallery(clean: IndexPaths) -> None:
    assert run(["reindex", "--device", "cpu", "--index", str(clean.root)]) == 0
    lab = Lab(clean, "small", pick_device("cpu"), None, 0, silent, lambda: False)
    results = list(run_lecture(lab))
    assert [each.name for each in results] == list(EXPERIMENTS)
    assert [each.reason for each in results if each.reason] == []
    found = [each.finding for each in results if each.finding is not None]
    for finding in found:
        assert all(len(line) == len(finding.columns) for line in finding.lines)
        assert json.loads((lab.paths.lab / f"{finding.name}.json").read_text())["conclusion"] == finding.conclusion
    assert page_path(lab).read_text(encoding="utf-8").count("data:image/png") == len(found)
