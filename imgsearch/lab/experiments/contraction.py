"""Contraction: codes that change only where digits vary, measured by the encoder's Jacobian.

Source: Rifai, Vincent, Muller, Glorot & Bengio, "Contractive Auto-Encoders: Explicit Invariance During Feature
Extraction" (ICML 2011). One layer of sigmoids with tied weights, for which the penalty is exact.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.lab.datasets import digits
from imgsearch.lab.drawing import curves_beside_images
from imgsearch.lab.experiments.learning import filters, in_unit, learn, recipe, squared_error
from imgsearch.lab.finding import Finding, Lab
from imgsearch.progress import Progress, part_of, silent

UNITS, SMALL_UNITS = 500, 48
WEIGHT = 0.1  # of the squared Jacobian, relative to the squared error of a digit
SHOWN = 20  # units of each network in the picture
NOTICED = 0.1  # a direction counts if its singular value is at least this share of the largest


def run(lab: Lab) -> Finding:
    """Compare Jacobians and reconstruction errors of a plain and a contractive autoencoder."""
    data = digits(lab)
    n_values, units = data.side**2, lab.by_size(SMALL_UNITS, UNITS, UNITS)
    network = DenseConfig((n_values, units), code="sigmoid", tied=True)
    plain = recipe(network, data.train, lab.by_size(25, 20, 100), lab.seed)
    contractive = replace(plain, objective=(*plain.objective, ("contractive", WEIGHT)))
    test = in_unit(data.test)
    at = test[: lab.by_size(30, 50, 300)]
    looks, figures = {}, {}
    for name, config, begin in (("plain", plain, 0.0), ("contractive", contractive, 0.5)):
        trained = learn(lab, data.train, f"contract-{name}", config, (begin, begin + 0.4))
        looks[name] = filters(trained, SHOWN, data.side)
        values = singular_values(trained, at, part_of(lab.on_progress, begin + 0.4, begin + 0.5, f"{name}: Jacobians"))
        figures[name] = {"squared_error": squared_error(trained, test, test, lab)} | spectrum_summary(values)
    before, after = figures["plain"], figures["contractive"]
    spectra = {name: of["singular_values"] for name, of in figures.items()}
    curves = {name: (range(1, len(values) + 1), values) for name, values in spectra.items()}
    return Finding(
        name="contract",
        title="Codes that change only where digits vary",
        source="Rifai, Vincent, Muller, Glorot & Bengio 2011",
        data=f"{data.sentence} Jacobians at {len(at)} test digits.",
        columns=("network", "squared error of a test digit", "squared Jacobian", "directions that count"),
        lines=tuple(
            (name, f"{of['squared_error']:.2f}", f"{of['squared_jacobian']:.3g}", f"{of['directions']:.0f}")
            for name, of in figures.items()
        ),
        figures=figures,
        conclusion=f"The plain code responds to {before['directions']:.0f} directions (at least a tenth as strongly as "
        f"to the strongest), the contractive code to {after['directions']:.0f}. The squared Jacobian is "
        f"{before['squared_jacobian']:.3g} for the plain and {after['squared_jacobian']:.3g} for the contractive code, "
        f"the reconstruction error {before['squared_error']:.2f} and {after['squared_error']:.2f}.",
        picture=curves_beside_images(curves, "direction, strongest first", "singular value", looks),
    )


def spectrum_summary(values: NDArray[np.float32]) -> dict[str, Any]:
    """Summarise singular values (n, k), largest first, by means over the examples."""
    return {
        "squared_jacobian": float(np.square(values).sum(1).mean()),
        "directions": float((values >= NOTICED * values[:, :1]).sum(1).mean()),
        "singular_values": values.mean(0).tolist(),
    }


def singular_values(
    network: Autoencoder, examples: NDArray[np.float32], on_progress: Progress = silent
) -> NDArray[np.float32]:
    """Return singular values (n, min(code_size, d)) of the encoder's Jacobian at `examples` (n, d), largest first."""
    network.eval()
    device = next(network.parameters()).device

    def encode(example: torch.Tensor) -> torch.Tensor:
        codes: torch.Tensor = network.encode(example[None])[0]
        return codes

    spectra = []
    for number, example in enumerate(torch.from_numpy(examples).to(device), start=1):
        jacobian = torch.func.jacrev(encode)(example)  # (code_size, d)
        spectra.append(torch.linalg.svdvals(jacobian.detach().cpu()))
        on_progress(number, len(examples))
    values: NDArray[np.float32] = torch.stack(spectra).numpy()
    return values
