"""Digits from a hundred labels, by a ladder network and by the same network without the ladder.

Source: Rasmus et al., "Semi-supervised learning with ladder networks" (NIPS 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig, TrainProgress
from imgsearch.autoencoder.data.batches import as_examples
from imgsearch.autoencoder.networks.config import LadderConfig
from imgsearch.autoencoder.networks.ladder import LadderAutoencoder
from imgsearch.autoencoder.training.train import train
from imgsearch.errors import LabError
from imgsearch.lab.datasets import Digits, digits
from imgsearch.lab.drawing import curves_above_images
from imgsearch.lab.finding import SMALL, Finding, Lab

WITH, WITHOUT = "ladder", "labels only"
SHARES = {WITH: (0.0, 0.9), WITHOUT: (0.9, 0.1)}  # of the experiment: beginning and length of each part
LABELS_PER_DIGIT = 10
CLASS_COST = 2.0  # weight of denoising the last layer; 0.1 in the paper
PARTS = 10  # of a training; after each, the test error is measured
SHOWN = 10  # digits in the picture
HIDDEN, SMALL_HIDDEN = (1000, 500, 250, 250, 250), (100, 50, 25)  # as in the paper, and for the small size
# With many small steps, Adam alone is as good as Muon for the matrices and takes half the time.
CONFIG = TrainConfig(
    objective=(("ladder", 1.0),),
    batch_size=100,
    matrix_rate=0.0,
    learning_rate=4e-3,
    warmup=0.02,
    decoder_phase=0.05,
    whitening=0.0,
)


@dataclass
class Run:
    """Test errors of a network during its training."""

    network: LadderAutoencoder
    steps: list[int]  # at which the error was measured
    errors: list[float]  # shares of wrong test digits


def run(lab: Lab) -> Finding:
    """Compare test errors with and without the ladder, and draw noisy digits denoised by the ladder."""
    data = digits(lab)
    labels = few_labels(data.train_labels, lab.by_size(3, LABELS_PER_DIGIT, LABELS_PER_DIGIT), lab.seed)
    n_labels = int((labels >= 0).sum())
    hidden = SMALL_HIDDEN if lab.size == SMALL else HIDDEN
    whole = ladder_of((data.side**2, *hidden, len(np.unique(data.train_labels))))
    budgets = {  # labels alone are learned quickly
        WITH: lab.by_size({"epochs": 30}, {"minutes": 8.0}, {"epochs": 150}),
        WITHOUT: lab.by_size({"epochs": 30}, {"minutes": 1.0}, {"epochs": 15}),
    }
    networks = {WITH: whole, WITHOUT: replace(whole, costs=(0.0,))}
    runs = {name: follow(lab, data, labels, name, networks[name], budget) for name, budget in budgets.items()}
    errors = {name: each.errors[-1] for name, each in runs.items()}
    pictures = denoised(lab, data, runs[WITH].network)
    return Finding(
        name="ladder",
        title=f"Digits from {n_labels} labels",
        source="Rasmus et al. 2015",
        data=f"{data.sentence} {n_labels} of the training digits have a label.",
        columns=("network", "steps", "error on test digits"),
        lines=tuple((name, f"{each.steps[-1]:,}", f"{each.errors[-1]:.2%}") for name, each in runs.items()),
        figures={
            "labels": n_labels,
            "error": errors,
            "curve": {name: {"steps": each.steps, "errors": each.errors} for name, each in runs.items()},
        },
        conclusion=f"With {n_labels} labels, the ladder network classifies {errors[WITH]:.1%} of the test digits "
        f"wrongly, the same network without the ladder {errors[WITHOUT]:.1%}. The digits without labels make the "
        "difference.",
        picture=curves_above_images(
            {name: (each.steps, [100 * error for error in each.errors]) for name, each in runs.items()},
            "steps",
            "error on test digits, %",
            {name: images.reshape(-1, data.side, data.side) for name, images in pictures.items()},
        ),
    )


def ladder_of(sizes: tuple[int, ...]) -> LadderConfig:
    """Return a network with the paper's costs, except a class cost 20 times as high, which helps with few steps."""
    costs = LadderConfig.costs
    return LadderConfig(sizes, costs=(*costs, *costs[-1:] * (len(sizes) - len(costs) - 1), CLASS_COST))


