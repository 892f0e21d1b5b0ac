import json

import pytest

from imgsearch.autoencoder.networks.config import ConvConfig, DenseConfig, LadderConfig, NetworkConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.autoencoder.networks.registry import NETWORKS, build_network, describe_network
from imgsearch.errors import ModelError

# The default of dense has 140 million weights, that of the ladder is for digits.
SMALL: dict[str, NetworkConfig] = {"dense": DenseConfig((3072, 64, 256)), "ladder": LadderConfig((3072, 64, 256, 10))}


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_network_is_built_again_from_its_description_in_json(kind: str) -> None:
    record = NETWORKS[kind]
    description = json.loads(json.dumps(describe_network(SMALL.get(kind) or record.config())))
    assert description["kind"] == kind
    network = build_network(description)
    assert f"{type(network).__module__}:{type(network).__name__}" == record.network
    assert network.code_size == 256


def test_settings_survive_the_way_through_json() -> None:
    description = json.loads(json.dumps(describe_network(ConvConfig(code_size=32, invariant_size=24))))
    network = build_network(description)
    assert isinstance(network, ConvAutoencoder)
    assert network.code_size == 32


@pytest.mark.parametrize(
    "description", [{}, {"kind": "dense9"}, {"kind": "conv"}, {"kind": "conv", "config": {"colour": 3}}]
)
def test_what_this_version_does_not_know_is_refused(description: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        build_network(description)
