"""Pre-training as part of a training: its budget, its report, and its benefit."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from imgsearch.autoencoder.card import ModelCard, read_card
from imgsearch.autoencoder.config import TrainConfig, TrainProgress
from imgsearch.autoencoder.networks.config import ConvConfig, DenseConfig
from imgsearch.autoencoder.pretraining import pretrain as pretrain_module
from imgsearch.autoencoder.pretraining.pretrain import passes, work_shares
from imgsearch.autoencoder.training import train as train_module
from imgsearch.autoencoder.training.run_state import STATE_NAME
from imgsearch.autoencoder.training.train import train
from imgsearch.cli.main import run
from imgsearch.device import pick_device
from imgsearch.errors import ModelError
from imgsearch.paths import IndexPaths
from tests.support.toy_images import toy_thumbnails

DIGITS = np.rint(load_digits().data * (255 / 16)).astype(np.uint8)[:600]  # (600, 64)
ROWS = np.arange(len(DIGITS), dtype=np.int64)
DEEP = DenseConfig((64, 48, 32, 6), "sigmoid")
CONFIG = TrainConfig(
    epochs=5, batch_size=32, objective=(("reconstruct", 1.0),), pretrain="rbm", pretrain_share=0.4, network=DEEP
)


@pytest.fixture
def paths(tmp_path: Path) -> IndexPaths:
    return IndexPaths(tmp_path / "index")


@pytest.fixture(autouse=True)
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_module, "pick_device", lambda: pick_device("cpu"))
    monkeypatch.setattr(train_module, "PROGRESS_SECONDS", 0)
    monkeypatch.setattr(pretrain_module, "PROGRESS_SECONDS", 0)


def trained(paths: IndexPaths, config: TrainConfig, **how: Any) -> ModelCard:
    return train(DIGITS, ROWS, paths, config, **how)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rbm", "layerwise"])
def test_a_deep_sigmoid_network_ends_lower_when_its_layers_learned_alone_first(paths: IndexPaths, kind: str) -> None:
    slow = replace(CONFIG, epochs=30, batch_size=16, matrix_rate=0.0, learning_rate=1e-3)  # Adam alone
    card = trained(paths, replace(slow, pretrain=kind))
    layers = card.training["pretraining"]
    assert [layer["layer"] for layer in layers] == ["64-48", "48-32", "32-6"]
    batches = (600 - 12) // 16
    assert {layer["examples"] for layer in layers} == {12 * batches * 16}  # two fifths of thirty passes
    assert all(layer["error"] < 0.35 * layer["first_error"] for layer in layers)
    assert card.steps <= round(0.6 * 30 * batches)
    assert read_card(paths.model).training["pretraining"] == layers
    scratch = trained(paths, replace(slow, pretrain=""))
    assert scratch.training["pretraining"] == []
    assert card.metrics["reconstruction"] < 0.75 * scratch.metrics["reconstruction"]


def test_progress_names_the_layers_and_never_goes_back(paths: IndexPaths) -> None:
    reports: list[TrainProgress] = []
    trained(paths, CONFIG, on_progress=reports.append)
    doing = list(dict.fromkeys(progress.doing for progress in reports))
    assert doing[:4] == [
        "pre-training layer 1 of 3, 64-48",
        "pre-training layer 2 of 3, 48-32",
        "pre-training layer 3 of 3, 32-6",
        "learning codes",
    ]
    fractions = [progress.fraction for progress in reports[:-1]]
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.1
    first_together = next(progress for progress in reports if progress.doing == "learning codes")
    assert first_together.fraction == pytest.approx(0.4)
    assert all(progress.seconds_left >= 0 for progress in reports)


def test_a_budget_in_time_is_divided_between_the_layers_and_what_follows(paths: IndexPaths) -> None:
    card = trained(paths, replace(CONFIG, epochs=None, minutes=2 / 60))
    spent = [layer["seconds"] for layer in card.training["pretraining"]]
    assert len(spent) == 3
    assert card.training["finished"]
    assert card.steps > 0
    assert sum(spent) < card.seconds


def test_the_time_of_a_layer_follows_its_work() -> None:
    # Cost per example: 5 x 12 for the first layer; 5 x 6, and 12 for the layer below, for the second.
    assert work_shares((4, 3, 2)) == pytest.approx([60 / 102, 42 / 102])
    assert sum(work_shares((784, 1000, 500, 250, 30))) == pytest.approx(1)
    assert passes(replace(CONFIG, epochs=1)) == 1
    assert passes(replace(CONFIG, epochs=None)) == 0


class StopWhen:
    """A `stop` that becomes true at the first progress of a kind."""

    def __init__(self, doing: str, after: int = 0) -> None:
        self._doing, self._left = doing, after
        self.stopped = False

    def watch(self, progress: TrainProgress) -> None:
        if progress.doing.startswith(self._doing):
            self._left -= 1
            self.stopped = self._left < 0

    def __call__(self) -> bool:
        return self.stopped


def test_a_run_that_has_begun_its_steps_does_not_pretrain_again(paths: IndexPaths, tmp_path: Path) -> None:
    stop = StopWhen("learning codes", after=20)
    first = trained(paths, CONFIG, on_progress=stop.watch, stop=stop)
    assert not first.training["finished"]
    reports: list[TrainProgress] = []
    second = trained(paths, CONFIG, on_progress=reports.append)
    assert not any(progress.doing.startswith("pre-training") for progress in reports)
    assert second.training["pretraining"] == first.training["pretraining"]
    uninterrupted = trained(IndexPaths(tmp_path / "another"), CONFIG)
    assert second.digest == uninterrupted.digest


def test_a_run_that_is_stopped_while_layers_learn_makes_nothing(paths: IndexPaths) -> None:
    stop = StopWhen("pre-training layer 2")
    with pytest.raises(ModelError, match="nothing was made"):
        trained(paths, CONFIG, on_progress=stop.watch, stop=stop)
    assert not (paths.training / STATE_NAME).exists()
    assert not paths.model.exists()


def test_what_cannot_be_pretrained_is_refused(paths: IndexPaths) -> None:
    images, rows = toy_thumbnails(20), np.arange(20)
    with pytest.raises(ModelError, match="only a dense network"):
        train(images, rows, paths, replace(CONFIG, network=ConvConfig(channels=(8, 8, 8, 8, 8))))
    with pytest.raises(ModelError, match="have sigmoid units"):
        trained(paths, replace(CONFIG, network=DenseConfig((64, 8))))
    with pytest.raises(ModelError, match="cannot model word counts"):
        trained(paths, replace(CONFIG, network=DenseConfig((64, 8), "sigmoid", output="softmax")))
    trained(paths, replace(CONFIG, epochs=1, pretrain=""))
    with pytest.raises(ModelError, match="overwrite what the checkpoint has learned"):
        trained(paths, CONFIG, init_from=paths.model)
    with pytest.raises(ModelError, match="between 0 and 1"):
        replace(CONFIG, pretrain_share=0.0)


def test_errors_that_are_no_numbers_are_told(paths: IndexPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgsearch.autoencoder.pretraining.layerwise.rate_of", lambda machine: 1e6)
    with pytest.raises(ModelError, match="layer 64-48 diverged"):
        trained(paths, CONFIG)


def test_images_are_pretrained_from_the_command_line(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = "train --sizes 3072-32-8 --pretrain rbm --epochs 2 --objective reconstruct --keep new --json --device cpu"
    assert run([*command.split(), "--index", str(index)]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["network"]["config"]["activation"] == "sigmoid"
    assert [layer["layer"] for layer in card["training"]["pretraining"]] == ["3072-32", "32-8"]
    assert all(np.isfinite(layer["error"]) for layer in card["training"]["pretraining"])
    assert torch.isfinite(torch.tensor(card["metrics"]["reconstruction"]))
