"""Denoising: a network trained to remove noise, compared with one trained on clean digits alone.

Source: Vincent, Larochelle, Bengio & Manzagol, "Extracting and Composing Robust Features with Denoising Autoencoders"
(ICML 2008). One layer of sigmoids with tied weights, as in the paper, so that its weights can be looked at.
"""

from dataclasses import replace

import numpy as np
import torch

from imgsearch.autoencoder.encode import reconstruct
from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.autoencoder.objectives.base import Batch
from imgsearch.autoencoder.objectives.unsupervised import noisy
from imgsearch.lab.datasets import digits
from imgsearch.lab.drawing import rows_of_images
from imgsearch.lab.experiments.learning import (
    as_grey,
    filters,
    in_unit,
    learn,
    measuring,
    one_of_each,
    recipe,
    squared_error,
)
from imgsearch.lab.finding import Finding, Lab

UNITS, SMALL_UNITS = 500, 48
SHOWN = 10
NOISE = 0.5  # standard deviation of the noise in each pixel


def run(lab: Lab) -> Finding:
    """Train both networks, and measure and draw their reconstructions of clean and noisy digits."""
    data = digits(lab)
    n_values, units = data.side**2, lab.by_size(SMALL_UNITS, UNITS, UNITS)
    network = DenseConfig((n_values, units), code="sigmoid", tied=True)
    plain = recipe(network, data.train, lab.by_size(25, 20, 100), lab.seed)
    denoising = replace(plain, objective=(("denoise", float(n_values)),), noise_level=NOISE)
    clean = in_unit(data.test)
    batch = Batch(torch.from_numpy(clean), torch.Generator().manual_seed(lab.seed))
    spoilt = noisy(batch, denoising).numpy()  # (n, d)
    chosen = one_of_each(data.test_labels, SHOWN)
    rows = {name: as_grey(vectors[chosen], data.side) for name, vectors in (("clean", clean), ("noisy", spoilt))}
    looks, errors = {}, {"nothing": (0.0, float(np.square(spoilt - clean).sum(1).mean()))}
    for name, config, share in (("plain", plain, (0.0, 0.5)), ("denoising", denoising, (0.5, 1.0))):
        trained = learn(lab, data.train, f"denoise-{name}", config, share)
        errors[name] = (squared_error(trained, clean, clean, lab), squared_error(trained, spoilt, clean, lab))
        rows[f"{name}, from noisy"] = as_grey(reconstruct(trained, spoilt[chosen], measuring(lab.device)), data.side)
        looks[f"{name}, units"] = filters(trained, SHOWN, data.side)
    return Finding(
        name="denoise",
        title="Denoising",
        source="Vincent, Larochelle, Bengio & Manzagol 2008",
        data=data.sentence,
        columns=("network", "squared error of a clean digit", "of a noisy digit, against the clean one"),
        lines=tuple((name, f"{clean_in:.2f}", f"{noisy_in:.2f}") for name, (clean_in, noisy_in) in errors.items()),
        figures={
            "noise": NOISE,
            "squared_error_of_clean": {name: clean_in for name, (clean_in, _) in errors.items()},
            "squared_error_of_noisy": {name: noisy_in for name, (_, noisy_in) in errors.items()},
        },
        conclusion=f"Noise with a deviation of {NOISE} per pixel causes an error of {errors['nothing'][1]:.0f}. The "
        f"denoising network reduces it to {errors['denoising'][1]:.1f}, the plain one to {errors['plain'][1]:.1f}. On "
        f"clean digits the denoising network is less exact ({errors['denoising'][0]:.2f} against "
        f"{errors['plain'][0]:.2f}).",
        picture=rows_of_images(rows | looks),
    )
