"""Output that `train` and `finetune` share: progress of a training, and the comparison of two models."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from imgsearch.cli.output import readable_seconds, say
from imgsearch.progress import Progress

if TYPE_CHECKING:
    from imgsearch.autoencoder.config import TrainProgress
    from imgsearch.retrieval.evaluation.model_comparison import Comparison


def training_progress(tracker: Progress, unit: str = "images") -> "Callable[[TrainProgress], None]":
    """Return a callback that shows how far a training is."""

    def show(progress: "TrainProgress") -> None:
        parts = ", ".join(f"{name} {value:.4g}" for name, value in progress.parts.items())
        tracker(
            progress.fraction,
            1,
            f"{progress.doing}, epoch {progress.epoch}  loss {progress.loss:.3f} ({parts})  "
            f"{progress.images_per_second:,.0f} {unit}/s  {readable_seconds(progress.seconds_left)} left",
        )

    return show


def say_comparison(comparison: "Comparison") -> None:
    """Print what the two models find."""
    for line in comparison.lines():
        say(line)
