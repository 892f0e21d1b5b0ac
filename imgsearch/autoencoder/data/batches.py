"""Batches of the training set, from memory or streamed from disk, in a shuffled order.

The order depends only on the seed and the epoch: a run that resumes in the middle of an epoch gets the batches that the
uninterrupted run would have got.
"""

import itertools
import os
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BLOCK_ROWS = 256  # neighbouring rows that are read together when streaming
POOL_BLOCKS = 64  # blocks that are shuffled together: about 50 MB


class Examples(Protocol):
    """Thumbnails (n, 32, 32, 3) uint8, or vectors (n, d) uint8 or float32; an array, or what is read like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of examples, then the shape of one."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""

    def __len__(self) -> int:
        """The number of examples."""

    def __getitem__(self, rows: slice | NDArray[np.int64], /) -> NDArray[Any]:
        """Return the chosen examples as an array."""


def split_rows(rows: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split rows into training rows and validation rows, both ascending; of the latter at least 4 and at most 512."""
    wanted = max(8, round(share * len(rows)))
    n_validation = min(wanted, len(rows) // 4, 512)
    shuffled = np.random.default_rng(seed).permutation(rows)
    return np.sort(shuffled[n_validation:]), np.sort(shuffled[:n_validation])


class BatchSource(Protocol):
    """A source of training batches."""

    batches_per_epoch: int

    def batches(self, epoch: int, first: int = 0) -> Iterator[Tensor]:
        """Yield the epoch's batches from number `first` on, as stored, on the device.

        Each is (batch_size, 3, 32, 32), channels last in memory, or (batch_size, d).
        """


def open_batches(
    examples: Examples,
    rows: NDArray[np.int64],
    batch_size: int,
    seed: int,
    device: torch.device,
    *,
    memory_share: float = 0.5,
) -> tuple[BatchSource, str]:
    """Return a source of batches of `examples[rows]`, and a sentence that explains the choice.

    The training set is held on the device, as it is stored, if it takes at most `memory_share` of the free memory
    there; otherwise it is streamed from the memory map. An epoch leaves out the images that do not fill a batch, and
    the next epoch leaves out others.
    """
    needed, free = len(rows) * examples[:1].nbytes, _free_bytes(device)
    size = f"{len(rows):,} images ({needed / 1e6:,.0f} MB)"
    if needed <= memory_share * free:
        return ResidentBatches(examples, rows, batch_size, seed, device), f"Training on {size}, held in memory."
    reason = f"Training on {size}, streamed from disk: too many for the {free / 1e6:,.0f} MB of free memory."
    return StreamedBatches(examples, rows, batch_size, seed, device), reason


def batches_from(source: BatchSource, step: int) -> Iterator[Tensor]:
    """Yield batches without end, epoch after epoch, from the batch of step number `step` on."""
    epoch, first = divmod(step, source.batches_per_epoch)
    for current in itertools.count(epoch):
        yield from source.batches(current, first)
        first = 0


def channels_first(examples: Tensor) -> Tensor:
    """Return images (n, 32, 32, 3) as (n, 3, 32, 32) without copying, vectors as they are."""
    return examples.permute(0, 3, 1, 2) if examples.ndim == 4 else examples


def as_floats(examples: Tensor) -> Tensor:
    """Return uint8 values as floats in 0..1, floats as they are."""
    return examples.float().div_(255) if examples.dtype == torch.uint8 else examples.float()


def as_examples(stored: Examples, device: torch.device) -> Tensor:
    """Return stored examples as networks take them, on the device: images (n, 3, 32, 32) in 0..1, or vectors (n, d).

    Images are channels last in memory.
    """
    return as_floats(channels_first(torch.from_numpy(np.array(stored)).to(device)))


class ResidentBatches:
    """The whole training set as one tensor on the device."""

    def __init__(
        self, examples: Examples, rows: NDArray[np.int64], batch_size: int, seed: int, device: torch.device
    ) -> None:
        self._stored = torch.from_numpy(examples[rows]).to(device)
        self._batch_size, self._seed = batch_size, seed
        self.batches_per_epoch = len(rows) // batch_size

    def batches(self, epoch: int, first: int = 0) -> Iterator[Tensor]:
        order = torch.from_numpy(_order(self._seed, epoch, len(self._stored))).to(self._stored.device)
        for batch in range(first, self.batches_per_epoch):
            chosen = order[batch * self._batch_size : (batch + 1) * self._batch_size]
            yield channels_first(self._stored[chosen])


class StreamedBatches:
    """The training set, read from the memory map: blocks of neighbouring rows in random order, shuffled within pools.

    Reading whole blocks keeps disk access sequential; the pools bound the memory that shuffling takes.
    """

    def __init__(
        self, examples: Examples, rows: NDArray[np.int64], batch_size: int, seed: int, device: torch.device
    ) -> None:
        self._examples, self._rows = examples, rows
        self._batch_size, self._seed, self._device = batch_size, seed, device
        self.batches_per_epoch = len(rows) // batch_size

    def batches(self, epoch: int, first: int = 0) -> Iterator[Tensor]:
        left_over = self._examples[:0]
        skipped = first * self._batch_size  # images of the batches before `first`
        remaining = self.batches_per_epoch - first
        for positions in self._pools(epoch):
            if skipped >= len(positions):
                skipped -= len(positions)
                continue
            pool = self._read(positions)[skipped:]
            skipped = 0
            pool = np.concatenate([left_over, pool])
            n_batches = min(len(pool) // self._batch_size, remaining)
            for batch in range(n_batches):
                images = pool[batch * self._batch_size : (batch + 1) * self._batch_size]
                yield channels_first(torch.from_numpy(images).to(self._device))
            left_over = pool[n_batches * self._batch_size :]
            remaining -= n_batches

    def _pools(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Yield positions in `rows`, pool after pool, each shuffled."""
        n_blocks = -(-len(self._rows) // BLOCK_ROWS)
        blocks = _order(self._seed, epoch, n_blocks)
        for number, start in enumerate(range(0, n_blocks, POOL_BLOCKS)):
            starts = np.sort(blocks[start : start + POOL_BLOCKS]) * BLOCK_ROWS
            positions = (starts[:, None] + np.arange(BLOCK_ROWS)).ravel()
            positions = positions[positions < len(self._rows)]
            yield positions[np.random.default_rng((self._seed, epoch, number)).permutation(len(positions))]

    def _read(self, positions: NDArray[np.int64]) -> NDArray[Any]:
        """Read the images at these positions in ascending order; return them in the given order."""
        images = np.empty((len(positions), *self._examples.shape[1:]), self._examples.dtype)
        ascending = np.argsort(positions)
        images[ascending] = self._examples[self._rows[positions[ascending]]]
        return images


def _order(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(n)


def _free_bytes(device: torch.device) -> int:
    """Free memory of the device; for a CPU the memory that is available without swapping."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:  # noqa: PTH123 - a kernel table, not a path of ours
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2  # no such table: half of all there is
