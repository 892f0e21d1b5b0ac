"""Labelled examples, drawn beside each batch for loss terms that learn from labels."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgsearch.autoencoder.data.batches import Examples, as_examples

FEWEST_JUDGING, MOST_JUDGING = 20, 512  # labelled examples by which the best checkpoint is chosen


@dataclass(frozen=True)
class Labelled:
    """Rows of `examples` that have labels; there may be none."""

    examples: Examples
    rows: NDArray[np.int64]  # (m,)
    labels: NDArray[np.int64]  # (m,)

    @classmethod
    def of(cls, examples: Examples, rows: NDArray[np.int64], labels: NDArray[np.int64] | None) -> "Labelled":
        """Select those of `rows` that have a label; `labels` are (n,), -1 for none."""
        if labels is None:
            return cls(examples, rows[:0], rows[:0])
        chosen = rows[labels[rows] >= 0]
        return cls(examples, chosen, labels[chosen])

    @classmethod
    def split(
        cls,
        examples: Examples,
        training: NDArray[np.int64],
        validation: NDArray[np.int64],
        labels: NDArray[np.int64] | None,
    ) -> tuple["Labelled", "Labelled"]:
        """Return the labelled examples to learn from and those to validate on.

        Where too few validation rows have labels, all labelled rows are used for both: the best checkpoint is then
        about the one that was trained longest.
        """
        judging = cls.of(examples, validation, labels)
        if len(judging) >= FEWEST_JUDGING:
            return cls.of(examples, training, labels), judging
        everything = cls.of(examples, np.sort(np.concatenate([training, validation])), labels)
        few = np.sort(np.random.default_rng(0).permutation(len(everything))[:MOST_JUDGING])
        return everything, cls(examples, everything.rows[few], everything.labels[few])

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_classes(self) -> int:
        return int(self.labels.max(initial=-1)) + 1

    def draw(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw n examples with their labels (n,) at random; all of them, in random order, where there are no more."""
        if len(self) <= n:
            places = torch.randperm(len(self), generator=generator, device=generator.device)
        else:
            places = torch.randint(len(self), (n,), generator=generator, device=generator.device)
        return self._at(places.cpu().numpy(), generator.device)

    def everything(self, device: torch.device) -> tuple[Tensor, Tensor] | tuple[None, None]:
        """Return all examples with their labels, or (None, None) where there are none."""
        return self._at(np.arange(len(self)), device) if len(self) else (None, None)

    def _at(self, places: NDArray[np.int64], device: torch.device) -> tuple[Tensor, Tensor]:
        labels = torch.from_numpy(self.labels[places]).to(device)
        return as_examples(self.examples[self.rows[places]], device), labels
