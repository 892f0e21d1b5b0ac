"""Decide the comparison of two models in advance, for tests of what follows from it."""

from pathlib import Path

import pytest

from imgsearch.autoencoder.card import read_card
from imgsearch.retrieval.evaluation.model_comparison import Comparison, ModelScore


def decide_comparisons(
    monkeypatch: pytest.MonkeyPatch, before: float, after: float, *, by_labels: bool = False
) -> None:
    """Let every comparison end with these shares: of distorted copies found, or of neighbours with the same label."""

    def compare(before_folder: Path, after_folder: Path, *_: object, **__: object) -> Comparison:
        first, second = (
            ModelScore(read_card(folder).digest, 0.5 if by_labels else share, share if by_labels else None)
            for folder, share in ((before_folder, before), (after_folder, after))
        )
        return Comparison(36, first, second)

    monkeypatch.setattr("imgsearch.retrieval.evaluation.model_comparison.compare_models", compare)
