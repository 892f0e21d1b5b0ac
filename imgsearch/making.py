"""The commands that make models and look into them: train, lab. Each one library call, then the answer printed.

Knows no algorithm; torch is loaded by the commands that need it.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgsearch.autoencoder.current import SHIPPED, current_model
from imgsearch.console import note, readable_seconds, say, say_json, say_table, tracking
from imgsearch.corpus.labels import own_labels
from imgsearch.corpus.store import Corpus
from imgsearch.errors import LabError, ModelError
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.stopping import stopping
from imgsearch.text_commands import train_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imgsearch.autoencoder.config import TrainConfig, TrainProgress
    from imgsearch.autoencoder.networks import NetworkConfig
    from imgsearch.console import Tracker
    from imgsearch.device import DeviceChoice
    from imgsearch.lab.finding import Finding, Lab

OBJECTIVES = {
    "pca": "reconstruct",
    "switches": "reconstruct",
    "ladder": "ladder",
}  # where the default's cannot be learned
LADDER_SIZES = (3072, 2048, 1024, 512, 256)  # of a ladder for images, to its code
FEWEST_CLASSES = 2
NO_SWITCHES = (
    "switches carry the places of the maxima around the code: reconstructions look good while the code holds less, and "
    "it is the code that is searched. Use --unpool repeat, or take switches all the same with --force. "
    "What they do, shows: imgsearch lab unpool"
)


def train(arguments: Namespace) -> None:
    """Fine-tune the autoencoder on the corpus, or train it anew; take it if it finds no less than the one before."""
    from imgsearch.autoencoder.checkpoint import move_checkpoint
    from imgsearch.autoencoder.train import train as run_training
    from imgsearch.device import pick_device
    from imgsearch.retrieval.compare import compare_models

    if arguments.text:
        train_text(arguments, _sizes(arguments.sizes) if arguments.sizes else None)
        return
    paths = index_paths(arguments.index)
    device = pick_device(arguments.device)
    note(device.reason)
    is_new = _network_asked_for(arguments) is not None
    start = None if arguments.start in (None, "scratch") else Path(arguments.start)
    with Corpus.open(paths) as corpus:
        config = _train_config(arguments, corpus)
        before = model_before(paths, device)
        with stopping() as stop, tracking("training") as tracker:
            card = run_training(
                corpus.thumbnails(),
                corpus.live_rows(),
                paths,
                config,
                labels=_labels_for(config, corpus),
                start=before if arguments.start is None and not is_new else start,
                go_on=arguments.start is None,
                into=paths.candidate,
                device=device,
                on_progress=training_progress(tracker),
                stop=stop,
            )
        if card.note:
            note(card.note)
        with tracking("comparing") as tracker:
            comparison = compare_models(before, paths.candidate, corpus, device, on_progress=tracker.count)
    taken = arguments.keep == "new" or not comparison.is_worse
    if taken:
        move_checkpoint(paths.candidate, paths.model)
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


def _train_config(arguments: Namespace, corpus: Corpus) -> "TrainConfig":
    from imgsearch.autoencoder.config import TrainConfig, parse_objective
    from imgsearch.autoencoder.ladder import LadderConfig

    network = _network_asked_for(arguments)
    if isinstance(network, LadderConfig):  # its last layer are the classes
        network = replace(network, sizes=(*network.sizes[:-1], len(own_labels(corpus).names)))
    kind = "switches" if arguments.unpool == "switches" else arguments.network
    objective = arguments.objective or OBJECTIVES.get(kind, "agree")
    asked = {
        "batch_size": arguments.batch_size,
        "seed": arguments.seed,
        "objective": parse_objective(objective),
        "noise": arguments.noise,
        "noise_level": arguments.noise_level,
        "pretrain": arguments.pretrain or "",
    }
    if network is not None:
        asked["network"] = network
    if isinstance(network, LadderConfig):
        asked["matrix_rate"] = 0.0  # Adam moves all of it: for its many small steps Muon takes too long
    minutes = None if arguments.epochs else arguments.minutes or TrainConfig.minutes
    return TrainConfig(minutes=minutes, epochs=arguments.epochs, **asked)


def _labels_for(config: "TrainConfig", corpus: Corpus) -> "NDArray[np.int64] | None":
    """The corpus's labels as numbers (n,), where the objective learns from them."""
    from imgsearch.autoencoder.objectives import LABELLED_TERMS

    return own_labels(corpus).numbers if LABELLED_TERMS & dict(config.objective).keys() else None


