"""Recipes: training configurations that suit a network and an objective, from a few choices.

The command line and Python callers get the same model for the same choices. Imports no torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

from imgsearch.autoencoder.config import DEFAULT_MINUTES, Terms, TrainConfig, parse_objective
from imgsearch.autoencoder.networks.config import (
    N_IMAGE_VALUES,
    SWITCHES,
    ConvConfig,
    DenseConfig,
    LadderConfig,
    NetworkConfig,
    PcaConfig,
)
from imgsearch.autoencoder.networks.registry import NETWORKS
from imgsearch.corpus.words import MOST_WORDS
from imgsearch.errors import Hint, ModelError

TRAIN_MINUTES, FINETUNE_MINUTES, TEXT_MINUTES = DEFAULT_MINUTES, 5.0, 2.0  # budgets where none is given
LADDER_SIZES = (N_IMAGE_VALUES, 2048, 1024, 512, 256)  # of a ladder for images, up to the code
FEWEST_CLASSES = 2
TEXT_HIDDEN, TEXT_CODE_SIZE = (500, 250, 125), 128
TEXT_SIZES = (MOST_WORDS, *TEXT_HIDDEN, TEXT_CODE_SIZE)
WITHHELD = 0.7  # share of a text's words that are hidden from the encoder in training


class Settings(TypedDict, total=False):
    """Fields of `TrainConfig` that a caller may choose beside a recipe; None counts as left out."""

    minutes: float | None
    epochs: int | None
    batch_size: int | None
    seed: int | None
    noise: str | None
    noise_level: float | None


@dataclass(frozen=True)
class NetworkOptions:
    """Choices about a network; whatever is left out follows from the others or from the kind's defaults."""

    kind: str | None = None  # one of `NETWORKS`
    sizes: tuple[int, ...] | None = None  # from the example to the code
    activation: str | None = None  # one of ACTIVATIONS
    tied: bool = False
    pretrain: str | None = None  # one of PRETRAININGS
    unpool: str | None = None  # one of UNPOOLINGS
    allow_switches: bool = False  # accept a decoder with switches, although its codes hold less

    @property
    def describes_network(self) -> bool:
        """Whether any choice was made. If not, the current model is fine-tuned; otherwise training starts anew."""
        return self.kind is not None or bool(self.given)

    @property
    def given(self) -> list[str]:
        """Names of the choices made beside the kind."""
        return [name for name in ("sizes", "activation", "tied", "pretrain", "unpool") if getattr(self, name)]


def recipe(
    network: str | NetworkOptions | None = None,
    *,
    objective: str | Terms | None = None,
    n_classes: int = 0,
    **settings: Unpack[Settings],
) -> TrainConfig:
    """Return the configuration that suits a network.

    Args:
        network: the kind of network, or choices in detail; None for the default.
        objective: what to learn, such as "reconstruct+0.1*contractive"; None for the objective that suits the network.
        n_classes: number of different labels, for networks that tell classes apart (the ladder).
        settings: fields of `TrainConfig`, which override what the recipe chooses.

    Raises:
        ModelError: choices that contradict each other, too few classes, or an objective that is no sum of terms.
    """
    options = network if isinstance(network, NetworkOptions) else NetworkOptions(network)
    kind = network_kind(options)
    suitable: dict[str, Any] = {"objective": _terms(objective or _default_objective(kind, options))}
    if options.describes_network:
        suitable["network"] = network_config(options, n_classes=n_classes)
    if NETWORKS[kind].matrix_rate is not None:
        suitable["matrix_rate"] = NETWORKS[kind].matrix_rate
    if options.pretrain:
        suitable["pretrain"] = options.pretrain
    return TrainConfig(**suitable | _chosen(settings))


def finetune_recipe(*, objective: str | Terms = "classify", **settings: Unpack[Settings]) -> TrainConfig:
    """Return the configuration with which the current model learns labels; `settings` as those of `recipe`.

    Raises:
        ModelError: an objective that is no sum of terms, or settings that make no sense.
    """
    return _with_budget(TrainConfig(objective=_terms(objective), **_chosen(settings)), FINETUNE_MINUTES)


