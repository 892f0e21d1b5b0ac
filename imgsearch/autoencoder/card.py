"""Model cards (`model.json`, how the weights beside it were made) and the folder of the current model.

Imports no torch: a card is plain JSON.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imgsearch.errors import Hint, ModelError
from imgsearch.paths import IndexPaths
from imgsearch.records import read_record

CARD_NAME = "model.json"
SHIPPED = Path(__file__).with_name("shipped")  # trained on photographs of many kinds; its card says how
# Settings of networks and trainings that cards of version 0.1 hold under other names.
RENAMED = {
    "agreement_size": "invariant_size",
    "last_stage": "decoder_phase",
    "looks": "appearance_weight",
}


@dataclass(frozen=True)
class ModelCard:
    """Contents of `model.json`. The digest identifies the model in the codes, the index and the answers."""

    network: dict[str, Any]  # {"kind": "conv", "config": {...}}: enough to build the network again
    training: dict[str, Any]  # the training configuration, and how far the training went
    metrics: dict[str, float]  # on the validation images: loss, reconstruction, agreement
    code_size: int
    steps: int
    images_seen: int
    seconds: float  # of training, interrupted parts included
    device: str  # the sentence of `pick_device`
    digest: str  # sha256 of weights.safetensors, hexadecimal
    made_at: str  # ISO 8601, UTC
    versions: dict[str, str]
    metric: str = "cosine"  # how codes are compared: "cosine" or "l2"
    note: str = ""  # whether an interrupted run was resumed, or why it could not be


def read_card(folder: Path) -> ModelCard:
    """Read `model.json` in `folder`; settings are given their current names.

    Raises:
        ModelError: there is none, or it is damaged.
        IndexDirectoryError: it is there and cannot be read.
    """
    path = folder / CARD_NAME
    card = read_record(
        path,
        ModelCard,
        missing=ModelError(f"no model in {folder} yet.", hint=Hint.TRAIN),
        damaged=lambda reason: ModelError(f"{path} is not a model card: {reason}.", hint=Hint.TRAIN),
    )
    return replace(card, network=_renamed(card.network), training=_renamed(card.training))


def current_model(paths: IndexPaths) -> Path:
    """Return the folder of the model that encodes, searches and is fine-tuned: `paths.model`, or else `SHIPPED`."""
    return paths.model if (paths.model / CARD_NAME).exists() else SHIPPED


def _renamed(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        RENAMED.get(name, name): _renamed(value) if isinstance(value, dict) else value
        for name, value in settings.items()
    }
