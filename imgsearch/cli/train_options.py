"""What the options of `imgsearch train` ask for: a network, an objective, a budget. Must not know how one trains."""

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from imgsearch.corpus.labels import own_labels
from imgsearch.corpus.store import Corpus
from imgsearch.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imgsearch.autoencoder.config import TrainConfig
    from imgsearch.autoencoder.networks.registry import NetworkConfig

# Where the default's objective cannot be learned.
OBJECTIVES = {"pca": "reconstruct", "switches": "reconstruct", "ladder": "ladder"}
LADDER_SIZES = (3072, 2048, 1024, 512, 256)  # of a ladder for images, to its code
FEWEST_CLASSES = 2
NO_SWITCHES = (
    "switches carry the places of the maxima around the code: reconstructions look good while the code holds less, and "
    "it is the code that is searched. Use --unpool repeat, or take switches all the same with --force. "
    "What they do, shows: imgsearch lab unpool"
)


def train_config(arguments: Namespace, corpus: Corpus) -> "TrainConfig":
    """What is to be trained, and how.

    Raises:
        ModelError: options that contradict each other.
    """
    from imgsearch.autoencoder.config import TrainConfig, parse_objective
    from imgsearch.autoencoder.networks.ladder import LadderConfig

    network = network_asked_for(arguments)
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


def labels_for(config: "TrainConfig", corpus: Corpus) -> "NDArray[np.int64] | None":
    """The corpus's labels as numbers (n,), where the objective learns from them."""
    from imgsearch.autoencoder.objectives.unsupervised import LABELLED_TERMS

    return own_labels(corpus).numbers if LABELLED_TERMS & dict(config.objective).keys() else None


def network_asked_for(arguments: Namespace) -> "NetworkConfig | None":
    """The network that the options describe, to be trained from scratch; None where they describe none.

    Raises:
        ModelError: they contradict each other, or sizes that are none.
    """
    from imgsearch.autoencoder.networks.conv import ConvConfig
    from imgsearch.autoencoder.networks.dense import DenseConfig
    from imgsearch.autoencoder.networks.ladder import LadderConfig
    from imgsearch.autoencoder.networks.pca import PcaConfig

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
        asked = sizes(arguments.sizes) if arguments.sizes else DenseConfig.sizes
        activation = arguments.activation or ("sigmoid" if arguments.pretrain == "rbm" else DenseConfig.activation)
        return DenseConfig(asked, activation=activation, tied=arguments.tied)
    only_sizes = arguments.sizes and not (arguments.tied or arguments.pretrain or arguments.activation)
    if of_dense and not (kind in ("pca", "ladder") and only_sizes):
        raise ModelError(f"--sizes, --activation, --tied and --pretrain are for the network dense, not for {kind}.")
    if kind == "ladder":
        return LadderConfig((*(sizes(arguments.sizes) if arguments.sizes else LADDER_SIZES), FEWEST_CLASSES))
    if kind == "pca":
        return PcaConfig(sizes(arguments.sizes)[-1]) if arguments.sizes else PcaConfig()
    if arguments.unpool == "switches" and not arguments.force:
        raise ModelError(NO_SWITCHES)
    return ConvConfig(unpool=arguments.unpool or "transpose")


def sizes(text: str) -> tuple[int, ...]:
    """Sizes as they are typed, 3072-1024-256.

    Raises:
        ModelError: they are none.
    """
    try:
        return tuple(int(size) for size in text.split("-"))
    except ValueError as error:
        raise ModelError(f"{text!r} are no sizes; write them as 3072-1024-256, from the image to the code.") from error
