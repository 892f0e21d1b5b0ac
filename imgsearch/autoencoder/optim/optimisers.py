"""Which optimiser moves which weights, in which stage. Knows the names of parameters; must not know objectives."""

from collections.abc import Callable

import torch

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.optim.muon import Muon
from imgsearch.device import DeviceChoice

LARGEST_SIDE = 1024  # of the smaller side of a matrix that Muon moves; larger ones would cost more time than they repay
BETAS = (0.9, 0.95)  # of Adam: a shorter memory of squares than usual suits short trainings


def make_optimisers(
    network: Autoencoder, config: TrainConfig, device: DeviceChoice, scale: float
) -> list[torch.optim.Optimizer]:
    """For the first stage: Muon for the encoder's matrices (none if their rate is 0), Adam for the rest. Each group
    remembers its `peak` rate.

    The first layer sees pixels and is left to Adam, as the method advises; so are the decoder and very large matrices,
    which would cost more time than they repay. `scale` multiplies both rates. The binary codes' weights are learned
    elsewhere.
    """
    named = [(name, p) for name, p in network.named_parameters() if not name.startswith("hashing.")]
    for _, parameter in named:
        parameter.requires_grad_(True)
    first = named[0][1]
    elsewhere = ("decoder.", "classifier.")
    matrices = [p for name, p in named if p.ndim > 1 and p is not first and not name.startswith(elsewhere)]
    matrices = [p for p in matrices if config.matrix_rate and min(len(p), p[0].numel()) <= LARGEST_SIDE]
    chosen = {id(parameter) for parameter in matrices}
    others = [parameter for _, parameter in named if id(parameter) not in chosen]
    # Muon's products need no more than bfloat16, where the device has it: on a CPU they take a quarter of the time.
    muon = [Muon(matrices, scale * config.matrix_rate, dtype=device.dtype)] if matrices else []
    return remembering_peaks([*muon, _adam(others, scale * config.learning_rate, device)])


def make_last_optimisers(
    network: Autoencoder, config: TrainConfig, device: DeviceChoice, scale: float
) -> list[torch.optim.Optimizer]:
    """For the last stage: Adam for the decoder and the layer that gives the code; all else stands still."""
    learning = [*network.decoder.parameters(), *network.code_layer.parameters()]
    moving = {id(parameter) for parameter in learning}
    for parameter in network.parameters():
        parameter.requires_grad_(id(parameter) in moving)
    return remembering_peaks([_adam(learning, scale * config.learning_rate, device)])


def optimisers_of(last_stage: bool) -> Callable[..., list[torch.optim.Optimizer]]:
    """What makes the optimisers of a stage, from network, configuration, device and scale."""
    return make_last_optimisers if last_stage else make_optimisers


def remembering_peaks(optimisers: list[torch.optim.Optimizer]) -> list[torch.optim.Optimizer]:
    """Note each group's rate as its `peak`, which schedules scale."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


def _adam(parameters: list[torch.nn.Parameter], rate: float, device: DeviceChoice) -> torch.optim.Adam:
    fused = device.device.type in ("cpu", "cuda")
    return torch.optim.Adam(parameters, rate, betas=BETAS, fused=fused)
