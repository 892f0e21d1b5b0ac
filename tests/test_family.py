"""Every autoencoder of the lecture on the demo gallery, trained, indexed and searched from a clean index.

Each is good for something: its reconstructions beat the mean picture, and distorted copies find their originals.
"""

import json

import numpy as np
import pytest

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.encode import reconstruct
from imgsearch.cli.main import run
from imgsearch.corpus.store import Corpus
from imgsearch.device import pick_device
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.search.searcher import Searcher
from tests.conftest import PER_KIND

pytestmark = pytest.mark.slow

CPU = pick_device("cpu")
FAMILY = {
    "pca": ["--network", "pca", "--sizes", "3072-32"],
    "dense": ["--network", "dense", "--sizes", "3072-256-64", "--objective", "reconstruct"],
    "tied": ["--network", "dense", "--sizes", "3072-256-64", "--tied", "--objective", "reconstruct"],
    "denoise": ["--sizes", "3072-256-64", "--objective", "denoise", "--noise-level", "0.2"],
    "contractive": ["--sizes", "3072-256-64", "--objective", "reconstruct+0.0001*contractive"],
    "repeat": ["--unpool", "repeat", "--objective", "reconstruct", "--epochs", "8"],
    "switches": ["--unpool", "switches", "--force", "--epochs", "8"],
    "rbm": ["--sizes", "3072-128-32", "--pretrain", "rbm", "--objective", "reconstruct"],
    "layerwise": ["--sizes", "3072-128-32", "--pretrain", "layerwise", "--objective", "reconstruct"],
    "ladder": ["--network", "ladder", "--sizes", "3072-256-64", "--epochs", "60"],
    "agree": ["--network", "conv", "--epochs", "12"],
}


@pytest.mark.parametrize("name", FAMILY)
def test_each_kind_of_autoencoder_is_trained_and_searched(
    name: str, clean: IndexPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    index = ["--device", "cpu", "--index", str(clean.root)]
    epochs = [] if "--epochs" in FAMILY[name] else ["--epochs", "40"]
    capsys.readouterr()
    assert run(["train", *FAMILY[name], *epochs, "--batch-size", "32", "--keep", "new", "--json", *index]) == 0
    found = json.loads(capsys.readouterr().out)["comparison"]["after"]["recall"]
    noise = 0.2 if name == "denoise" else 0.0
    assert reconstruction_error(clean, noise) < 0.8 * error_of_the_mean_picture(clean)
    assert found > 0.25  # share of distorted copies whose original comes first, among 204 images
    assert run(["reindex", *index]) == 0
    with Searcher.open(clean, device="cpu") as searcher:
        hits = searcher.search(searcher.thumbnails(np.array([7]))[0], k=5, by="code").hits["code"]
        assert (7, 0) in [(hit.row, round(hit.distance, 3)) for hit in hits]  # beside compressed copies of the image


def reconstruction_error(paths: IndexPaths, noise: float) -> float:
    """Mean squared error of reconstructions from noisy images, compared with the clean ones."""
    network, _ = load_checkpoint(paths.model, CPU.device)
    with Corpus.open(paths) as corpus:
        images = corpus.thumbnails() / 255
    noisy = images + noise * np.random.default_rng(0).standard_normal(images.shape)
    made = reconstruct(network, noisy.astype(np.float32), CPU)
    return float(np.square(made - images).mean())


def error_of_the_mean_picture(paths: IndexPaths) -> float:
    with Corpus.open(paths) as corpus:
        return float((corpus.thumbnails() / 255).var(axis=0).mean())


def test_images_are_found_by_the_words_of_their_alt_texts(
    clean: IndexPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    index = ["--device", "cpu", "--index", str(clean.root)]
    sizes = ["--sizes", "500-64-32"]
    assert run(["train", "--text", *sizes, "--epochs", "60", "--batch-size", "32", *index]) == 0
    capsys.readouterr()
    assert run(["search", "--text", "red flower", "-k", str(PER_KIND), "--json", *index]) == 0
    found = json.loads(capsys.readouterr().out)
    for method in ("code", "lsa", "tfidf"):
        alts = [hit["alt"].lower() for hit in found[method]]
        assert "red flower" in alts[0], method
        # By chance one of twelve shows a flower, and one is red.
        assert sum("red" in alt.split() or "flower" in alt for alt in alts) > PER_KIND / 2, method


def test_fine_tuning_finds_more_images_of_the_same_label(clean: IndexPaths, capsys: pytest.CaptureFixture[str]) -> None:
    index = ["--device", "cpu", "--index", str(clean.root)]
    capsys.readouterr()
    assert run(["finetune", "--epochs", "20", "--batch-size", "32", "--keep", "new", "--json", *index]) == 0
    comparison = json.loads(capsys.readouterr().out)["comparison"]
    assert comparison["after"]["precision"] > comparison["before"]["precision"]  # of held-out images
