"""The Quality panel: which figures it shows, and which notice where there are none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.report import Quality, quality_now, write_quality
from imgsearch.web import page, quality_panel
from tests.conftest import REPOSITORY
from tests.support.evaluation import CUTOFF, DISTORTED, LABELLED
from tests.support.fake_searcher import FakeSearcher

N = 40


@pytest.fixture
def searcher(monkeypatch: pytest.MonkeyPatch) -> FakeSearcher:
    fake = FakeSearcher.drawn(N)
    monkeypatch.setattr(page, "open_searcher", lambda _root: fake)
    return fake


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IndexPaths:
    monkeypatch.setenv("IMGSEARCH_INDEX", str(tmp_path))
    return IndexPaths(tmp_path)


@pytest.fixture
def measured(searcher: FakeSearcher, paths: IndexPaths) -> Callable[..., Quality]:
    """Write figures of the fake's model and rows, or of others, where the page looks for them."""

    def leave(model: str = searcher.model, rows: int = N, **parts: dict[str, Any] | None) -> Quality:
        quality = quality_now(model, rows, **parts)
        write_quality(paths, quality)
        return quality

    return leave


def shown_panel() -> tuple[str, int]:
    """Return the HTML of the panel and its number of charts."""
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=20).run()
    assert not app.exception
    (expander,) = app.expander
    assert expander.label.startswith("Quality")
    html = "\n".join(element.proto.body for element in expander.get("html"))
    return html, len(expander.get("vega_lite_chart"))


def test_nothing_measured_names_the_command(searcher: FakeSearcher, paths: IndexPaths) -> None:
    html, n_charts = shown_panel()
    assert "has not been measured yet" in html
    assert f"<code>imgsearch evaluate --index {paths.root}</code>" in html
    assert n_charts == 0


def test_figures_of_this_model_and_these_rows_are_shown(measured: Callable[..., Quality]) -> None:
    quality = measured(labelled=LABELLED, distorted=DISTORTED, cutoff=CUTOFF)
    html, n_charts = shown_panel()
    assert "the original comes first 87 times in 100" in html
    assert "Among the ten nearest by code, 5.0" in html
    assert "88 rightly get no good match" in html
    assert html.count("<table>") == 2
    assert n_charts == 1
    assert f"{quality.made_at[:10]} {quality.made_at[11:16]} UTC" in html
    assert "imgsearch evaluate" not in html


def test_a_part_that_was_not_measured_is_left_out(measured: Callable[..., Quality]) -> None:
    measured(distorted=DISTORTED)
    html, n_charts = shown_panel()
    assert (html.count("<table>"), n_charts) == (1, 0)
    measured()
    html, n_charts = shown_panel()
    assert (html.count("<table>"), n_charts) == (0, 0)
    assert "imgsearch evaluate" in html


def test_figures_of_another_model_are_not_shown(measured: Callable[..., Quality]) -> None:
    measured("f" * 64, labelled=LABELLED, distorted=DISTORTED)
    html, n_charts = shown_panel()
    assert "belong to another model" in html
    assert "imgsearch evaluate" in html
    assert (html.count("<table>"), n_charts) == (0, 0)


def test_figures_of_fewer_rows_are_shown_with_a_notice(measured: Callable[..., Quality]) -> None:
    measured(rows=N - 7, distorted=DISTORTED)
    html, _ = shown_panel()
    assert f"Measured when {N - 7} images were indexed; now there are {N}." in html
    assert "imgsearch evaluate" in html
    assert "<table>" in html


def test_text_from_the_file_is_escaped(measured: Callable[..., Quality], paths: IndexPaths) -> None:
    strange = "<img src=x onerror=alert(1)>"
    methods = {"code": LABELLED["methods"]["code"], "new": {"title": strange}}
    measured(labelled=LABELLED | {"methods": methods})
    html, _ = shown_panel()
    assert "&lt;img src=x" in html
    assert "<img" not in html
    paths.quality.write_text("{")
    assert "has not been measured yet" in shown_panel()[0]


def test_a_file_that_cannot_be_read_does_not_end_the_page(searcher: FakeSearcher, paths: IndexPaths) -> None:
    paths.quality.mkdir()
    html, _ = shown_panel()
    assert "notice refused" in html


def test_the_command_of_the_default_directory_is_short(
    searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "<code>imgsearch evaluate</code>" in shown_panel()[0]
    assert quality_panel.NOTHING_MEASURED in shown_panel()[0]
