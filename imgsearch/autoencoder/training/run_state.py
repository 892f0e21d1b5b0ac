"""An unfinished training run on disk: saved now and then, so that the next `train` goes on where this one was cut off.

Knows the files of `training/`; must not know how a step is made.
"""

import hashlib
import json
import logging
import math
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgsearch.paths import directory_errors, replacing

STATE_NAME = "state.pt"
SCRATCH = "scratch"
DESCRIBED = {"rows": "the images", "labels": "the labels", "network": "the network", "training": "the settings"}
logger = logging.getLogger(__name__)


@dataclass
class Position:
    """How far a run has come."""

    step: int = 0
    images_seen: int = 0
    seconds: float = 0.0  # all parts of the run together
    validations: int = 0  # done so far
    decoder_phase: bool = False  # the phase that the optimisers' states belong to
    init_from: str = SCRATCH  # digest of the checkpoint that the run started from, or SCRATCH
    pretraining: list[dict[str, Any]] = field(default_factory=list)  # a report per layer that was pre-trained


@dataclass
class Best:
    """The weights that did best on the validation images so far."""

    loss: float = math.inf
    metrics: dict[str, float] = field(default_factory=dict)
    position: dict[str, Any] = field(default_factory=dict)  # where the run was then
    weights: dict[str, Tensor] = field(default_factory=dict)


def identify(
    network: dict[str, Any],
    training: dict[str, Any],
    rows: NDArray[np.int64],
    labels: NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """What must be the same for a run to go on. The budget may differ: the schedule only follows the share of it.

    `labels` are None where nothing learns from them.
    """
    settings = {name: value for name, value in training.items() if name not in ("minutes", "epochs")}
    digest = hashlib.sha256(rows.tobytes()).hexdigest()
    # As a checkpoint's card would hold them: a run can be gone on with from the card of what it has made so far.
    as_read: dict[str, Any] = json.loads(json.dumps({"network": network, "training": settings}))
    learned = "" if labels is None else hashlib.sha256(labels.tobytes()).hexdigest()
    return as_read | {"rows": digest, "labels": learned}


def save_state(folder: Path, identity: dict[str, Any], position: Position, best: Best, parts: dict[str, Any]) -> None:
    """Replace the saved state: `parts` maps names to state dicts. Raises IndexDirectoryError where it cannot."""
    state = {"identity": identity, "position": vars(position), "best": vars(best), "parts": parts}
    with replacing(folder / STATE_NAME) as temporary:
        torch.save(state, temporary)


def load_state(
    folder: Path, identity: dict[str, Any], device: torch.device
) -> tuple[Position, Best, dict[str, Any]] | str:
    """The saved position, best and parts, or a sentence why there is nothing to go on from ("" = nothing there)."""
    path = folder / STATE_NAME
    if not path.exists():
        return ""
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        position, best = Position(**state["position"]), Best(**state["best"])
        saved, parts = state["identity"], state["parts"]
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError) as error:
        logger.debug("cannot read %s", path, exc_info=error)
        return f"Started anew: the interrupted run in {folder} is damaged."
    different = [words for name, words in DESCRIBED.items() if saved.get(name) != identity[name]]
    if different:
        changed = " and ".join(different)
        return f"Started anew: {changed} changed since the interrupted run of {position.images_seen:,} images."
    return position, best, parts


def discard(folder: Path) -> None:
    """Forget the run: what is left is a folder without a state."""
    with directory_errors(folder):
        (folder / STATE_NAME).unlink(missing_ok=True)