def text_recipe(
    n_words: int,
    sizes: tuple[int, ...] = (*TEXT_HIDDEN, TEXT_CODE_SIZE),
    *,
    options: NetworkOptions | None = None,
    objective: str | Terms | None = None,
    **settings: Unpack[Settings],
) -> TrainConfig:
    """Return the configuration of the text autoencoder, for word vectors (n, n_words).

    The network of Hinton & Salakhutdinov (2006): 2000-500-250-125-10, a distribution over words as its output,
    cross-entropy as its loss. Two things differ: words are weighted by rarity on both sides, and most of them are
    withheld from the encoder (Vincent et al. 2008). That resembles a query of two words, and it keeps the network from
    memorising a few thousand texts.

    Args:
        n_words: size of the vocabulary.
        sizes: of the hidden layers and the code.
        options: activation, tied weights and pre-training; its other fields are ignored.
        objective: what to learn instead of reconstructing all words from a few.
        settings: as those of `recipe`.

    Raises:
        ModelError: sizes, an objective or settings that make no sense.
    """
    options = options or NetworkOptions()
    network = DenseConfig(
        (n_words, *sizes), options.activation or DenseConfig.activation, tied=options.tied, output="softmax"
    )
    suitable: dict[str, Any] = {
        "network": network,
        "pretrain": options.pretrain or "",
        "whitening": 0.0,  # whitened codes of 128 numbers find less; those of 10 find no more
    }
    if objective is None:
        suitable |= {"objective": _terms("denoise"), "noise": "mask", "noise_level": WITHHELD}
    else:
        suitable["objective"] = _terms(objective)
    return _with_budget(TrainConfig(**suitable | _chosen(settings)), TEXT_MINUTES)


def needs_labels(config: TrainConfig) -> bool:
    """Whether a term of the objective learns from labels.

    Raises:
        ModelError: a term that does not exist, or terms that would let all codes collapse into one point.
    """
    from imgsearch.autoencoder.objectives.registry import Objective  # loads torch

    return Objective(config).needs_labels


# ----------------------------------------------------------------------------------------------------------------------
# Networks


def network_kind(options: NetworkOptions) -> str:
    """Return the kind of network that the options describe.

    Raises:
        ModelError: there is no such kind, or an option does not apply to it.
    """
    kind = options.kind or ("conv" if options.unpool or not options.given else "dense")
    if kind not in NETWORKS:
        raise ModelError(f"there is no network {kind!r}; there are {', '.join(NETWORKS)}.")
    for name in options.given:
        if name not in NETWORKS[kind].options:
            suited = " and ".join(other for other, record in NETWORKS.items() if name in record.options)
            raise ModelError(f"{name} is for the network {suited}, not for {kind}.")
    return kind


def network_config(options: NetworkOptions, *, n_classes: int = 0) -> NetworkConfig:
    """Return the configuration of the network that the options describe.

    Raises:
        ModelError: options that contradict each other, or too few classes for a ladder.
    """
    kind = network_kind(options)
    if kind == "dense":
        suitable = "sigmoid" if options.pretrain == "rbm" else DenseConfig.activation  # machines have sigmoid units
        return DenseConfig(options.sizes or DenseConfig.sizes, options.activation or suitable, tied=options.tied)
    if kind == "ladder":
        if n_classes < FEWEST_CLASSES:
            raise ModelError("a ladder learns from labels of at least two classes, and there are none or one.")
        return LadderConfig((*(options.sizes or LADDER_SIZES), n_classes))
    if kind == "pca":
        return PcaConfig(options.sizes[-1]) if options.sizes else PcaConfig()
    if options.unpool == SWITCHES and not options.allow_switches:
        raise ModelError(
            "switches carry the places of the maxima around the code: reconstructions look good while the code holds "
            "less, and it is the code that is searched.",
            hint=Hint.UNPOOL_WITHOUT_SWITCHES,
        )
    return ConvConfig(unpool=options.unpool or ConvConfig.unpool)


def _default_objective(kind: str, options: NetworkOptions) -> str:
    return "reconstruct" if options.unpool == SWITCHES else NETWORKS[kind].objective


def _terms(objective: str | Terms) -> Terms:
    return parse_objective(objective) if isinstance(objective, str) else objective


def _chosen(settings: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _with_budget(config: TrainConfig, minutes: float) -> TrainConfig:
    return replace(config, minutes=minutes) if config.minutes is None and config.epochs is None else config
