"""Small index directories for tests: real corpus, real network (untrained), real codes and index."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from imgsearch.autoencoder.checkpoint import save_checkpoint
from imgsearch.autoencoder.networks.config import ConvConfig
from imgsearch.autoencoder.networks.registry import build_network, describe_network
from imgsearch.corpus.store import Corpus, NewImage
from imgsearch.paths import IndexPaths
from imgsearch.workflows.reindexing import reindex


def smooth_thumbnails(n: int, seed: int = 1338) -> NDArray[np.uint8]:
    """(n, 32, 32, 3) thumbnails of coarse random colours, all different."""
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def add_images(
    paths: IndexPaths, thumbnails: NDArray[np.uint8], labels: Sequence[str] = (), preview: bytes | None = None
) -> None:
    """Append thumbnails as images found at https://example.org/<row>.png."""
    with Corpus.open_for_writing(paths) as corpus:
        first = len(corpus)
        corpus.append(
            [
                NewImage(
                    digest=hashlib.sha256(f"image {row}".encode()).hexdigest(),
                    thumbnail=thumbnail,
                    preview=preview,
                    width=32,
                    height=32,
                    n_bytes=100,
                    url=f"https://example.org/{row}.png",
                    page_url="https://example.org/",
                    alt=f"number {row}",
                    label=labels[row - first] if labels else "",
                )
                for row, thumbnail in enumerate(thumbnails, start=first)
            ]
        )


def save_untrained_model(paths: IndexPaths, seed: int = 0) -> str:
    """Save an untrained default network as the current model; return its digest."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        description = describe_network(ConvConfig())
        network = build_network(description)
    card = save_checkpoint(
        paths.model,
        network.state_dict(),
        network=description,
        training={},
        metrics={},
        code_size=network.code_size,
        steps=0,
        images_seen=0,
        seconds=0.0,
        device="untrained",
    )
    return card.digest


def make_index(root: Path, thumbnails: NDArray[np.uint8], labels: Sequence[str] = ()) -> IndexPaths:
    """An index directory that is ready to be searched."""
    paths = IndexPaths(root)
    add_images(paths, thumbnails, labels)
    save_untrained_model(paths)
    reindex(paths, device="cpu")
    return paths
