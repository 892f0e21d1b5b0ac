"""State of an unfinished training run on disk, so that `train` can resume it."""

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
FORMAT = 2  # of the state; another one is not resumed
SCRATCH = "scratch"
DESCRIBED = {"rows": "the images", "labels": "the labels", "network": "the network", "training": "the settings"}
logger = logging.getLogger(__name__)


@dataclass
class Position:
    """Progress of a run, as it is saved."""

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
    position: dict[str, Any] = field(default_factory=dict)  # of the run at that time
    weights: dict[str, Tensor] = field(default_factory=dict)


def identify(
    network: dict[str, Any],
    training: dict[str, Any],
    rows: NDArray[np.int64],
    labels: NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """Return what must be equal for a run to be resumed: network, settings, rows, and labels (None if unused).

    The budget may differ, since the schedule depends only on the spent share of it.
    """
    settings = {name: value for name, value in training.items() if name not in ("minutes", "epochs")}
    digest = hashlib.sha256(rows.tobytes()).hexdigest()
    # In the form of a checkpoint's card: a run can be resumed with the settings of the checkpoint it has made so far.
    as_read: dict[str, Any] = json.loads(json.dumps({"network": network, "training": settings}))
    learned = "" if labels is None else hashlib.sha256(labels.tobytes()).hexdigest()
    return as_read | {"rows": digest, "labels": learned}


def save_state(folder: Path, identity: dict[str, Any], position: Position, best: Best, parts: dict[str, Any]) -> None:
    """Replace the saved state.

    Args:
        folder: where it is kept.
        identity: from `identify`.
        position: how far the run is.
        best: the best weights so far.
        parts: state dicts by name.

    Raises:
        IndexDirectoryError: the folder cannot be written.
    """
    state = {"format": FORMAT, "identity": identity, "position": vars(position), "best": vars(best), "parts": parts}
    with replacing(folder / STATE_NAME) as temporary:
        torch.save(state, temporary)


def load_state(
    folder: Path, identity: dict[str, Any], device: torch.device
) -> tuple[Position, Best, dict[str, Any]] | str:
    """Load the saved position, best and parts, or return a sentence why no run can be resumed ("" = none was saved)."""
    path = folder / STATE_NAME
    if not path.exists():
        return ""
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        if state.get("format") != FORMAT:
            return f"Started anew: the interrupted run in {folder} was saved by another version of imgsearch."
        position, best = Position(**state["position"]), Best(**state["best"])
        saved, parts = state["identity"], state["parts"]
    except (OSError, EOFError, RuntimeError, AttributeError, KeyError, TypeError, pickle.UnpicklingError) as error:
        logger.debug("cannot read %s", path, exc_info=error)
        return f"Started anew: the interrupted run in {folder} is damaged."
    different = [words for name, words in DESCRIBED.items() if saved.get(name) != identity[name]]
    if different:
        changed = " and ".join(different)
        return f"Started anew: {changed} changed since the interrupted run of {position.images_seen:,} images."
    return position, best, parts


def discard(folder: Path) -> None:
    """Delete the saved state, if there is one."""
    with directory_errors(folder):
        (folder / STATE_NAME).unlink(missing_ok=True)
