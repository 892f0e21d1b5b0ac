import pytest
import torch

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.autoencoder.optim.muon import Muon
from imgsearch.autoencoder.optim.optimisers import make_optimisers
from imgsearch.device import DeviceChoice

DEVICE = DeviceChoice(torch.device("cpu"), torch.float32, "for a test")


@pytest.mark.parametrize(("matrix_rate", "by_muon"), [(0.02, ["layers.1.weight", "layers.2.weight"]), (0.0, [])])
def test_muon_moves_the_encoder_s_inner_matrices_unless_their_rate_is_0(matrix_rate: float, by_muon: list[str]) -> None:
    network = DenseAutoencoder(DenseConfig((20, 12, 8, 6)))
    names = {parameter: name for name, parameter in network.named_parameters() if not name.startswith("hashing.")}
    optimisers = make_optimisers(network, TrainConfig(matrix_rate=matrix_rate), DEVICE)
    moved = {
        kind: [
            names[p] for o in optimisers if isinstance(o, Muon) == (kind == "muon") for p in o.param_groups[0]["params"]
        ]
        for kind in ("muon", "adam")
    }
    assert moved["muon"] == by_muon
    assert sorted(moved["muon"] + moved["adam"]) == sorted(names.values())  # each by exactly one optimiser
