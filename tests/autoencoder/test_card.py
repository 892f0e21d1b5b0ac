import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from imgsearch.autoencoder.card import CARD_NAME, SHIPPED, current_model, read_card
from imgsearch.autoencoder.checkpoint import WEIGHTS_NAME, load_checkpoint
from imgsearch.errors import Hint, ModelError
from imgsearch.paths import IndexPaths

FIELDS = {
    "network": {"kind": "conv", "config": {}},
    "training": {"epochs": 1},
    "metrics": {"loss": 1.0},
    "digest": "ab" * 32,
    "code_size": 256,
    "metric": "cosine",
    "steps": 3,
    "images_seen": 96,
    "seconds": 1.5,
    "device": "Computing on 2 cores.",
    "made_at": "2026-01-01T00:00:00+00:00",
    "versions": {"torch": "2.11"},
}


def test_a_card_is_read_and_a_newer_version_s_fields_are_ignored(tmp_path: Path) -> None:
    (tmp_path / CARD_NAME).write_text(json.dumps(FIELDS | {"mood": "good"}))
    card = read_card(tmp_path)
    assert card.digest == "ab" * 32
    assert card.note == ""


def test_no_model_hints_at_training(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model") as raised:
        read_card(tmp_path)
    assert raised.value.hint is Hint.TRAIN


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"digest": 3}', json.dumps(FIELDS | {"digest": 3}), "\udcff"])
def test_a_damaged_card_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / CARD_NAME).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ModelError, match=CARD_NAME):
        read_card(tmp_path)


def test_reading_a_card_does_not_load_torch() -> None:
    code = "import sys, imgsearch.autoencoder.card, imgsearch.autoencoder.codes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_shipped_model_is_used_until_there_is_one_of_its_own(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    assert current_model(paths) == SHIPPED
    paths.model.mkdir()
    assert current_model(paths) == SHIPPED  # as after a training that was killed before it saved a model
    (paths.model / CARD_NAME).write_text("{}")
    assert current_model(paths) == paths.model


def test_the_shipped_model_is_whole_small_and_says_how_it_was_made() -> None:
    network, card = load_checkpoint(SHIPPED, torch.device("cpu"))
    assert (SHIPPED / WEIGHTS_NAME).stat().st_size <= 8_000_000
    assert (network.code_size, card.network["kind"]) == (256, "conv")
    made_with = read_card(SHIPPED).training
    assert made_with["command"].startswith("imgsearch train --from scratch")
    assert made_with["data"]


def test_settings_of_an_older_card_are_read_under_their_new_names(tmp_path: Path) -> None:
    old = FIELDS | {
        "network": {"kind": "conv", "config": {"agreement_size": 192}},
        "training": {"looks": 0.4, "last_stage": 0.1, "network": {"agreement_size": 192}, "seed": 3},
    }
    (tmp_path / CARD_NAME).write_text(json.dumps(old))
    card = read_card(tmp_path)
    assert card.network == {"kind": "conv", "config": {"invariant_size": 192}}
    assert card.training == {
        "appearance_weight": 0.4,
        "decoder_phase": 0.1,
        "network": {"invariant_size": 192},
        "seed": 3,
    }
