"""What the agreement of views costs the reconstruction: the default network trained for both, and for that alone.

Each for the same time, on the 45,000 images of the development protocol, from scratch; errors on its 5,000 queries.
The shipped model, trained longer and on more, stands beside them. Writes results/reconstruction.json.
Run: python benchmarks/reconstruction.py [--minutes 6] [--seed 0]
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from machine import write_result
from protocol import add_cifar10

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
from imgsearch.retrieval.evaluation.ranking import Database


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=6.0, help="of each training")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    both = TrainConfig(minutes=arguments.minutes, seed=arguments.seed)
    # Alone it decodes every image of a batch, not a share: nothing else needs the time.
    alone = replace(both, agreement_weight=0.0, reconstruction_share=1.0)
    with tempfile.TemporaryDirectory() as name:
        paths, queries = add_cifar10(Path(name))
        models = {"both": measure(paths, queries, both), "reconstruction_alone": measure(paths, queries, alone)}
        models["shipped"] = errors(SHIPPED, paths, queries)
    figures = {"minutes": arguments.minutes, "seed": arguments.seed, "repetitions": 1}
    print(write_result("reconstruction", {**figures, "torch_threads": torch.get_num_threads(), "models": models}))


def measure(paths: IndexPaths, queries: LabelledImages, config: TrainConfig) -> dict[str, object]:
    with Corpus.open(paths) as corpus:
        card = train(corpus.thumbnails(), corpus.live_rows(), paths, config, resume=False)
    return {"images_seen": card.images_seen, **errors(paths.model, paths, queries)}


def errors(model: Path, paths: IndexPaths, queries: LabelledImages) -> dict[str, object]:
    """Mean squared error per value (0..1) on the queries, and how well the same codes find."""
    device = pick_device()
    network, card = load_checkpoint(model, device.device)
    rebuilt = reconstruct(network, queries.thumbnails, device)
    error = float(((rebuilt / 255.0 - queries.thumbnails / 255.0) ** 2).mean())
    with Corpus.open(paths) as corpus:
        codes = encode_images(network, corpus.thumbnails(), device)
        labels = np.unique(corpus.labels(), return_inverse=True)
    wanted = np.searchsorted(labels[0], queries.labels)
    database, asked = Database.of(codes, card.metric), encode_images(network, queries.thumbnails, device)
    found = np.concatenate(
        [
            labels[1][np.argpartition(database.distances(asked[start : start + 500]), 10, axis=1)[:, :10]]
            for start in range(0, len(asked), 500)
        ]
    )
    return {"reconstruction_error": error, "p@10": float(precision_at(found, wanted, 10).mean())}


if __name__ == "__main__":
    main()
