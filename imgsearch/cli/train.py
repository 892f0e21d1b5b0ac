"""The command that makes models, and what those that do it share. Knows no algorithm; torch is loaded when it runs."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from imgsearch.autoencoder.card import SHIPPED, current_model
from imgsearch.cli.output import note, readable_seconds, say, say_json, tracking
from imgsearch.cli.signals import stopping
from imgsearch.cli.text import train_text
from imgsearch.cli.train_options import labels_for, network_options, sizes, train_config
from imgsearch.corpus.store import Corpus
from imgsearch.errors import ModelError
from imgsearch.paths import IndexPaths, index_paths

if TYPE_CHECKING:
    from imgsearch.autoencoder.config import TrainProgress
    from imgsearch.device import DeviceChoice
    from imgsearch.progress import Progress


def train(arguments: Namespace) -> None:
    """Fine-tune the autoencoder on the corpus, or train it anew; take it if it finds no less than the one before."""
    from imgsearch.autoencoder.training.train import train as run_training
    from imgsearch.device import pick_device
    from imgsearch.retrieval.evaluation.model_comparison import compare_models

    if arguments.text:
        train_text(arguments, sizes(arguments.sizes) if arguments.sizes else None)
        return
    paths = index_paths(arguments.index)
    device = pick_device(arguments.device)
    note(device.reason)
    is_new = network_options(arguments).describes_network
    start = None if arguments.start in (None, "scratch") else Path(arguments.start)
    with Corpus.open(paths) as corpus:
        config = train_config(arguments, corpus)
        before = model_before(paths, device)
        with stopping() as stop, tracking("training") as tracker:
            card = run_training(
                corpus.thumbnails(),
                corpus.live_rows(),
                paths,
                config,
                labels=labels_for(config, corpus),
                init_from=before if arguments.start is None and not is_new else start,
                resume=arguments.start is None,
                into=paths.candidate,
                device=device,
                on_progress=training_progress(tracker),
                stop=stop,
            )
        if card.note:
            note(card.note)
        with tracking("comparing") as tracker:
            comparison = compare_models(before, paths.candidate, corpus, device, on_progress=tracker)
    taken = take_candidate(paths, arguments, is_better=not comparison.is_worse)
    if arguments.json:
        say_json(asdict(card) | {"comparison": comparison.to_json(), "taken": taken})
        return
    say(f"model {card.digest[:12]}: {card.images_seen:,} images seen in {readable_seconds(card.seconds)}")
    for line in comparison.lines():
        say(line)
    if taken:
        note("next: imgsearch reindex")
    else:
        say(f"It finds less than the model before, which stays. The new one lies in {paths.candidate}.")
        note("To take the new one all the same, train with --keep new.")


def take_candidate(paths: IndexPaths, arguments: Namespace, *, is_better: bool) -> bool:
    """Make the new model the current one, if it is better or was asked for all the same; whether it was."""
    from imgsearch.autoencoder.checkpoint import move_checkpoint

    taken = is_better or arguments.keep == "new"
    if taken:
        move_checkpoint(paths.candidate, paths.model)
    return taken


def training_progress(tracker: "Progress") -> "Callable[[TrainProgress], None]":
    """Shows where a training stands."""

    def show(progress: "TrainProgress") -> None:
        tracker(
            progress.fraction,
            1,
            f"{progress.doing}, epoch {progress.epoch}  loss {progress.loss:.3f} ({_parts(progress)})  "
            f"{progress.images_per_second:,.0f} images/s  {readable_seconds(progress.seconds_left)} left",
        )

    return show


def _parts(progress: "TrainProgress") -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in progress.parts.items())


def model_before(paths: IndexPaths, device: "DeviceChoice") -> Path:
    """The folder of the current model; the shipped one's where that is damaged, for then training mends it."""
    from imgsearch.autoencoder.checkpoint import load_checkpoint

    try:
        load_checkpoint(current_model(paths), device.device)
    except ModelError as error:
        note(f"{error}\nBeginning with the model that comes with imgsearch instead.")
        return SHIPPED
    return current_model(paths)
