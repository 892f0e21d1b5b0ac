"""The command `finetune`: held-out images find more of their label, or the model before stays in use."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.card import read_card
from imgsearch.autoencoder.checkpoint import save_checkpoint
from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.autoencoder.networks.registry import describe_network
from imgsearch.cli.main import run
from imgsearch.paths import IndexPaths
from tests.support.comparison import decide_comparisons
from tests.support.index import add_images

N = 160
KINDS = ("bottom", "top")


@pytest.fixture
def bars(tmp_path: Path) -> IndexPaths:
    """Pictures of a bar, a little lighter than its ground, above or below the middle, and a small untrained model."""
    rng = np.random.default_rng(0)
    images = np.empty((N, 32, 32, 3), np.uint8)
    for row, image in enumerate(images):
        image[:] = rng.integers(30, 226, 3)
        image[(slice(18, 28), slice(4, 14))[row % 2]] += np.uint8(30)
    paths = IndexPaths(tmp_path / "index")
    add_images(paths, images)
    config = DenseConfig((3072, 32, 16))
    torch.manual_seed(0)
    fields = {"training": {}, "metrics": {}, "code_size": 16, "steps": 0, "images_seen": 0, "seconds": 0.0}
    network = DenseAutoencoder(config)
    save_checkpoint(paths.model, network.state_dict(), network=describe_network(config), device="none", **fields)
    return paths


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    lines = [f"{row},{KINDS[row % 2]}" for row in range(N)]
    path.write_text("\n".join(["row,label", *lines, "9999,top"]) + "\n")
    return path


def finetune(paths: IndexPaths, *options: str) -> int:
    return run(["finetune", "--index", str(paths.root), "--device", "cpu", *options])


def test_held_out_images_find_more_of_their_label(
    bars: IndexPaths, labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--labels", str(labels), "--objective", "classify", "--batch-size", "32", "--epochs", "12", "--json")
    assert finetune(bars, *options) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    before, after = (found["comparison"][which]["precision"] for which in ("before", "after"))
    assert after > before + 0.1
    assert found["taken"]
    assert json.loads((bars.model / "model.json").read_text())["digest"] == found["digest"]
    assert "128 are learned, 32 are queries" in told.err
    assert "1 of labels.csv are not in the corpus and were passed over: 9999" in told.err


def test_a_model_that_finds_no_more_is_not_taken_unless_asked(
    bars: IndexPaths, labels: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_comparisons(monkeypatch, 0.5, 0.5, by_labels=True)
    before = read_card(bars.model).digest
    line = ("--labels", str(labels), "--objective", "classify", "--epochs", "1")
    assert finetune(bars, *line) == 0
    assert "stays in use" in capsys.readouterr().out
    assert read_card(bars.model).digest == before
    assert read_card(bars.candidate).digest != before
    assert finetune(bars, *line, "--keep", "new") == 0
    assert read_card(bars.model).digest != before


def test_a_corpus_without_labels_says_how_to_label(bars: IndexPaths, capsys: pytest.CaptureFixture[str]) -> None:
    assert finetune(bars) == 1
    assert "--labels labels.csv" in capsys.readouterr().err
