"""Training as a library call: which labels are learned, which images compare the models, and which model is kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgsearch.autoencoder.card import read_card
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.model_comparison import TOLERANCE
from imgsearch.workflows.training import LabelSplit, TrainingResult, finetune, split_labels, train
from tests.support.comparison import decide_comparisons

HELD_OUT = 0.25
QUICK: dict[str, Any] = {"epochs": 1, "device": "cpu"}


class StoppedError(Exception):
    """Raised by a spy, so that nothing is trained."""


@pytest.fixture
def split(index: Path) -> LabelSplit:
    return split_labels(index, held_out=HELD_OUT)


# ---------------------------------------------------------------------------------------------------------------------
# Held-out labels


def test_held_out_labels_are_drawn_from_every_label_and_only_they_are_hidden(split: LabelSplit) -> None:
    numbers = split.labels.numbers
    assert sorted(set(numbers[split.held_out])) == [0, 1, 2]
    assert len(split.held_out) == round(HELD_OUT * len(numbers))
    learned = np.delete(np.arange(len(numbers)), split.held_out)
    assert (split.learned[split.held_out] == -1).all()
    assert np.array_equal(split.learned[learned], numbers[learned])


def test_finetune_learns_no_label_of_a_held_out_image(
    index: Path, split: LabelSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []

    def spy(*_: object, labels: np.ndarray, **__: object) -> None:
        seen.append(labels)
        raise StoppedError

    monkeypatch.setattr("imgsearch.autoencoder.training.train.train", spy)
    with pytest.raises(StoppedError):
        finetune(split, index, **QUICK)
    assert (seen[0][split.held_out] == -1).all()
    assert (np.delete(seen[0], split.held_out) >= 0).all()


def test_finetune_compares_the_models_by_held_out_images(
    index: Path, split: LabelSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def spy(*_: object, queries: np.ndarray, labels: list[str], **__: object) -> None:
        seen.extend([queries, labels])
        raise StoppedError

    monkeypatch.setattr("imgsearch.retrieval.evaluation.model_comparison.compare_models", spy)
    with pytest.raises(StoppedError):
        finetune(split, index, **QUICK)
    assert np.array_equal(seen[0], split.held_out)
    assert seen[1] == split.labels.texts()  # all labels: held-out images look for the others, too


# ---------------------------------------------------------------------------------------------------------------------
# Which model is kept


Call = Callable[[Path, LabelSplit, str], TrainingResult]


def call_train(index: Path, split: LabelSplit, keep: Any) -> TrainingResult:
    return train(index, keep=keep, **QUICK)


def call_finetune(index: Path, split: LabelSplit, keep: Any) -> TrainingResult:
    return finetune(split, index, keep=keep, **QUICK)


@pytest.mark.parametrize(
    ("call", "by_labels", "before", "after", "taken"),
    [
        (call_train, False, 0.9, 0.5, False),
        (call_train, False, 0.5, 0.9, True),
        (call_train, False, 0.5, 0.5 - TOLERANCE / 2, True),  # no worse, as far as can be told
        (call_finetune, True, 0.9, 0.5, False),
        (call_finetune, True, 0.5, 0.5, False),  # it must find more
        (call_finetune, True, 0.5, 0.6, True),
    ],
)
def test_the_better_model_is_kept(
    call: Call,
    by_labels: bool,
    before: float,
    after: float,
    taken: bool,
    index: Path,
    split: LabelSplit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide_comparisons(monkeypatch, before, after, by_labels=by_labels)
    paths = IndexPaths(index)
    old = read_card(paths.model).digest
    result = call(index, split, "better")
    assert result.taken == taken
    assert result.card.digest != old
    assert read_card(paths.model).digest == (result.card.digest if taken else old)
    assert result.folder == (paths.model if taken else paths.candidate)
    assert read_card(result.folder).digest == result.card.digest


@pytest.mark.parametrize("call", [call_train, call_finetune])
def test_a_worse_model_is_kept_on_demand(
    call: Call, index: Path, split: LabelSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_comparisons(monkeypatch, 0.9, 0.1, by_labels=True)
    result = call(index, split, "new")
    assert result.taken
    assert read_card(IndexPaths(index).model).digest == result.card.digest
