import json
from pathlib import Path
from typing import Any

import pytest
import torch

from imgsearch.autoencoder.card import CARD_NAME, ModelCard, read_card
from imgsearch.autoencoder.checkpoint import WEIGHTS_NAME, load_checkpoint, save_checkpoint
from imgsearch.autoencoder.networks.config import ConvConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.autoencoder.networks.registry import describe_network
from imgsearch.errors import Hint, IndexDirectoryError, ModelError

CPU = torch.device("cpu")
CONFIG = ConvConfig(channels=(4, 8, 8, 8, 8))


def make_network(seed: int) -> ConvAutoencoder:
    torch.manual_seed(seed)
    return ConvAutoencoder(CONFIG).eval()


def save(folder: Path, network: ConvAutoencoder) -> ModelCard:
    fields: dict[str, Any] = {"training": {}, "metrics": {"loss": 1.5}, "code_size": 256, "steps": 1, "images_seen": 64}
    return save_checkpoint(
        folder, network.state_dict(), network=describe_network(CONFIG), seconds=0.1, device="a toy", **fields
    )


def test_a_checkpoint_gives_back_the_network_and_its_card(tmp_path: Path) -> None:
    network, images = make_network(1), torch.rand(4, 3, 32, 32)
    card = save(tmp_path, network)
    loaded, loaded_card = load_checkpoint(tmp_path, CPU)
    assert loaded_card == card == read_card(tmp_path)
    assert not loaded.training
    assert all(value.dtype != torch.float16 for value in loaded.state_dict().values())
    with torch.no_grad():
        assert torch.allclose(loaded.encode(images), network.encode(images), atol=0.01)
    assert sorted(path.name for path in tmp_path.iterdir()) == [CARD_NAME, WEIGHTS_NAME]


def test_weights_take_two_bytes_each(tmp_path: Path) -> None:
    network = make_network(1)
    save(tmp_path, network)
    n_weights = sum(value.numel() for value in network.state_dict().values())
    assert (tmp_path / WEIGHTS_NAME).stat().st_size < 2 * n_weights + 16_384  # and their names


def test_weights_and_card_of_two_trainings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgsearch.autoencoder.checkpoint.READ_PAUSE_SECONDS", 0)
    save(tmp_path / "one", make_network(1))
    save(tmp_path / "two", make_network(2))
    (tmp_path / "one" / WEIGHTS_NAME).replace(tmp_path / "two" / WEIGHTS_NAME)
    with pytest.raises(ModelError, match="do not belong together"):
        load_checkpoint(tmp_path / "two", CPU)


def test_a_reader_that_falls_between_the_two_files_reads_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, other = tmp_path / "model", tmp_path / "other"
    save(folder, make_network(1))
    new = save(other, make_network(2))
    (other / WEIGHTS_NAME).replace(folder / WEIGHTS_NAME)

    def writer_goes_on(seconds: float) -> None:
        (folder / CARD_NAME).write_text((other / CARD_NAME).read_text())

    monkeypatch.setattr("imgsearch.autoencoder.checkpoint.time.sleep", writer_goes_on)
    assert load_checkpoint(folder, CPU)[1].digest == new.digest


def test_missing_weights_and_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save(tmp_path, make_network(1))
    card = json.loads((tmp_path / CARD_NAME).read_text())
    card["network"]["config"]["residuals"] = [1, 0, 0, 0]
    (tmp_path / CARD_NAME).write_text(json.dumps(card))
    with pytest.raises(ModelError, match="do not fit"):
        load_checkpoint(tmp_path, CPU)
    (tmp_path / WEIGHTS_NAME).unlink()
    with pytest.raises(ModelError, match=r"no weights\.safetensors beside") as raised:
        load_checkpoint(tmp_path, CPU)
    assert raised.value.hint is Hint.TRAIN


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("not a folder")
    with pytest.raises(IndexDirectoryError, match="model"):
        save(tmp_path / "model", make_network(1))
