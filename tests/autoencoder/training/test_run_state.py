from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.training.run_state import (
    SCRATCH,
    STATE_NAME,
    Best,
    Position,
    discard,
    identify,
    load_state,
    save_state,
)

CPU = torch.device("cpu")
ROWS = np.arange(20, dtype=np.int64)
NETWORK: dict[str, Any] = {"kind": "conv", "config": {"residuals": (0, 1)}}
TRAINING: dict[str, Any] = {"minutes": 10.0, "epochs": None, "learning_rate": 0.1, "augment": {"grey_share": 0.2}}
IDENTITY = identify(NETWORK, TRAINING, ROWS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    position = Position(step=7, images_seen=70, seconds=1.5, validations=2)
    best = Best(3.25, {"loss": 3.25}, {"step": 5}, {"weight": torch.ones(2)})
    save_state(
        tmp_path, IDENTITY, position, best, {"network": {"weight": torch.arange(3.0)}, "optimiser": {"state": {0: 1}}}
    )
    return tmp_path


def test_a_saved_run_comes_back(folder: Path) -> None:
    found = load_state(folder, IDENTITY, CPU)
    assert not isinstance(found, str)
    position, best, parts = found
    assert position == Position(7, 70, 1.5, 2, init_from=SCRATCH)
    assert (best.loss, best.metrics, best.position) == (3.25, {"loss": 3.25}, {"step": 5})
    assert torch.equal(best.weights["weight"], torch.ones(2))
    assert torch.equal(parts["network"]["weight"], torch.arange(3.0))


def test_a_run_goes_on_with_another_budget(folder: Path) -> None:
    assert not isinstance(
        load_state(folder, identify(NETWORK, TRAINING | {"minutes": None, "epochs": 3}, ROWS), CPU), str
    )


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        (identify(NETWORK, TRAINING, ROWS[1:]), "the images changed"),
        (identify(NETWORK, TRAINING | {"learning_rate": 0.2}, ROWS), "the settings changed"),
        (identify({"kind": "dense"}, TRAINING, ROWS), "the network changed"),
        (identify({"kind": "dense"}, TRAINING, ROWS[1:]), "the images and the network changed"),
    ],
)
def test_a_run_with_other_images_or_settings_says_so(folder: Path, identity: dict[str, Any], words: str) -> None:
    found = load_state(folder, identity, CPU)
    assert isinstance(found, str)
    assert words in found
    assert "70 images" in found


def test_nothing_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert load_state(tmp_path, IDENTITY, CPU) == ""


@pytest.mark.parametrize("kept_bytes", [0, 10, 500, 1200])
def test_a_damaged_state_is_said_to_be(folder: Path, kept_bytes: int) -> None:
    (folder / STATE_NAME).write_bytes((folder / STATE_NAME).read_bytes()[:kept_bytes])
    found = load_state(folder, IDENTITY, CPU)
    assert isinstance(found, str)
    assert "damaged" in found


def test_a_state_of_another_version_is_not_resumed_and_says_so(folder: Path) -> None:
    state = torch.load(folder / STATE_NAME, weights_only=True)
    torch.save({name: value for name, value in state.items() if name != "format"}, folder / STATE_NAME)
    found = load_state(folder, IDENTITY, CPU)
    assert isinstance(found, str)
    assert "another version" in found


def test_a_discarded_run_is_gone(folder: Path) -> None:
    discard(folder)
    assert list(folder.iterdir()) == []
    discard(folder)
