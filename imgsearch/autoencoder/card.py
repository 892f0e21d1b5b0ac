"""The card of a checkpoint, `model.json`: how the weights beside it were made. JSON only, so it reads without torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgsearch.errors import Hint, ModelError
from imgsearch.records import read_record

CARD_NAME = "model.json"


@dataclass(frozen=True)
class ModelCard:
    """What `model.json` holds. Its digest names the model everywhere else: in the codes, the index and the answers."""

    network: dict[str, Any]  # {"kind": "conv", "config": {...}}: enough to build the network again
    training: dict[str, Any]  # the training configuration, and how far it came
    metrics: dict[str, float]  # on the validation images: loss, reconstruction, agreement
    code_size: int
    steps: int
    images_seen: int
    seconds: float  # of training, interrupted parts included
    device: str  # the sentence of `pick_device`
    digest: str  # sha256 of weights.safetensors, hexadecimal
    made_at: str  # ISO 8601, UTC
    versions: dict[str, str]
    metric: str = "cosine"  # how codes are to be compared: "cosine" or "l2"
    note: str = ""  # what the trainer had to say: went on from an interrupted run, or why it could not


def read_card(folder: Path) -> ModelCard:
    """Read `model.json` in `folder`.

    Raises:
        ModelError: there is none, or it is damaged.
        IndexDirectoryError: it is there and cannot be read.
    """
    path = folder / CARD_NAME
    return read_record(
        path,
        ModelCard,
        missing=ModelError(f"no model in {folder} yet.", hint=Hint.TRAIN),
        damaged=lambda reason: ModelError(f"{path} is not a model card: {reason}.", hint=Hint.TRAIN),
    )
