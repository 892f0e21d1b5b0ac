"""Which optimiser trains which parameters in which phase."""

from collections.abc import Iterable

import torch
from torch import nn

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.optim.muon import Muon
from imgsearch.device import DeviceChoice

LARGEST_SIDE = 1024  # of the smaller side of a matrix that Muon trains; larger ones cost more time than they repay
BETAS = (0.9, 0.95)  # of Adam: a shorter memory of squares than usual suits short trainings


def make_optimisers(
    network: Autoencoder,
    config: TrainConfig,
    device: DeviceChoice,
    *,
    decoder_phase: bool = False,
    scale: float = 1.0,
    heads: Iterable[nn.Parameter] = (),
) -> list[torch.optim.Optimizer]:
    """Return the optimisers of a phase; each parameter group remembers its peak rate as `peak`.

    In the joint phase Muon trains the encoder's matrices and Adam everything else. As Muon's authors advise, the first
    layer, which sees pixels, is left to Adam, and so are the decoder and very large matrices. In the decoder phase Adam
    trains the decoder and the layer that gives the code; all other parameters are frozen. The weights of the short
    binary codes are trained elsewhere (`postprocess`).

    Args:
        network: its parameters' `requires_grad` is set to whether they are trained.
        config: for the peak learning rates.
        device: for the precision of Muon's products.
        decoder_phase: which of the two phases.
        scale: factor on all rates.
        heads: parameters of modules beside the network that are trained in the joint phase.
    """
    optimisers: list[torch.optim.Optimizer]
    if decoder_phase:
        optimisers = [_adam(_trained_in_decoder_phase(network), scale * config.learning_rate, device)]
    else:
        matrices, others = _trained_jointly(network, uses_muon=config.matrix_rate > 0)
        # Muon's products need no more than bfloat16, where the device has it: on a CPU they take a quarter of the time.
        muon = [Muon(matrices, scale * config.matrix_rate, dtype=device.dtype)] if matrices else []
        optimisers = [*muon, _adam([*others, *heads], scale * config.learning_rate, device)]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


def _trained_jointly(network: Autoencoder, *, uses_muon: bool) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The matrices for Muon and the parameters for Adam."""
    binary, decoder = (set(map(id, part.parameters())) for part in (network.hashing, network.decoder))
    trained = [parameter for parameter in network.parameters() if id(parameter) not in binary]
    for parameter in trained:
        parameter.requires_grad_(True)
    matrices = [p for p in trained[1:] if uses_muon and _is_matrix(p) and id(p) not in decoder]
    chosen = set(map(id, matrices))
    return matrices, [parameter for parameter in trained if id(parameter) not in chosen]


def _is_matrix(parameter: nn.Parameter) -> bool:
    """Whether Muon takes it: a matrix or a convolution, neither of them very large."""
    return parameter.ndim > 1 and min(len(parameter), parameter[0].numel()) <= LARGEST_SIDE


def _trained_in_decoder_phase(network: Autoencoder) -> list[nn.Parameter]:
    trained = [*network.decoder.parameters(), *network.code_layer.parameters()]
    chosen = set(map(id, trained))
    for parameter in network.parameters():
        parameter.requires_grad_(id(parameter) in chosen)
    return trained


def _adam(parameters: list[nn.Parameter], rate: float, device: DeviceChoice) -> torch.optim.Adam:
    fused = device.device.type in ("cpu", "cuda")
    return torch.optim.Adam(parameters, rate, betas=BETAS, fused=fused)
