"""What training minimises, as functions of tensors. Knows no data, no files and no encoder."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def make_head(code_size: int, width: int, out: int = 128) -> nn.Module:
    """Codes (n, code_size) to what the agreement is measured on; width 0: the codes themselves. Serves training only.

    A head leaves more in the code than the views agree on (SimCLR, Chen et al. 2020); without one the distances that
    are trained are those that are searched.
    """
    if width == 0:
        return nn.Identity()
    hidden = nn.Linear(code_size, width, bias=False)
    return nn.Sequential(hidden, nn.BatchNorm1d(width), nn.ReLU(inplace=True), nn.Linear(width, out))


def reconstruction_loss(reconstructions: Tensor, images: Tensor) -> Tensor:
    """Mean squared error per value, both (n, 3, 32, 32) in 0..1; a scalar."""
    return functional.mse_loss(reconstructions, images)


def agreement_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """NT-Xent (SimCLR, Chen et al. 2020): each view must find its twin among all other views of the batch.

    `first` and `second` are (n, d), row i of both being views of the same image; returns a scalar,
    about log(2n - 1) for a network that knows nothing.
    """
    n = len(first)
    views = functional.normalize(torch.cat([first, second]).float(), dim=1)  # (2n, d)
    similarity = views @ views.T / temperature  # (2n, 2n)
    itself = torch.eye(2 * n, dtype=torch.bool, device=views.device)
    twins = torch.arange(2 * n, device=views.device).roll(n)
    return functional.cross_entropy(similarity.masked_fill(itself, -torch.inf), twins)
