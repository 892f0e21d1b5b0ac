"""Fine-tuning the shipped model with labels of the development protocol's 45,000 images: P@10 before and after.

The queries are the protocol's 5,000 images, which no training saw. P@10 is the share of a query's class among the ten
nearest by cosine distance, over all 45,000 images and, if only some are labelled, also over those without a label. (The
shipped model was trained on the same 45,000 images, without labels.) Each call adds its figures to
results/finetune.json. Run: nice python -m benchmarks.training.finetune --labels 1000 --minutes 2 [--seed 0]
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import earlier_figures, write_result
from benchmarks.protocol import add_cifar10
from imgsearch.autoencoder.card import SHIPPED
from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig, parse_objective
from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.training.train import train
from imgsearch.corpus.ingest import LabelledImages
from imgsearch.corpus.labels import Labels, own_labels
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.retrieval.index.ranking import k_nearest

NAME, NEAREST = "finetune", 10
DEVICE = pick_device()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, required=True, help="number of labels, the same for each class")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--objective", default="classify")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    key = f"{asked.labels} labels, {asked.objective}, {asked.minutes:g} minutes, seed {asked.seed}"
    figures = run(asked.labels, asked.minutes, asked.objective, asked.seed)
    print(write_result(NAME, earlier_figures(NAME) | {key: figures}))


def run(n_labels: int, minutes: float, objective: str, seed: int) -> dict[str, Any]:
    """Fine-tune the shipped model on n labels; return P@1 and P@10 before and after."""
    with tempfile.TemporaryDirectory() as folder:
        paths, queries = add_cifar10(Path(folder))
        with Corpus.open(paths) as corpus:
            labels, thumbnails = own_labels(corpus), np.array(corpus.thumbnails())
        learned = few(labels, n_labels, seed)
        before = precision(SHIPPED, thumbnails, queries, labels, learned)
        print("before:", before, flush=True)
        config = TrainConfig(minutes=minutes, objective=parse_objective(objective), seed=seed)
        began = time.process_time()
        card = train(
            thumbnails, np.arange(len(thumbnails)), paths, config, labels=learned, init_from=SHIPPED, device=DEVICE
        )
        seconds = round(time.process_time() - began)
        after = precision(paths.model, thumbnails, queries, labels, learned)
    print("after:", after, flush=True)
    found = {"steps": card.steps, "processor_seconds": seconds, "load": os.getloadavg()[0]}
    return {"before": before, "after": after, **found}


def few(labels: Labels, n: int, seed: int) -> NDArray[np.int64]:
    """Return label numbers (45,000,): n labels, equally many of each class, and -1 for all other images."""
    rng, learned = np.random.default_rng(seed), np.full_like(labels.numbers, -1)
    for number in range(len(labels.names)):
        learned[rng.permutation(np.flatnonzero(labels.numbers == number))[: n // len(labels.names)]] = number
    return learned


def precision(
    model: Path, thumbnails: NDArray[np.uint8], queries: LabelledImages, labels: Labels, learned: NDArray[np.int64]
) -> dict[str, float]:
    """Return P@1 and P@10 over the whole database, and P@10 over its unlabelled images."""
    network, card = load_checkpoint(model, DEVICE.device)
    codes = encode_images(network, thumbnails, DEVICE)
    asking = encode_images(network, queries.thumbnails, DEVICE)
    wanted = np.array([labels.names.index(label) for label in queries.labels])
    right = hits(codes, labels.numbers, asking, wanted, card.metric)
    found = {"P@1": float(right[:, 0].mean()), "P@10": float(right.mean())}
    plain = learned < 0
    if plain.any():
        found["P@10 without labels"] = float(
            hits(codes[plain], labels.numbers[plain], asking, wanted, card.metric).mean()
        )
    return found


def hits(
    codes: NDArray[np.float32],
    numbers: NDArray[np.int64],
    asking: NDArray[np.float32],
    wanted: NDArray[np.int64],
    metric: str,
) -> NDArray[np.bool_]:
    """Return (nq, 10) whether each of the ten nearest has the query's label."""
    right: NDArray[np.bool_] = numbers[k_nearest(codes, asking, NEAREST, metric)] == wanted[:, None]
    return right


if __name__ == "__main__":
    main()
