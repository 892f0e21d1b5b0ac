"""Random views of a batch of images, computed on the batch's device.

Every draw comes from the generator that is passed in: on a CPU the same generator state gives the same views.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from imgsearch.autoencoder.config import AugmentConfig

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


def random_views(images: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Return a random view of each image: crop, mirror, colours, cover; all (n, 3, 32, 32), float in 0..1."""
    return _cover(_colour(_crop(images, config, generator), config, generator), config, generator)


def _crop(images: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Crop a random part of each image, mirror half of them, and scale them up: one affine map, sampled once.

    Some crops reach beyond the image, because the subject of a picture is often cut off at its side.
    """
    n = len(images)
    area = _between(config.smallest_area, 1, n, images, generator)
    aspect = torch.exp(_between(-1, 1, n, images, generator) * math.log(config.widest_aspect))
    width = (area * aspect).sqrt().clamp(max=1)  # (n,) as a share of the image's side
    height = (area / aspect).sqrt().clamp(max=1)
    overhang = 2 * config.overhang * (_between(0, 1, n, images, generator) < config.overhang_share)  # an image spans 2
    affine = images.new_zeros(n, 2, 3)
    affine[:, 0, 0] = width * torch.sign(_between(-1, 1, n, images, generator))
    affine[:, 0, 2] = (1 - width + overhang) * _between(-1, 1, n, images, generator)
    affine[:, 1, 1] = height
    affine[:, 1, 2] = (1 - height + overhang) * _between(-1, 1, n, images, generator)
    grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _colour(images: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast, saturation and hue: one 3x3 matrix and one offset per image."""
    n = len(images)
    chosen = (_between(0, 1, n, images, generator) < config.colour_share).to(images.dtype)
    brightness, contrast, saturation = (
        1 + chosen * config.colour_strength * _between(-1, 1, n, images, generator) for _ in range(3)
    )
    grey = _between(0, 1, n, images, generator) < config.grey_share
    saturation = saturation.masked_fill(grey, 0)
    angle = chosen * 2 * math.pi * config.hue_strength * _between(-1, 1, n, images, generator)

    identity = torch.eye(3, device=images.device)
    luminance = torch.tensor(LUMINANCE, device=images.device).expand(3, 3)
    saturate = torch.lerp(luminance, identity, saturation[:, None, None])
    matrices = (brightness * contrast)[:, None, None] * (_hue_rotation(angle) @ saturate)  # (n, 3, 3)
    mean = images.mean((1, 2, 3))
    offsets = (brightness * (1 - contrast) * mean)[:, None, None]
    return torch.baddbmm(offsets, matrices, images.flatten(2)).clamp_(0, 1).view_as(images)


def _cover(images: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Cover a rectangle of some images with one random colour, as captions across pictures do.

    Source: Zhong et al., "Random Erasing Data Augmentation" (AAAI 2020).
    """
    n, channels, height, width = images.shape
    chosen = _between(0, 1, n, images, generator) < config.cover_share
    inside = chosen[:, None, None]
    for side, shape in ((height, (n, height, 1)), (width, (n, 1, width))):
        length = _between(*config.cover_sides, n, images, generator) * side  # (n,) pixels
        start = _between(0, 1, n, images, generator) * (side - length)
        place = torch.arange(side, device=images.device) + 0.5
        covered = (place >= start[:, None]) & (place < (start + length)[:, None])  # (n, side)
        inside = inside & covered.view(shape)
    colours = torch.rand(n, channels, 1, 1, device=images.device, generator=generator).to(images.dtype)
    return torch.where(inside[:, None], colours, images)


def _hue_rotation(angle: Tensor) -> Tensor:
    """Return matrices (n, 3, 3) that rotate RGB about the grey axis by angles (n,) (Rodrigues' formula)."""
    axis = 1 / math.sqrt(3)
    cross = torch.tensor([[0, -axis, axis], [axis, 0, -axis], [-axis, axis, 0]], device=angle.device)
    along = torch.full((3, 3), 1 / 3, device=angle.device)
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cosine * torch.eye(3, device=angle.device) + sine * cross + (1 - cosine) * along


def _between(low: float, high: float, n: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """Return n uniform draws on the images' device."""
    return low + (high - low) * torch.rand(n, device=like.device, generator=generator)
