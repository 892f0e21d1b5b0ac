from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from imgsearch.autoencoder import encode
from imgsearch.autoencoder.card import ModelCard
from imgsearch.autoencoder.codes import open_codes
from imgsearch.autoencoder.encode import encode_images, reconstruct, update_codes
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import ConvConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.device import pick_device
from imgsearch.errors import IndexDirectoryError, ModelError
from imgsearch.paths import IndexPaths, exclusive
from tests.support.progress import RecordedProgress
from tests.support.toy_images import toy_thumbnails

CPU = pick_device("cpu")


class CornerNetwork(Autoencoder):
    """Its code is the red, green and blue of the first four pixels, so that expected codes are easy to compute."""

    def __init__(self) -> None:
        super().__init__(12, 12)

    @property
    def code_layer(self) -> nn.Linear:
        raise NotImplementedError

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, :, 0, :4].permute(0, 2, 1).flatten(1)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        return codes[:, :3, None, None].expand(-1, -1, 32, 32)

    def change_basis(self, matrix: torch.Tensor, mean: torch.Tensor) -> None:
        raise NotImplementedError


def corner_codes(thumbnails: np.ndarray) -> np.ndarray:
    return thumbnails[:, 0, :4].reshape(len(thumbnails), 12).astype(np.float32) / 255


@dataclass
class Clock:
    """A progress callback that raises KeyboardInterrupt after a number of rows."""

    stop_at: int

    def __call__(self, done: float, total: float | None, text: str = "") -> None:
        if done >= self.stop_at:
            raise KeyboardInterrupt


@pytest.fixture
def card() -> ModelCard:
    return ModelCard(
        network={},
        training={},
        metrics={},
        digest="a" * 64,
        code_size=12,
        steps=0,
        images_seen=0,
        seconds=0,
        device="",
        made_at="",
        versions={},
    )


def test_codes_come_out_in_order_whatever_the_batch() -> None:
    thumbnails = toy_thumbnails(50)
    for batch_size in (1, 7, 50, 64):
        codes = encode_images(CornerNetwork(), thumbnails, CPU, batch_size=batch_size)
        assert codes.dtype == np.float32
        assert np.allclose(codes, corner_codes(thumbnails))
    assert encode_images(CornerNetwork(), thumbnails[:0], CPU).shape == (0, 12)


def test_reconstructions_are_thumbnails_again() -> None:
    thumbnails = toy_thumbnails(5)
    pictures = reconstruct(CornerNetwork(), thumbnails, CPU)
    assert pictures.dtype == np.uint8
    assert np.array_equal(pictures, np.broadcast_to(thumbnails[:, :1, :1], thumbnails.shape))
    torch.manual_seed(0)
    assert reconstruct(ConvAutoencoder(ConvConfig()).eval(), thumbnails, CPU).shape == (5, 32, 32, 3)


def test_an_interrupted_update_is_continued(tmp_path: Path, card: ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "BLOCK_ROWS", 10)
    paths, thumbnails, network = IndexPaths(tmp_path), toy_thumbnails(35), CornerNetwork()
    with pytest.raises(KeyboardInterrupt):
        update_codes(thumbnails, paths, network, card, CPU, on_progress=Clock(20))
    assert open_codes(paths.codes)[1].rows == 20
    seen = RecordedProgress()
    update_codes(thumbnails, paths, network, card, CPU, on_progress=seen)
    assert seen.steps == [(30, 35), (35, 35)]
    assert np.array_equal(open_codes(paths.codes)[0], corner_codes(thumbnails).astype(np.float16))


def test_only_rows_without_a_code_are_encoded_unless_all_are_asked_for(tmp_path: Path, card: ModelCard) -> None:
    paths, thumbnails, network = IndexPaths(tmp_path), toy_thumbnails(20), CornerNetwork()
    assert update_codes(thumbnails[:15], paths, network, card, CPU).rows == 15
    changed = thumbnails.copy()
    changed[:15] = 0
    assert update_codes(changed, paths, network, card, CPU).rows == 20
    assert np.array_equal(open_codes(paths.codes)[0], corner_codes(thumbnails).astype(np.float16))
    update_codes(changed, paths, network, card, CPU, full=True)
    assert np.array_equal(open_codes(paths.codes)[0], corner_codes(changed).astype(np.float16))
    seen = RecordedProgress()
    update_codes(changed, paths, network, card, CPU, on_progress=seen)
    assert seen.calls == []


def test_a_new_model_encodes_every_row(tmp_path: Path, card: ModelCard) -> None:
    paths, thumbnails = IndexPaths(tmp_path), toy_thumbnails(20)
    update_codes(thumbnails, paths, CornerNetwork(), card, CPU)
    seen = RecordedProgress()
    other = replace(card, digest="b" * 64)
    update_codes(thumbnails, paths, CornerNetwork(), other, CPU, on_progress=seen)
    assert seen.steps == [(20, 20)]
    assert open_codes(paths.codes)[1].model == "b" * 64


def test_nan_codes_and_a_second_writer_are_refused(tmp_path: Path, card: ModelCard) -> None:
    paths, network = IndexPaths(tmp_path), ConvAutoencoder(ConvConfig(code_size=12, invariant_size=12)).eval()
    with torch.no_grad():
        next(network.encoder.parameters()).fill_(torch.nan)
    with pytest.raises(ModelError, match="NaN or infinite"):
        update_codes(toy_thumbnails(4), paths, network, card, CPU)
    with exclusive(paths.codes, "encoding"), pytest.raises(IndexDirectoryError, match="another process is encoding"):
        update_codes(toy_thumbnails(4), paths, CornerNetwork(), card, CPU)
