"""A small corpus with alt texts: each has words of one topic, and topics share no words."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imgsearch.cli.main import run
from imgsearch.corpus.store import Corpus, NewImage, Source
from imgsearch.paths import IndexPaths
from tests.support.index import smooth_thumbnails

TOPICS = {
    "dog": ("puppy", "kennel", "leash", "bark", "terrier", "paw", "bone", "collar"),
    "sea": ("wave", "beach", "surf", "sand", "shell", "tide", "sail", "harbour"),
    "city": ("street", "tower", "traffic", "bridge", "square", "tram", "roof", "window"),
}
PER_TOPIC, WORDS_EACH = 40, 3


def described(seed: int = 0) -> list[tuple[str, str]]:
    """Alt texts with their topics, topic after topic."""
    random = np.random.default_rng(seed)
    return [
        (" ".join(random.choice(words, WORDS_EACH, replace=False)), topic)
        for topic, words in TOPICS.items()
        for _ in range(PER_TOPIC)
    ]


def add_described(paths: IndexPaths, alts: Sequence[str], labels: Sequence[str] = ()) -> None:
    """Append images with these alt texts, and labels if there are any, found at https://example.org/<row>.png."""
    with Corpus.open_for_writing(paths) as corpus:
        first = len(corpus)
        thumbnails = smooth_thumbnails(len(alts), seed=first)
        corpus.append(
            [
                NewImage(
                    digest=hashlib.sha256(f"described {row}".encode()).hexdigest(),
                    thumbnail=thumbnail,
                    preview=None,
                    width=32,
                    height=32,
                    n_bytes=100,
                    url=f"https://example.org/{row}.png",
                    alt=alt,
                    label=labels[row - first] if labels else "",
                )
                for row, (thumbnail, alt) in enumerate(zip(thumbnails, alts, strict=True), start=first)
            ]
        )


def add_source(paths: IndexPaths, row: int, alt: str) -> None:
    """Add another source, with another alt text, to the image of `row`."""
    with Corpus.open_for_writing(paths) as corpus:
        corpus.add_sources([(row, Source(f"https://example.com/{len(corpus.sources(row))}/{row}.png", alt=alt))])


def make_text_index(root: Path, alts: Sequence[str]) -> IndexPaths:
    """An index directory over these alt texts, with a small text autoencoder trained by the command."""
    paths = IndexPaths(root)
    add_described(paths, alts)
    line = ["train", "--text", "--sizes", "100-32-8", "--epochs", "60", "--batch-size", "16", "--device", "cpu"]
    assert run([*line, "--index", str(root)]) == 0
    return paths
