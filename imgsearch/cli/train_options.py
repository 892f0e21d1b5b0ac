"""Options of `imgsearch train`, turned into a training configuration by the library's recipes."""

from argparse import Namespace
from typing import TYPE_CHECKING

from imgsearch.corpus.labels import own_labels
from imgsearch.corpus.store import Corpus
from imgsearch.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imgsearch.autoencoder.config import TrainConfig
    from imgsearch.autoencoder.recipes import NetworkOptions


def train_config(arguments: Namespace, corpus: Corpus) -> "TrainConfig":
    """Return what is to be trained, and how.

    Raises:
        ModelError: options that contradict each other.
    """
    from imgsearch.autoencoder.recipes import recipe

    options = network_options(arguments)
    return recipe(
        options,
        objective=arguments.objective,
        n_classes=len(own_labels(corpus).names) if options.kind == "ladder" else 0,
        minutes=None if arguments.epochs else arguments.minutes,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
        noise=arguments.noise,
        noise_level=arguments.noise_level,
    )


def labels_for(config: "TrainConfig", corpus: Corpus) -> "NDArray[np.int64] | None":
    """The corpus's labels as numbers (n,), where the objective learns from them."""
    from imgsearch.autoencoder.recipes import needs_labels

    return own_labels(corpus).numbers if needs_labels(config) else None


def network_options(arguments: Namespace) -> "NetworkOptions":
    """Return the choices about the network.

    Raises:
        ModelError: a checkpoint is named beside them, or sizes that are none.
    """
    from imgsearch.autoencoder.recipes import NetworkOptions

    options = NetworkOptions(
        kind=arguments.network,
        sizes=sizes(arguments.sizes) if arguments.sizes else None,
        activation=arguments.activation,
        tied=arguments.tied,
        pretrain=arguments.pretrain,
        unpool=arguments.unpool,
        allow_switches=arguments.force,
    )
    if options.describes_network and arguments.start not in (None, "scratch"):
        raise ModelError("a checkpoint brings its network along: leave out --from, or the options of the network.")
    return options


def sizes(text: str) -> tuple[int, ...]:
    """Sizes as they are typed, 3072-1024-256.

    Raises:
        ModelError: they are none.
    """
    try:
        return tuple(int(size) for size in text.split("-"))
    except ValueError as error:
        raise ModelError(f"{text!r} are no sizes; write them as 3072-1024-256, from the image to the code.") from error
