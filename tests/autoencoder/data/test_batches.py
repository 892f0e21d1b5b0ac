from pathlib import Path

import numpy as np
import pytest
import torch

from imgsearch.autoencoder.data import batches as batches_module
from imgsearch.autoencoder.data.batches import (
    BatchSource,
    ResidentBatches,
    StreamedBatches,
    batches_from,
    open_batches,
    split_rows,
)
from tests.support.toy_images import toy_thumbnails

CPU = torch.device("cpu")
ROWS = np.arange(3, 203, 2, dtype=np.int64)  # 100 of 210 rows


@pytest.fixture
def thumbnails(tmp_path: Path) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    """Memory map of 210 thumbnails whose first pixel holds their row."""
    pictures = toy_thumbnails(210)
    pictures[:, 0, 0, 0] = np.arange(210)
    pictures.tofile(tmp_path / "thumbnails.u8")
    return np.memmap(tmp_path / "thumbnails.u8", np.uint8, "r", shape=(210, 32, 32, 3))


@pytest.fixture(params=[ResidentBatches, StreamedBatches])
def source(
    request: pytest.FixtureRequest,
    thumbnails: np.memmap[tuple[int, ...], np.dtype[np.uint8]],
    monkeypatch: pytest.MonkeyPatch,
) -> BatchSource:
    monkeypatch.setattr(batches_module, "BLOCK_ROWS", 8)
    monkeypatch.setattr(batches_module, "POOL_BLOCKS", 3)
    made: BatchSource = request.param(thumbnails, ROWS, 16, 7, CPU)
    return made


def rows_of(batch: torch.Tensor) -> list[int]:
    assert batch.shape == (16, 3, 32, 32)
    assert batch.dtype == torch.uint8
    rows: list[int] = batch[:, 0, 0, 0].tolist()
    return rows


def test_an_epoch_gives_every_row_at_most_once_in_full_batches(source: BatchSource) -> None:
    assert source.batches_per_epoch == 6
    batches = [rows_of(batch) for batch in source.batches(0)]
    seen = [row for batch in batches for row in batch]
    assert len(batches) == 6
    assert len(set(seen)) == 96
    assert set(seen) <= set(ROWS.tolist())
    assert seen != sorted(seen)


def test_epochs_differ_and_each_can_be_taken_up_in_its_middle(source: BatchSource) -> None:
    first, second = ([rows_of(batch) for batch in source.batches(epoch)] for epoch in (0, 1))
    assert first != second
    for start in range(6):
        assert [rows_of(batch) for batch in source.batches(1, start)] == second[start:]


def test_batches_go_on_over_the_end_of_an_epoch(source: BatchSource) -> None:
    expected = [rows_of(batch) for epoch in (0, 1) for batch in source.batches(epoch)]
    batches = batches_from(source, 4)
    assert [rows_of(next(batches)) for _ in range(8)] == expected[4:]


def test_images_are_whole(source: BatchSource, thumbnails: np.memmap[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    batch = next(source.batches(0))
    for row, image in zip(rows_of(batch), batch, strict=True):
        assert np.array_equal(image.permute(1, 2, 0).numpy(), thumbnails[row])


def test_the_training_set_is_held_in_memory_only_where_it_fits(
    thumbnails: np.memmap[tuple[int, ...], np.dtype[np.uint8]],
) -> None:
    held, why = open_batches(thumbnails, ROWS, 16, 0, CPU)
    assert isinstance(held, ResidentBatches)
    assert "held in memory" in why
    streamed, why = open_batches(thumbnails, ROWS, 16, 0, CPU, memory_share=1e-9)
    assert isinstance(streamed, StreamedBatches)
    assert "streamed" in why


@pytest.mark.parametrize(("n", "held_out"), [(16, 4), (48, 8), (3000, 60), (1_000_000, 512)])
def test_some_images_are_held_out_and_none_is_lost(n: int, held_out: int) -> None:
    rows = np.arange(n, dtype=np.int64)
    training, validation = split_rows(rows, 0.02, 0)
    assert len(validation) == held_out
    assert np.array_equal(np.sort(np.concatenate([training, validation])), rows)
