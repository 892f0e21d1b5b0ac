import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.card import read_card
from imgsearch.autoencoder.checkpoint import WEIGHTS_NAME, load_checkpoint
from imgsearch.autoencoder.config import TrainConfig, TrainProgress
from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.networks.config import ConvConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.autoencoder.objectives.base import Batch
from imgsearch.autoencoder.objectives.registry import Objective
from imgsearch.autoencoder.objectives.unsupervised import agreement_loss
from imgsearch.autoencoder.optim.optimisers import make_optimisers
from imgsearch.autoencoder.training import run as run_module
from imgsearch.autoencoder.training import train as train_module
from imgsearch.autoencoder.training.inputs import TrainingData
from imgsearch.autoencoder.training.run import Run
from imgsearch.autoencoder.training.run_state import STATE_NAME
from imgsearch.autoencoder.training.train import train
from imgsearch.device import pick_device
from imgsearch.errors import IndexDirectoryError, ModelError
from imgsearch.paths import IndexPaths, exclusive
from tests.conftest import REPOSITORY
from tests.support.toy_images import toy_thumbnails
from tests.support.waiting import wait_until

NARROW = ConvConfig(channels=(8, 8, 16, 16, 32))
SMALL = TrainConfig(epochs=2, batch_size=8, network=NARROW)
PICTURES = toy_thumbnails(48)
ROWS = np.arange(48, dtype=np.int64)


class StopAfter:
    """A `stop` that becomes true after `steps` polls; `train` polls it once before every step."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.fixture
def paths(tmp_path: Path) -> IndexPaths:
    return IndexPaths(tmp_path / "index")


@pytest.fixture(autouse=True)
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on the CPU, where results are reproducible, and report every step."""
    monkeypatch.setattr(train_module, "pick_device", lambda: pick_device("cpu"))
    monkeypatch.setattr(train_module, "PROGRESS_SECONDS", 0)


def weights(paths: IndexPaths) -> bytes:
    return (paths.model / WEIGHTS_NAME).read_bytes()


def test_a_training_leaves_a_model_that_encodes_and_nothing_unfinished(paths: IndexPaths) -> None:
    card = train(PICTURES, ROWS, paths, SMALL)
    network, loaded = load_checkpoint(paths.model, torch.device("cpu"))
    assert loaded == card == read_card(paths.model)
    assert encode_images(network, PICTURES, pick_device("cpu")).shape == (48, 256)
    assert 0 < card.steps <= 10
    assert (card.images_seen, card.metric, card.note) == (8 * card.steps, "cosine", "")
    assert card.metrics.keys() == {"loss", "reconstruction", "agreement"}
    assert card.training["epochs"] == 2
    assert [path.name for path in paths.training.iterdir()] == [".lock"]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    first, second, other = (IndexPaths(tmp_path / name) for name in ("first", "second", "other"))
    torch.manual_seed(5)
    train(PICTURES, ROWS, first, SMALL)
    train(PICTURES, ROWS, second, SMALL)
    train(PICTURES, ROWS, other, replace(SMALL, seed=1))
    assert weights(first) == weights(second)
    assert weights(first) != weights(other)


@pytest.mark.parametrize("steps", [1, 7])
def test_a_resumed_run_ends_as_the_uninterrupted_one(tmp_path: Path, steps: int) -> None:
    whole, parts = IndexPaths(tmp_path / "whole"), IndexPaths(tmp_path / "parts")
    expected = train(PICTURES, ROWS, whole, SMALL)
    stopped = train(PICTURES, ROWS, parts, SMALL, stop=StopAfter(steps))
    assert 0 < stopped.steps <= steps
    assert not stopped.training["finished"]
    assert (parts.training / STATE_NAME).exists()
    finished = train(PICTURES, ROWS, parts, SMALL)
    assert f"Resumed an interrupted run at step {steps}" in finished.note
    assert (finished.steps, finished.images_seen) == (expected.steps, expected.images_seen)
    assert weights(parts) == weights(whole)
    assert not (parts.training / STATE_NAME).exists()


@pytest.mark.parametrize("steps", [3, 9])  # before and in the decoder phase
def test_a_stopped_run_that_learns_labels_continues_with_its_class_head(tmp_path: Path, steps: int) -> None:
    whole, parts = IndexPaths(tmp_path / "whole"), IndexPaths(tmp_path / "parts")
    config = replace(SMALL, decoder_phase=0.4, objective=(("agree", 1.0), ("classify", 1.0)))
    train(PICTURES, ROWS, whole, config, labels=ROWS % 3)
    train(PICTURES, ROWS, parts, config, labels=ROWS % 3, stop=StopAfter(steps))
    finished = train(PICTURES, ROWS, parts, config, labels=ROWS % 3)
    assert f"Resumed an interrupted run at step {steps}" in finished.note
    assert weights(parts) == weights(whole)


