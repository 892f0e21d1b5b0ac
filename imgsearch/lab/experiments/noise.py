"""Denoising: a network that is shown noisy digits and asked for clean ones, beside one that only saw clean ones.

Source: Vincent, Larochelle, Bengio & Manzagol, "Extracting and Composing Robust Features with Denoising Autoencoders"
(ICML 2008). One layer of sigmoids with tied weights, as theirs, so that its weights can be looked at.
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
NOISE = 0.5  # deviation of what is added to each pixel


def run(lab: Lab) -> Finding:
    """Squared error of a test digit, shown clean and shown noisy, by a plain and by a denoising network."""
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
        title="Noisy in, clean out",
        source="Vincent, Larochelle, Bengio & Manzagol 2008",
        data=data.sentence,
        columns=("network", "squared error of a clean digit", "of a noisy one, to the clean one"),
        lines=tuple((name, f"{clean_in:.2f}", f"{noisy_in:.2f}") for name, (clean_in, noisy_in) in errors.items()),
        figures={
            "noise": NOISE,
            "squared_error_of_clean": {name: clean_in for name, (clean_in, _) in errors.items()},
            "squared_error_of_noisy": {name: noisy_in for name, (_, noisy_in) in errors.items()},
        },
        conclusion=f"Noise of {NOISE} in each pixel costs {errors['nothing'][1]:.0f}; the denoising network takes all "
        f"but {errors['denoising'][1]:.1f} of it away, the plain one leaves {errors['plain'][1]:.1f}. "
        f"In return it copies clean ones less exactly ({errors['denoising'][0]:.2f} against {errors['plain'][0]:.2f}).",
        picture=rows_of_images(rows | looks),
    )
