"""Registry of networks: one record each. Imports no torch until a network is built."""

import pkgutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from imgsearch.autoencoder.networks.config import (
    ConvConfig,
    DenseConfig,
    LadderConfig,
    NetworkConfig,
    PcaConfig,
)
from imgsearch.errors import Hint, ModelError

if TYPE_CHECKING:
    from imgsearch.autoencoder.networks.base import Autoencoder


@dataclass(frozen=True)
class NetworkKind:
    """A kind of network: its classes, and the settings that suit it (see `recipes`)."""

    config: Callable[..., NetworkConfig]  # the class of its configuration
    network: str  # "module:class", imported when a network is built
    objective: str  # that it learns unless another one is chosen
    options: frozenset[str]  # fields of `recipes.NetworkOptions` that apply to it
    help: str  # one phrase, for lists of choices
    matrix_rate: float | None = None  # learning rate of its matrices, where the default does not suit


NETWORKS: dict[str, NetworkKind] = {
    "conv": NetworkKind(
        ConvConfig,
        "imgsearch.autoencoder.networks.conv:ConvAutoencoder",
        objective="agree",
        options=frozenset({"unpool"}),
        help="convolutions to 8192-4096-2048-1024-512 and a code of 256 (the default)",
    ),
    "dense": NetworkKind(
        DenseConfig,
        "imgsearch.autoencoder.networks.dense:DenseAutoencoder",
        objective="agree",
        options=frozenset({"sizes", "activation", "tied", "pretrain"}),
        help="fully connected, as in Krizhevsky & Hinton 2011",
    ),
    "ladder": NetworkKind(
        LadderConfig,
        "imgsearch.autoencoder.networks.ladder:LadderAutoencoder",
        objective="ladder",
        options=frozenset({"sizes"}),
        help="for a corpus of which a few images have labels (Rasmus et al. 2015)",
        matrix_rate=0.0,  # Adam moves everything: Muon takes too long for the many small steps of a ladder
    ),
    "pca": NetworkKind(
        PcaConfig,
        "imgsearch.autoencoder.networks.pca:PcaAutoencoder",
        objective="reconstruct",
        options=frozenset({"sizes"}),
        help="the linear autoencoder, fitted exactly",
    ),
}


def build_network(description: dict[str, Any]) -> "Autoencoder":
    """Build a fresh network from a description, as `describe_network` returns it and model cards hold it.

    Raises:
        ModelError: a kind or a setting that this version does not have.
    """
    kind = NETWORKS.get(description.get("kind", ""))
    if kind is None:
        known, found = ", ".join(NETWORKS), description.get("kind")
        raise ModelError(f"this version has no network {found!r}, only {known}.", hint=Hint.TRAIN)
    try:
        # JSON turns tuples into lists: turn them back, so that equal configurations compare equal.
        settings: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in description["config"].items()
        }
        network: Autoencoder = pkgutil.resolve_name(kind.network)(kind.config(**settings))
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the model card's network does not fit this version ({error}).") from error
    return network


def describe_network(config: NetworkConfig) -> dict[str, Any]:
    """Return `{"kind", "config"}`, as the model card holds it."""
    return {"kind": kind_of(config), "config": asdict(config)}


def kind_of(config: NetworkConfig) -> str:
    """Return the name in `NETWORKS` of a network with this configuration.

    Raises:
        ModelError: no network has a configuration of this type.
    """
    for name, kind in NETWORKS.items():
        if type(config) is kind.config:
            return name
    raise ModelError(f"no network takes a {type(config).__name__}.")
