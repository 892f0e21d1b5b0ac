"""What labels add: the shipped model fine-tuned on some or all labels of the development protocol's 45,000 images.

5,000 images of CIFAR-10 that no training saw ask; P@10 is the share of their class among the ten nearest by cosine,
over all 45,000 and, where few carry labels, over those without one alone. (The shipped model was trained on the same
45,000 images, without labels.) Each call adds what it measures to results/finetune.json.
Run: nice python benchmarks/finetune.py --labels 1000 --minutes 3 [--objective classify] [--seed 0]
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import RESULTS, write_result
from numpy.typing import NDArray
from protocol import add_cifar10

from imgsearch.autoencoder.card import SHIPPED
from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig, parse_objective
from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.training.train import train
from imgsearch.corpus.ingest import LabelledImages
from imgsearch.corpus.labels import Labels, own_labels
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.retrieval.evaluation.ranking import Database

NAME, NEAREST, BLOCK = "finetune", 10, 250
BEFORE = "the shipped model"
DEVICE = pick_device()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=int, required=True, help="how many; the same number of each class")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--objective", default="classify")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths, queries = add_cifar10(Path(folder))
        with Corpus.open(paths) as corpus:
            labels, thumbnails = own_labels(corpus), np.array(corpus.thumbnails())
        learned = few(labels, asked.labels, asked.seed)
        before = precision(SHIPPED, thumbnails, queries, labels, learned)
        print(BEFORE, before, flush=True)
        config = TrainConfig(minutes=asked.minutes, objective=parse_objective(asked.objective), seed=asked.seed)
        began = time.process_time()
        card = train(
            thumbnails, np.arange(len(thumbnails)), paths, config, labels=learned, init_from=SHIPPED, device=DEVICE
        )
        seconds = round(time.process_time() - began)
        after = precision(paths.model, thumbnails, queries, labels, learned)
    print(after, flush=True)
    key = f"{asked.labels} labels, {asked.objective}, {asked.minutes:g} minutes, seed {asked.seed}"
    found = {"steps": card.steps, "processor_seconds": seconds, "load": os.getloadavg()[0]}
    path = RESULTS / f"{NAME}.json"
    figures: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    figures.pop("machine", None)
    print(write_result(NAME, figures | {key: {"before": before, "after": after} | found}))


def few(labels: Labels, n: int, seed: int) -> NDArray[np.int64]:
    """The numbers (45,000,) of n labels, as many of each class; -1 for all others."""
    rng, learned = np.random.default_rng(seed), np.full_like(labels.numbers, -1)
    for number in range(len(labels.names)):
        learned[rng.permutation(np.flatnonzero(labels.numbers == number))[: n // len(labels.names)]] = number
    return learned


def precision(
    model: Path, thumbnails: NDArray[np.uint8], queries: LabelledImages, labels: Labels, learned: NDArray[np.int64]
) -> dict[str, float]:
    """P@1 and P@10 over the whole database, and P@10 over what carries no label."""
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
    """(nq, 10) whether each of the nearest is of the wanted label."""
    database, found = Database.of(codes, metric), []
    for start in range(0, len(asking), BLOCK):
        distances = database.distances(asking[start : start + BLOCK])
        near = np.argpartition(distances, NEAREST, axis=1)[:, :NEAREST]
        order = np.argsort(np.take_along_axis(distances, near, 1), axis=1)
        found.append(np.take_along_axis(near, order, 1))
    right: NDArray[np.bool_] = numbers[np.concatenate(found)] == wanted[:, None]
    return right


if __name__ == "__main__":
    main()
