"""Reconstruction error with and without the agreement objective: the default network trained from scratch.

Both trainings take the same time and use the 45,000 images of the development protocol; errors are measured on its
5,000 queries, also for the shipped model. Writes results/reconstruction.json. Needs ../shared/data.
Run: python -m benchmarks.training.reconstruction [--minutes 3] [--seed 0]
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.machine import write_result
from benchmarks.protocol import add_cifar10
from imgsearch.autoencoder.card import SHIPPED
from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.encode import encode_images, reconstruct
from imgsearch.autoencoder.training.train import train
from imgsearch.corpus.ingest import LabelledImages
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.metrics import precision_at
from imgsearch.retrieval.index.ranking import k_nearest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="duration of each training")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(write_result("reconstruction", run(arguments.minutes, arguments.seed)))


def run(minutes: float, seed: int) -> dict[str, Any]:
    """Train twice and measure both models and the shipped one."""
    both = TrainConfig(minutes=minutes, seed=seed)
    # Without agreement every image of a batch is decoded, not a share of them.
    alone = replace(both, agreement_weight=0.0, reconstruction_share=1.0)
    with tempfile.TemporaryDirectory() as name:
        paths, queries = add_cifar10(Path(name))
        models = {"both": measure(paths, queries, both), "reconstruction_alone": measure(paths, queries, alone)}
        models["shipped"] = errors(SHIPPED, paths, queries)
    fixed = {"minutes": minutes, "seed": seed, "repetitions": 1}
    return {**fixed, "torch_threads": torch.get_num_threads(), "models": models}


def measure(paths: IndexPaths, queries: LabelledImages, config: TrainConfig) -> dict[str, object]:
    """Train one model and measure it."""
    with Corpus.open(paths) as corpus:
        card = train(corpus.thumbnails(), corpus.live_rows(), paths, config, resume=False)
    return {"images_seen": card.images_seen, **errors(paths.model, paths, queries)}


def errors(model: Path, paths: IndexPaths, queries: LabelledImages) -> dict[str, object]:
    """Return the mean squared error per value (0..1) on the queries, and P@10 of the codes."""
    device = pick_device()
    network, card = load_checkpoint(model, device.device)
    rebuilt = reconstruct(network, queries.thumbnails, device)
    error = float(((rebuilt / 255.0 - queries.thumbnails / 255.0) ** 2).mean())
    with Corpus.open(paths) as corpus:
        codes = encode_images(network, corpus.thumbnails(), device)
        labels = np.unique(corpus.labels(), return_inverse=True)
    wanted = np.searchsorted(labels[0], queries.labels)
    found = labels[1][k_nearest(codes, encode_images(network, queries.thumbnails, device), 10, card.metric)]
    return {"reconstruction_error": error, "p@10": float(precision_at(found, wanted, 10).mean())}


if __name__ == "__main__":
    main()