def _network_asked_for(arguments: Namespace) -> "NetworkConfig | None":
    """The network that the options describe, to be trained from scratch; None where they describe none.

    Raises:
        ModelError: they contradict each other, or sizes that are none.
    """
    from imgsearch.autoencoder.conv import ConvConfig
    from imgsearch.autoencoder.dense import DenseConfig
    from imgsearch.autoencoder.ladder import LadderConfig
    from imgsearch.autoencoder.pca import PcaConfig

    kind = arguments.network
    of_dense = bool(arguments.sizes or arguments.tied or arguments.pretrain or arguments.activation)
    if kind is None and not of_dense and not arguments.unpool:
        return None
    if arguments.start not in (None, "scratch"):
        raise ModelError("a checkpoint brings its network along: leave out --from, or the options of the network.")
    kind = kind or ("conv" if arguments.unpool else "dense")
    if arguments.unpool and kind != "conv":
        raise ModelError(f"--unpool is for the network conv; {kind} has nothing to unpool.")
    if kind == "dense":
        sizes = _sizes(arguments.sizes) if arguments.sizes else DenseConfig.sizes
        activation = arguments.activation or ("sigmoid" if arguments.pretrain == "rbm" else DenseConfig.activation)
        return DenseConfig(sizes, activation=activation, tied=arguments.tied)
    only_sizes = arguments.sizes and not (arguments.tied or arguments.pretrain or arguments.activation)
    if of_dense and not (kind in ("pca", "ladder") and only_sizes):
        raise ModelError(f"--sizes, --activation, --tied and --pretrain are for the network dense, not for {kind}.")
    if kind == "ladder":
        return LadderConfig((*(_sizes(arguments.sizes) if arguments.sizes else LADDER_SIZES), FEWEST_CLASSES))
    if kind == "pca":
        return PcaConfig(_sizes(arguments.sizes)[-1]) if arguments.sizes else PcaConfig()
    if arguments.unpool == "switches" and not arguments.force:
        raise ModelError(NO_SWITCHES)
    return ConvConfig(unpool=arguments.unpool or "transpose")


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(size) for size in text.split("-"))
    except ValueError as error:
        raise ModelError(f"{text!r} are no sizes; write them as 3072-1024-256, from the image to the code.") from error


def training_progress(tracker: "Tracker") -> "Callable[[TrainProgress], None]":
    """Shows where a training stands."""

    def show(progress: "TrainProgress") -> None:
        tracker.fraction(
            progress.fraction,
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


def lab(arguments: Namespace) -> None:
    """Run one of the lecture's experiments, or all, and leave its picture and figures in `lab/`."""
    from imgsearch.device import pick_device
    from imgsearch.lab.experiments import run_experiment
    from imgsearch.lab.finding import Lab, write_finding

    paths = index_paths(arguments.index)
    device = pick_device(arguments.device)
    note(device.reason)
    with stopping() as stop, tracking(arguments.name) as tracker:
        room = Lab(paths, arguments.size, device, arguments.data, arguments.seed, tracker.fraction, stop)
        if arguments.name == "all":
            _tell_all(room, as_json=arguments.json)
            return
        finding = run_experiment(arguments.name, room)
    picture = write_finding(paths, finding)
    if arguments.json:
        say_json(finding.to_json())
    else:
        _say_finding(finding)
    note(f"drawn into {picture}")


def _tell_all(lab: "Lab", *, as_json: bool) -> None:
    from imgsearch.lab.story import in_order, page_of, tell_story

    story = []
    for told in tell_story(lab, in_order()):
        story.append(told)
        if told.finding is None:
            note(f"{told.name} is not shown: {told.reason}")
        elif not as_json:
            _say_finding(told.finding)
            say("")
    if all(told.finding is None for told in story):
        raise LabError(f"no experiment found anything. {' '.join(told.reason for told in story)}".strip())
    if as_json:
        say_json({told.name: told.finding.to_json() if told.finding else {"reason": told.reason} for told in story})
    note(f"told in {page_of(lab)}")


def _say_finding(finding: "Finding") -> None:
    say(f"{finding.title}\n{finding.data}")
    say_table(finding.columns, finding.lines)
    say(finding.conclusion)
