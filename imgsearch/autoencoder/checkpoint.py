"""Checkpoints: folders with `weights.safetensors` and `model.json`.

The two files are replaced one right after the other. A reader that comes in between finds a digest that does not match
and reads again; a pair that still does not match is refused.
"""

import hashlib
import platform
import shutil
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from imgsearch.autoencoder.card import CARD_NAME, ModelCard, read_card
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.registry import build_network
from imgsearch.errors import Hint, ModelError
from imgsearch.paths import replacing
from imgsearch.records import decode_record, encode_record

WEIGHTS_NAME = "weights.safetensors"
PACKAGES = ("imgsearch", "torch", "numpy")  # whose versions go into the card
READ_TRIES, READ_PAUSE_SECONDS = 10, 0.1


def save_checkpoint(folder: Path, weights: dict[str, Tensor], **fields: Any) -> ModelCard:
    """Write a network's weights (its state dict) and their card into `folder`, replacing an earlier checkpoint.

    Weights are stored in float16: half the size, and the rounding is far smaller than the change of a training step.

    Args:
        folder: made if it does not exist.
        weights: the state dict.
        fields: the fields of `ModelCard` except digest, time and versions, which are filled in here.

    Returns:
        the card.

    Raises:
        IndexDirectoryError: the folder cannot be written.
    """
    encoded = save({name: _halved(value.detach().cpu()).contiguous() for name, value in weights.items()})
    fields["digest"] = hashlib.sha256(encoded).hexdigest()
    fields["made_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    fields["versions"] = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    text = encode_record(ModelCard(**fields))
    # Both are written in full before either is renamed, so that the pair mismatches only for an instant.
    with replacing(folder / CARD_NAME) as card_file, replacing(folder / WEIGHTS_NAME) as weights_file:
        card_file.write_text(text, encoding="utf-8")
        weights_file.write_bytes(encoded)
    return decode_record(text, ModelCard)


def load_checkpoint(folder: Path, device: torch.device) -> tuple[Autoencoder, ModelCard]:
    """Load the network in `folder` onto `device`, in evaluation mode, and its card.

    Raises:
        ModelError: there is no model, its two files do not belong together, or this version cannot build it.
    """
    encoded, card = _read_pair(folder)
    network = build_network(card.network)
    try:
        network.load_state_dict(load(encoded))
    except (SafetensorError, RuntimeError) as error:
        message = f"the weights in {folder} do not fit the network in {CARD_NAME}."
        raise ModelError(message, hint=Hint.TRAIN) from error
    return network.to(device).eval(), card


def move_checkpoint(source: Path, target: Path) -> None:
    """Move the checkpoint in `source` to `target`, replacing an earlier checkpoint there.

    Raises:
        IndexDirectoryError: a folder cannot be written.
    """
    with replacing(target / CARD_NAME) as card_file, replacing(target / WEIGHTS_NAME) as weights_file:
        card_file.write_bytes((source / CARD_NAME).read_bytes())
        weights_file.write_bytes((source / WEIGHTS_NAME).read_bytes())
    shutil.rmtree(source)


def _halved(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value


def _read_pair(folder: Path) -> tuple[bytes, ModelCard]:
    for attempt in range(READ_TRIES):
        if attempt:
            time.sleep(READ_PAUSE_SECONDS)
        card = read_card(folder)
        try:
            encoded = (folder / WEIGHTS_NAME).read_bytes()
        except OSError as error:
            message = f"there is no {WEIGHTS_NAME} beside {folder / CARD_NAME}."
            raise ModelError(message, hint=Hint.TRAIN) from error
        if hashlib.sha256(encoded).hexdigest() == card.digest:
            return encoded, card
    raise ModelError(
        f"{WEIGHTS_NAME} and {CARD_NAME} in {folder} do not belong together (the digest differs): a file was "
        "changed, or a training was interrupted while it replaced them.",
        hint=Hint.TRAIN,
    )
