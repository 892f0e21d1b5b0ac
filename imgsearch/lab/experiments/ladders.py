"""Digits from a hundred labels: the ladder network, and the same network without its ladder.

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
SHARES = {WITH: (0.0, 0.9), WITHOUT: (0.9, 0.1)}  # of the experiment: where each begins, and how much it is
LABELS_PER_DIGIT = 10
CLASS_COST = 2.0  # of denoising the last layer; 0.1 in the paper
PARTS = 10  # of a training; after each the test digits are asked
SHOWN = 10  # digits in the picture
HIDDEN, SMALL_HIDDEN = (1000, 500, 250, 250, 250), (100, 50, 25)  # the paper's, and those for seconds
# Many small steps: there Adam alone is as good as with Muon for the matrices, and takes half the time.
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
    """A network's way."""

    network: LadderAutoencoder
    steps: list[int]  # after which it was asked
    errors: list[float]  # shares of the test digits


def run(lab: Lab) -> Finding:
    """Test error against steps, with a ladder and without, and what the ladder makes of noisy digits."""
    data = digits(lab)
    labels = few_labels(data.train_labels, lab.by_size(3, LABELS_PER_DIGIT, LABELS_PER_DIGIT), lab.seed)
    n_labels = int((labels >= 0).sum())
    hidden = SMALL_HIDDEN if lab.size == SMALL else HIDDEN
    whole = ladder_of((data.side**2, *hidden, len(np.unique(data.train_labels))))
    budgets = {  # the labels alone are soon learned
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
        data=f"{data.sentence} Of those to train on, {n_labels} carry their label.",
        columns=("network", "steps", "error on test digits"),
        lines=tuple((name, f"{each.steps[-1]:,}", f"{each.errors[-1]:.2%}") for name, each in runs.items()),
        figures={
            "labels": n_labels,
            "error": errors,
            "curve": {name: {"steps": each.steps, "errors": each.errors} for name, each in runs.items()},
        },
        conclusion=f"With {n_labels} labels the ladder errs on {errors[WITH]:.1%} of the test digits, the same network "
        f"without it on {errors[WITHOUT]:.1%}: the digits without labels teach the difference.",
        picture=curves_above_images(
            {name: (each.steps, [100 * error for error in each.errors]) for name, each in runs.items()},
            "steps",
            "error on test digits, %",
            {name: images.reshape(-1, data.side, data.side) for name, images in pictures.items()},
        ),
    )


def ladder_of(sizes: tuple[int, ...]) -> LadderConfig:
    """With the paper's costs, but that of the classes twenty times as high: in few steps they then agree sooner."""
    costs = LadderConfig.costs
    return LadderConfig(sizes, costs=(*costs, *costs[-1:] * (len(sizes) - len(costs) - 1), CLASS_COST))


def few_labels(labels: NDArray[np.int64], of_each: int, seed: int) -> NDArray[np.int64]:
    """The labels (n,) of so many of each class, drawn at random; -1 for all others."""
    rng = np.random.default_rng(seed)
    kept = np.concatenate([rng.permutation(np.flatnonzero(labels == label))[:of_each] for label in np.unique(labels)])
    few = np.full_like(labels, -1)
    few[kept] = labels[kept]
    return few


def follow(
    lab: Lab, data: Digits, labels: NDArray[np.int64], name: str, network: LadderConfig, budget: dict[str, Any]
) -> Run:
    """Train, stopping now and then to ask the test digits; a stopped training goes on as if it had not been.

    Raises:
        LabError: the experiment was stopped before its end.
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
            raise LabError("the experiment was stopped before its end, so that it found nothing.")
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
    """The share of the test digits that the network takes for another."""
    examples = as_examples(data.test, lab.device.device)
    found = network.classify(network.encode(examples)).argmax(1).cpu().numpy()
    return float((found != data.test_labels).mean())


@torch.no_grad()
def denoised(lab: Lab, data: Digits, network: LadderAutoencoder) -> dict[str, NDArray[np.uint8]]:
    """One test digit of each kind (kinds, d): as it is, with noise, denoised by the ladder, decoded from its code."""
    shown = [np.flatnonzero(data.test_labels == label)[0] for label in np.unique(data.test_labels)][:SHOWN]
    examples = as_examples(data.test[shown], lab.device.device)
    generator = torch.Generator(lab.device.device).manual_seed(lab.seed)
    # The noisy layers are normalised over the batch, so all test digits that fit in one go along.
    others = as_examples(data.test[:1000], lab.device.device)
    noisy, logits = network.noisy(torch.cat([examples, others]), generator)
    clean = network.denoiser(noisy, logits.softmax(1))[0]
    rows = {"digits": examples, "with noise": noisy[0], "denoised": clean, "from the code": network(examples)[1]}
    return {name: grey(row[: len(shown)]) for name, row in rows.items()}


def grey(values: torch.Tensor) -> NDArray[np.uint8]:
    """Values of 0 to 1, and what noise put beyond, as grey values."""
    grey: NDArray[np.uint8] = values.clamp(0, 1).mul(255).round().to(torch.uint8).cpu().numpy()
    return grey
