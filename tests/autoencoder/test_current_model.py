from pathlib import Path

import torch

from imgsearch.autoencoder.card import CARD_NAME, read_card
from imgsearch.autoencoder.checkpoint import WEIGHTS_NAME, load_checkpoint
from imgsearch.autoencoder.current_model import SHIPPED, current_model
from imgsearch.paths import IndexPaths


def test_the_shipped_model_is_used_until_there_is_one_of_its_own(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    assert current_model(paths) == SHIPPED
    paths.model.mkdir()
    assert current_model(paths) == SHIPPED  # a training that was killed before its model was whole
    (paths.model / CARD_NAME).write_text("{}")
    assert current_model(paths) == paths.model


def test_the_shipped_model_is_whole_small_and_says_how_it_was_made() -> None:
    network, card = load_checkpoint(SHIPPED, torch.device("cpu"))
    assert (SHIPPED / WEIGHTS_NAME).stat().st_size <= 8_000_000
    assert (network.code_size, card.network["kind"]) == (256, "conv")
    made_with = read_card(SHIPPED).training
    assert made_with["command"].startswith("imgsearch train --from scratch")
    assert made_with["data"]
