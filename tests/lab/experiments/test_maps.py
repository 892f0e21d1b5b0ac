"""The image map as an experiment: kinds lie together by code, and the positions are stored for the page."""

from pathlib import Path

import numpy as np
import pytest

from imgsearch.cli.main import run
from imgsearch.device import pick_device
from imgsearch.errors import CorpusError, Hint, LabError
from imgsearch.lab.drawing import pasted
from imgsearch.lab.finding import Lab
from imgsearch.lab.registry import run_experiment
from imgsearch.paths import IndexPaths
from imgsearch.progress import silent
from imgsearch.retrieval.explore.image_map import LAYOUTS, load_map


def lab_over(root: Path, *, stopped: bool = False) -> Lab:
    return Lab(IndexPaths(root), "small", pick_device("cpu"), None, 0, silent, lambda: stopped)


def test_kinds_lie_together_on_the_map(index: Path) -> None:
    finding = run_experiment("map", lab_over(index))
    same, chance = finding.figures["same_label"], finding.figures["same_label_by_chance"]
    assert chance == pytest.approx(11 / 35)
    assert set(same) == set(LAYOUTS)
    assert min(same.values()) > 2 * chance  # red, green and blue pictures of a dozen each
    assert [line[0] for line in finding.lines][-1] == "by chance"
    assert finding.picture.startswith(b"\x89PNG")
    made = load_map(IndexPaths(index))
    assert made is not None
    assert made.rows.tolist() == list(range(36))


def test_without_labels_only_kept_neighbours_are_measured(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgsearch.retrieval.search.searcher.Searcher.labels", lambda _searcher: [""] * 36)
    finding = run_experiment("map", lab_over(index))
    assert finding.figures["same_label"] is None
    assert finding.figures["kept"]["code-tsne"] > 2 * 10 / 35  # twice chance
    assert "keeps" in finding.conclusion
    assert {line[1] for line in finding.lines} == {"–"}  # noqa: RUF001 -- an en dash, as tables have it


def test_a_stopped_experiment_keeps_the_earlier_map(index: Path) -> None:
    with pytest.raises(LabError, match="stopped"):
        run_experiment("map", lab_over(index, stopped=True))
    assert load_map(IndexPaths(index)) is None


@pytest.mark.slow
def test_a_small_map_does_not_replace_a_larger_one(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_experiment("map", lab_over(index))
    monkeypatch.setattr("imgsearch.lab.experiments.maps.SMALL_ROWS", 20)
    assert run_experiment("map", lab_over(index)).figures["n"] == 20
    kept = load_map(IndexPaths(index))
    assert kept is not None
    assert len(kept.rows) == 36


def test_compact_takes_erased_images_off_the_map_and_out_of_the_pictures(index: Path) -> None:
    for command in (["lab", "map", "--size", "small"], ["remove", "row:7"], ["compact"]):
        assert run([*command, "--index", str(index)]) == 0
    made = load_map(IndexPaths(index))
    assert made is not None
    assert made.rows.tolist() == [row for row in range(36) if row != 7]
    assert [path.name for path in (index / "lab").iterdir()] == ["map.json"]


def test_without_a_corpus_it_fails(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as raised:
        run_experiment("map", lab_over(tmp_path))
    assert raised.value.hint is Hint.ADD_IMAGES


def test_thumbnails_are_pasted_at_their_positions() -> None:
    thumbnails = np.stack([np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30)])
    sheet = pasted(thumbnails, np.array([[-1.0, 0], [1, 0], [0, 2]]), side=20)
    assert sheet.shape == (20, 20, 3)
    assert (sheet[:4, :4] == 10).all()
    assert (sheet[:4, 16:] == 20).all()
    assert (sheet[16:, 8:12] == 30).all()
    assert (sheet == 255).mean() == 1 - 3 * 16 / 400
