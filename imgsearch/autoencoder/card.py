"""The card of a checkpoint, `model.json`: how the weights beside it were made. JSON only, so it reads without torch."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from imgsearch.errors import ModelError

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
    """
    path = folder / CARD_NAME
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"no model in {folder} yet. Type: imgsearch train") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}). Type: imgsearch train") from error
    known = {entry.name for entry in fields(ModelCard)}
    try:
        return ModelCard(**{name: value for name, value in card.items() if name in known})
    except (AttributeError, TypeError) as error:
        raise ModelError(f"{path} is not a model card ({error}). Type: imgsearch train") from error
