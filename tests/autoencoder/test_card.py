import json
import subprocess
import sys
from pathlib import Path

import pytest

from imgsearch.autoencoder.card import CARD_NAME, read_card
from imgsearch.errors import Hint, ModelError

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
