"""The registry of networks: a kind's name to its configuration and class. One line per network."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.conv import ConvAutoencoder, ConvConfig
from imgsearch.autoencoder.networks.dense import DenseAutoencoder, DenseConfig
from imgsearch.autoencoder.networks.ladder import LadderAutoencoder, LadderConfig
from imgsearch.autoencoder.networks.pca import PcaAutoencoder, PcaConfig
from imgsearch.errors import ModelError

NetworkConfig = ConvConfig | DenseConfig | LadderConfig | PcaConfig

NETWORKS: dict[str, tuple[Callable[..., NetworkConfig], Callable[..., Autoencoder]]] = {
    "conv": (ConvConfig, ConvAutoencoder),
    "dense": (DenseConfig, DenseAutoencoder),
    "ladder": (LadderConfig, LadderAutoencoder),
    "pca": (PcaConfig, PcaAutoencoder),
}


def build_network(description: dict[str, Any]) -> Autoencoder:
    """A fresh network from what `describe_network` gave, or a model card holds.

    Raises:
        ModelError: a kind or a setting that this version does not know.
    """
    kind = description.get("kind")
    if kind not in NETWORKS:
        raise ModelError(f"this version knows no network {kind!r}, only {', '.join(NETWORKS)}. Type: imgsearch train")
    config_class, network_class = NETWORKS[kind]
    try:
        # JSON turns tuples into lists: turn them back, so that equal configurations compare equal.
        settings: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in description["config"].items()
        }
        return network_class(config_class(**settings))
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the model card's network does not fit this version ({error}).") from error


def describe_network(config: NetworkConfig) -> dict[str, Any]:
    """`{"kind", "config"}` for the model card."""
    for kind, (config_class, _) in NETWORKS.items():
        if type(config) is config_class:
            return {"kind": kind, "config": asdict(config)}
    raise ModelError(f"no network takes a {type(config).__name__}.")