def few_labels(labels: NDArray[np.int64], of_each: int, seed: int) -> NDArray[np.int64]:
    """Keep the labels (n,) of `of_each` random examples of each class; all others become -1."""
    rng = np.random.default_rng(seed)
    kept = np.concatenate([rng.permutation(np.flatnonzero(labels == label))[:of_each] for label in np.unique(labels)])
    few = np.full_like(labels, -1)
    few[kept] = labels[kept]
    return few


def follow(
    lab: Lab, data: Digits, labels: NDArray[np.int64], name: str, network: LadderConfig, budget: dict[str, Any]
) -> Run:
    """Train in parts and measure the test error after each; pausing does not change the training.

    Raises:
        LabError: the experiment was stopped.
    """
    config = replace(CONFIG, network=network, seed=lab.seed, **budget)
    paths = lab.scratch(f"ladder-{name.replace(' ', '-')}")
    run, n_parts = Run(LadderAutoencoder(network), [], []), lab.by_size(2, PARTS, PARTS)
    for part in range(1, n_parts + 1):
        show, stop = until(lab, name, part / n_parts)
        card = train(
            data.train,
            np.arange(len(data.train)),
            paths,
            config,
            labels=labels,
            resume=part > 1,
            device=lab.device,
            on_progress=show,
            stop=stop,
        )
        trained, _ = load_checkpoint(paths.model, lab.device.device)
        assert isinstance(trained, LadderAutoencoder)
        run.network = trained.eval()
        run.steps.append(card.steps)
        run.errors.append(error_on_test(lab, data, run.network))
        if lab.stop():
            raise LabError("the experiment was stopped before its end.")
        if card.training["finished"]:
            break
    return run


def until(lab: Lab, name: str, end: float) -> tuple[Callable[[TrainProgress], None], Callable[[], bool]]:
    """Return a progress callback of a training, and the function that stops it at this share of its budget."""
    reached = [0.0]

    def show(progress: TrainProgress) -> None:
        reached[0] = progress.fraction
        begin, share = SHARES[name]
        text = f"{name}, {progress.doing}, step {progress.step:,}"
        lab.on_progress(begin + share * progress.fraction, 1, text)

    return show, lambda: lab.stop() or reached[0] >= end


@torch.no_grad()
def error_on_test(lab: Lab, data: Digits, network: LadderAutoencoder) -> float:
    """Return the share of test digits that the network classifies wrongly."""
    examples = as_examples(data.test, lab.device.device)
    found = network.classify(network.encode(examples)).argmax(1).cpu().numpy()
    return float((found != data.test_labels).mean())


@torch.no_grad()
def denoised(lab: Lab, data: Digits, network: LadderAutoencoder) -> dict[str, NDArray[np.uint8]]:
    """Return one test digit of each kind, (kinds, d): clean, noisy, denoised by the ladder, decoded from its code."""
    shown = [np.flatnonzero(data.test_labels == label)[0] for label in np.unique(data.test_labels)][:SHOWN]
    examples = as_examples(data.test[shown], lab.device.device)
    generator = torch.Generator(lab.device.device).manual_seed(lab.seed)
    # Noisy layers are normalised over the batch, which therefore has to be large.
    others = as_examples(data.test[:1000], lab.device.device)
    noisy, logits = network.noisy(torch.cat([examples, others]), generator)
    clean = network.denoiser(noisy, logits.softmax(1))[0]
    rows = {"digits": examples, "with noise": noisy[0], "denoised": clean, "from the code": network(examples)[1]}
    return {name: grey(row[: len(shown)]) for name, row in rows.items()}


def grey(values: torch.Tensor) -> NDArray[np.uint8]:
    """Convert values, clipped to 0..1, to grey values."""
    grey: NDArray[np.uint8] = values.clamp(0, 1).mul(255).round().to(torch.uint8).cpu().numpy()
    return grey