def test_ctrl_c_keeps_the_best_so_far_and_the_next_run_resumes_the_state_saved_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "SAVE_SECONDS", 0)
    whole, parts = IndexPaths(tmp_path / "whole"), IndexPaths(tmp_path / "parts")
    train(PICTURES, ROWS, whole, SMALL)
    calls = [0]

    def ctrl_c_in_a_step(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
        calls[0] += 1
        if calls[0] == 6:
            raise KeyboardInterrupt
        return agreement_loss(first, second, temperature)

    monkeypatch.setattr("imgsearch.autoencoder.objectives.unsupervised.agreement_loss", ctrl_c_in_a_step)
    card = train(PICTURES, ROWS, parts, SMALL)
    assert 0 < card.steps < 10
    assert load_checkpoint(parts.model, torch.device("cpu"))[1] == card
    assert "Resumed an interrupted run at step" in train(PICTURES, ROWS, parts, SMALL).note
    assert weights(parts) == weights(whole)


@pytest.mark.slow
def test_a_killed_run_is_resumed(tmp_path: Path) -> None:
    whole, parts = IndexPaths(tmp_path / "whole"), IndexPaths(tmp_path / "parts")
    config = replace(SMALL, epochs=20)
    expected = train(PICTURES, ROWS, whole, config)
    script = (
        "import sys, numpy; from pathlib import Path; sys.path[:0] = sys.argv[2:]\n"
        "from tests.autoencoder.training.test_train import *\n"
        "train_module.SAVE_SECONDS = 0\n"
        "config = replace(SMALL, epochs=20)\n"
        "train(PICTURES, ROWS, IndexPaths(Path(sys.argv[1])), config, device=pick_device('cpu'))\n"
    )
    # The same number of threads, since the order of summation decides the last bit.
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    command = [sys.executable, "-c", script, str(parts.root), str(REPOSITORY)]
    with subprocess.Popen(command, env=environment) as process:
        wait_until((parts.training / STATE_NAME).exists, process=process, seconds=60)
        process.send_signal(signal.SIGKILL)
    assert not parts.model.exists()
    card = train(PICTURES, ROWS, parts, config)
    assert "Resumed an interrupted run at step" in card.note
    assert card.steps == expected.steps
    assert weights(parts) == weights(whole)


def test_a_run_is_not_resumed_from_scratch_or_with_other_images(paths: IndexPaths) -> None:
    train(PICTURES, ROWS, paths, SMALL, stop=StopAfter(2))
    card = train(PICTURES, ROWS[1:], paths, SMALL, stop=StopAfter(2))
    assert card.note.startswith("Started anew: the images changed")
    card = train(PICTURES, ROWS[1:], paths, SMALL, resume=False)
    assert card.note == ""


def test_fine_tuning_starts_from_a_checkpoint(tmp_path: Path) -> None:
    first, second = IndexPaths(tmp_path / "first"), IndexPaths(tmp_path / "second")
    origin = train(PICTURES, ROWS, first, replace(SMALL, epochs=4))
    card = train(
        PICTURES,
        ROWS,
        second,
        replace(SMALL, learning_rate=1e-7, network=ConvConfig(residuals=(1, 0, 0, 0))),
        init_from=first.model,
    )
    assert origin.digest[:12] in card.note
    assert card.network == origin.network
    assert card.metrics["reconstruction"] == pytest.approx(origin.metrics["reconstruction"], rel=0.2)
    with pytest.raises(ModelError, match="no model"):
        train(PICTURES, ROWS, second, SMALL, init_from=tmp_path / "nowhere")


@pytest.mark.parametrize("steps", [3, 9])
def test_fine_tuning_resumes_although_its_best_has_become_the_model(tmp_path: Path, steps: int) -> None:
    origin, whole, parts = (IndexPaths(tmp_path / name) for name in ("origin", "whole", "parts"))
    train(PICTURES, ROWS, origin, SMALL)
    config = replace(SMALL, seed=3, decoder_phase=0.4)
    expected = train(PICTURES, ROWS, whole, config, init_from=origin.model)
    stopped = train(PICTURES, ROWS, parts, config, init_from=origin.model, stop=StopAfter(steps))
    finished = train(PICTURES, ROWS, parts, config, init_from=parts.model)
    assert f"Resumed an interrupted run at step {steps}" in finished.note
    assert finished.training["from"] == stopped.training["from"] == expected.training["from"]
    assert weights(parts) == weights(whole)


def test_a_run_from_scratch_keeps_its_rates_when_it_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts = IndexPaths(tmp_path / "whole"), IndexPaths(tmp_path / "parts")
    config, scales = replace(SMALL, decoder_phase=0.4), []

    def noting(*arguments: Any, **phase: Any) -> list[torch.optim.Optimizer]:
        scales.append((phase["decoder_phase"], phase["scale"]))
        return make_optimisers(*arguments, **phase)

    monkeypatch.setattr(run_module, "make_optimisers", noting)
    train(PICTURES, ROWS, whole, config)
    train(PICTURES, ROWS, parts, config, stop=StopAfter(4))
    assert train(PICTURES, ROWS, parts, config, init_from=parts.model).training["from"] == "scratch"
    assert weights(parts) == weights(whole)
    # Of the whole run, its first part, and the rest.
    assert scales == [(False, 1.0), (True, 1.0), (False, 1.0), (False, 1.0), (True, 1.0)]


def test_fine_tuning_is_slower_by_its_share(tmp_path: Path) -> None:
    origin, still, moved = (IndexPaths(tmp_path / name) for name in ("origin", "still", "moved"))
    train(PICTURES, ROWS, origin, SMALL)

    def first_layer(paths: IndexPaths) -> torch.Tensor:
        layer: torch.Tensor = load_checkpoint(paths.model, torch.device("cpu"))[0].state_dict()["encoder.0.weight"]
        return layer

    for share, paths, stands in ((0.0, still, True), (1.0, moved, False)):
        config = replace(SMALL, seed=3, fine_tuning=share, decoder_phase=0)
        train(PICTURES, ROWS, paths, config, init_from=origin.model)
        assert torch.equal(first_layer(paths), first_layer(origin)) == stands


@pytest.mark.parametrize("n", [16, 17, 40])
def test_sixteen_images_are_enough(paths: IndexPaths, n: int) -> None:
    card = train(PICTURES, ROWS[:n], paths, replace(SMALL, batch_size=512))
    assert np.isfinite(card.metrics["loss"])


def test_fifteen_are_not(paths: IndexPaths) -> None:
    with pytest.raises(ModelError, match="at least 16 images, here are 15"):
        train(PICTURES, ROWS[:15], paths, SMALL)


def test_validation_images_are_in_no_batch() -> None:
    data = TrainingData.split(PICTURES, ROWS, None, SMALL, torch.device("cpu"))
    n_epochs = 1 + len(ROWS) // data.batch_size  # an epoch leaves out the images that fill no batch
    batches = [batch for epoch in range(n_epochs) for batch in data.source.batches(epoch)]
    trained = {image.numpy().tobytes() for batch in batches for image in batch}
    held_out = {(image * 255).round().byte().numpy().tobytes() for image in data.validation.examples}
    assert len(trained) == len(data.training_rows)
    assert len(held_out) == len(ROWS) - len(data.training_rows) > 0
    assert trained & held_out == set()


def test_training_learns(paths: IndexPaths) -> None:
    reports: list[TrainProgress] = []
    wider = ConvConfig(channels=(16, 16, 32, 32, 64))
    config = replace(SMALL, epochs=30, batch_size=20, reconstruction_share=1.0, network=wider)
    train(PICTURES, ROWS, paths, config, on_progress=reports.append)
    joint = [each for each in reports if each.doing == "learning codes"]
    first, last = joint[:10], joint[-10:]
    for part in ("agreement", "reconstruction"):
        assert sum(each.parts[part] for each in last) < 0.85 * sum(each.parts[part] for each in first)


def test_a_set_that_does_not_fit_is_streamed(paths: IndexPaths, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reports: list[TrainProgress] = []
    train(PICTURES, ROWS, paths, replace(SMALL, memory_share=1e-12), on_progress=reports.append)
    assert "streamed from disk" in caplog.text
    assert np.isfinite(reports[-1].loss)


def test_a_budget_in_minutes_ends_in_time(paths: IndexPaths) -> None:
    reports: list[TrainProgress] = []
    config = replace(SMALL, epochs=None, minutes=0.03)
    card = train(PICTURES, ROWS, paths, config, on_progress=reports.append)
    assert card.seconds >= 1.8
    assert card.steps > 0
    assert reports[0].step == 1
    assert list(dict.fromkeys(each.doing for each in reports)) == [
        "learning codes",
        "learning to decode",
        "whitening codes, making bits",
    ]
    assert 0 < reports[0].seconds_left <= 1.8
    assert reports[0].loss == pytest.approx(
        300 * reports[0].parts["reconstruction"] + reports[0].parts["agreement"], rel=1e-4
    )


def test_an_infinite_loss_stops_with_advice_and_leaves_the_model(paths: IndexPaths) -> None:
    train(PICTURES, ROWS, paths, SMALL)
    before = weights(paths)
    with pytest.raises(ModelError, match="Lower them"):
        train(PICTURES, ROWS, paths, replace(SMALL, learning_rate=1e30))
    assert weights(paths) == before
    assert not (paths.training / STATE_NAME).exists()


def test_the_best_before_a_nan_loss_is_kept(paths: IndexPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [0]

    def breaks(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
        calls[0] += 1
        return agreement_loss(first, second, temperature) * (torch.nan if calls[0] > 10 else 1)

    monkeypatch.setattr("imgsearch.autoencoder.objectives.unsupervised.agreement_loss", breaks)
    with pytest.raises(ModelError, match="Lower them"):
        train(PICTURES, ROWS, paths, SMALL)
    card = load_checkpoint(paths.model, torch.device("cpu"))[1]
    assert "best weights before that" in card.note
    assert np.isfinite(card.metrics["loss"])
    assert not (paths.training / STATE_NAME).exists()


def test_one_trainer_at_a_time(paths: IndexPaths) -> None:
    with exclusive(paths.training, "training"), pytest.raises(IndexDirectoryError, match="training"):
        train(PICTURES, ROWS, paths, SMALL)


def test_stopped_before_the_first_step_nothing_is_made(paths: IndexPaths) -> None:
    with pytest.raises(ModelError, match="before its first step"):
        train(PICTURES, ROWS, paths, SMALL, stop=StopAfter(0))
    assert not paths.model.exists()


@pytest.mark.parametrize(
    "make",
    [
        lambda: TrainConfig(minutes=1, epochs=1),
        lambda: TrainConfig(minutes=0),
        lambda: TrainConfig(minutes=-1),
        lambda: TrainConfig(epochs=0),
        lambda: TrainConfig(batch_size=1),
        lambda: TrainConfig(decoder_phase=1),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(make: Callable[[], TrainConfig]) -> None:
    with pytest.raises(ModelError):
        make()


def test_in_the_decoder_phase_only_the_decoder_and_the_rest_of_the_code_learn() -> None:
    network = ConvAutoencoder(NARROW)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = torch.from_numpy(PICTURES).permute(0, 3, 1, 2).float() / 255
    (optimiser,) = make_optimisers(network, SMALL, pick_device("cpu"), decoder_phase=True)
    network.eval()
    network.decoder.train()
    for _ in range(3):
        parts = Objective(SMALL).decoder_loss(network, Batch(images, torch.Generator()))
        optimiser.zero_grad()
        parts["loss"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
    after = network.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    code_layer = {name for name in after if torch.equal(after[name], network.code_layer.weight)} | {
        name for name in after if torch.equal(after[name], network.code_layer.bias)
    }
    assert code_layer <= changed
    assert all(name.startswith("decoder.") for name in changed - code_layer)
    for name in code_layer:
        assert torch.equal(after[name][: NARROW.invariant_size], before[name][: NARROW.invariant_size])
    assert parts["loss"].item() == pytest.approx(SMALL.reconstruction_weight * parts["reconstruction"].item())
    assert parts.keys() == {"loss", "reconstruction"}


def test_reconstructions_improve_in_the_decoder_phase(paths: IndexPaths) -> None:
    reports: list[TrainProgress] = []
    wider = ConvConfig(channels=(16, 16, 32, 32, 64))
    config = replace(SMALL, epochs=80, batch_size=20, decoder_phase=0.5, network=wider)
    train(PICTURES, ROWS, paths, config, on_progress=reports.append)
    errors = [each.parts["reconstruction"] for each in reports if each.doing == "learning to decode"]
    assert len(errors) == 80  # half of 80 epochs of 2 steps
    assert sum(errors[-10:]) < 0.75 * sum(errors[:10])


@pytest.mark.parametrize(("objective", "learned"), [("classify", True), ("agree", False)])
def test_a_loss_that_does_not_see_the_decoder_cannot_choose_one_that_has_not_learned(
    paths: IndexPaths, monkeypatch: pytest.MonkeyPatch, objective: str, learned: bool
) -> None:
    losses = iter(range(1000))  # each validation is worse than the one before
    monkeypatch.setattr(Run, "measure", lambda _: {"loss": float(next(losses))})
    config = replace(SMALL, epochs=8, decoder_phase=0.5, objective=((objective, 1.0),))
    card = train(PICTURES, ROWS, paths, config, labels=ROWS % 2)
    half = 8 * (len(ROWS) // SMALL.batch_size) // 2
    assert (card.steps > half - SMALL.batch_size) == learned
