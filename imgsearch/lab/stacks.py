"""A stack of pre-trained layers, 784-1000-1000-500: classification with few labels, and generated digits.

Sources: Hinton, Osindero & Teh 2006; Bengio et al. 2007; Erhan et al. 2010, on the effect of pre-training by number of
labels.
"""

from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.batches import as_examples, open_batches
from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.autoencoder.networks.dense import DenseAutoencoder
from imgsearch.autoencoder.optim.schedule import Budget
from imgsearch.autoencoder.pretraining.layerwise import machines_of
from imgsearch.autoencoder.pretraining.pretrain import pretrain
from imgsearch.autoencoder.pretraining.rbm import PersistentDivergence, new_machine, sample_top, to_top
from imgsearch.errors import LabError
from imgsearch.lab.datasets import Digits
from imgsearch.lab.finding import Lab
from imgsearch.progress import Progress

BATCH_SIZE = 100
RATE = 1e-3  # learning rate of Adam, which falls to zero
DRAWING_RATE, GIBBS_STEPS, N_CHAINS = 0.05, 500, 100


def pretrained(
    lab: Lab, data: Digits, sizes: tuple[int, ...], start: str, passes: int, on_progress: Progress
) -> DenseAutoencoder:
    """Return a sigmoid network whose layers were pre-trained one by one on all digits, without labels.

    `start` is "rbm", "layerwise", or "" for no pre-training.
    """
    config = TrainConfig(
        epochs=2 * passes,
        pretrain=start,
        pretrain_share=0.5,
        seed=lab.seed,
        network=DenseConfig(sizes, "sigmoid", code="sigmoid"),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lab.seed)
        network = DenseAutoencoder(DenseConfig(sizes, "sigmoid", code="sigmoid")).to(lab.device.device)
    if start:
        rows = np.arange(len(data.train))
        source, _ = open_batches(data.train, rows, min(256, len(rows)), lab.seed, lab.device.device)
        pretrain(
            network,
            source,
            config,
            lab.device,
            budget=Budget.of(config, source.batches_per_epoch),
            on_progress=lambda progress: on_progress(progress.fraction / config.pretrain_share, 1),
            stop=lab.stop,
        )
        expect_running(lab)
    return network


def learned_error(
    lab: Lab, data: Digits, network: DenseAutoencoder, rows: NDArray[np.int64], steps: int, on_progress: Progress
) -> float:
    """Return the test error of a softmax classifier on the network, both trained on the labels of `rows`.

    All layers of a copy of `network` are trained, by back-propagation.
    """
    device = lab.device.device
    network = deepcopy(network)
    classifier = nn.Linear(network.code_size, int(data.train_labels.max()) + 1, device=device)
    nn.init.zeros_(classifier.weight)
    nn.init.zeros_(classifier.bias)
    examples, labels = as_examples(data.train[rows], device), torch.from_numpy(data.train_labels[rows]).to(device)
    optimiser = torch.optim.Adam([*network.layers.parameters(), *classifier.parameters()], RATE)
    generator = torch.Generator(device).manual_seed(lab.seed)
    for step in range(steps):
        expect_running(lab)
        on_progress(step, steps)
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        chosen = torch.randint(len(rows), (BATCH_SIZE,), generator=generator, device=device)
        with lab.device.autocast():
            loss = functional.cross_entropy(classifier(network.encode(examples[chosen])).float(), labels[chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
    with torch.no_grad(), lab.device.autocast():
        blocks = (as_examples(part, device) for part in np.array_split(data.test, 10))
        parts = [classifier(network.encode(block)).argmax(1) for block in blocks]
    return float((torch.cat(parts).cpu().numpy() != data.test_labels).mean())


def balanced_rows(labels: NDArray[np.int64], n: int, seed: int) -> NDArray[np.int64]:
    """Return n random rows, the same number for each label."""
    rng, kinds = np.random.default_rng(seed), np.unique(labels)
    return np.concatenate([rng.permutation(np.flatnonzero(labels == kind))[: n // len(kinds)] for kind in kinds])


def draw_digits(
    lab: Lab, data: Digits, network: DenseAutoencoder, n: int, passes: int, on_progress: Progress
) -> NDArray[np.uint8]:
    """Generate digits (n, side * side) from noise by a deep belief network.

    It consists of the pre-trained layers except the last, and a Boltzmann machine on top that is trained to generate.
    """
    generator = torch.Generator(lab.device.device).manual_seed(lab.seed)
    below = machines_of(network)[:-1]
    with torch.no_grad():
        parts = np.array_split(data.train, max(1, len(data.train) // 4096))
        seen = torch.cat([to_top(below, as_examples(part, lab.device.device)) for part in parts])  # (n, d)
    top = new_machine(seen, network.code_size, generator)
    learner = PersistentDivergence(top, torch.bernoulli(seen[:N_CHAINS], generator=generator))
    steps = passes * (len(seen) // BATCH_SIZE)
    for step in range(steps):
        expect_running(lab)
        on_progress(step, steps)
        chosen = torch.randint(len(seen), (BATCH_SIZE,), generator=generator, device=seen.device)
        learner.step(seen[chosen], DRAWING_RATE * (1 - step / steps), generator)
    noise = torch.rand(n, data.train.shape[1], generator=generator, device=seen.device)
    drawn = sample_top([*below, top], noise, GIBBS_STEPS, generator)
    grey: NDArray[np.uint8] = drawn.mul(255).round().to(torch.uint8).cpu().numpy()
    return grey


def expect_running(lab: Lab) -> None:
    """Raise LabError if the experiment was stopped."""
    if lab.stop():
        raise LabError("the experiment was stopped before its end.")
