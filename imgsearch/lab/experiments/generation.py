"""Images from codes that belong to no image.

For digits, the whole plane of a code of two numbers is decoded (Hinton & Salakhutdinov 2006 show such a plane as
points). For the user's corpus and its current model: walks between images, samples around an image, and codes from a
Gaussian fitted to the corpus. An autoencoder is not trained on such codes, so the experiment measures how close the
code of each generated image is to the code that it was generated from.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.card import current_model
from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.encode import decode_codes, encode_images, reconstruct
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import DenseConfig
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError
from imgsearch.lab.datasets import Digits, digits
from imgsearch.lab.drawing import montage, plane_and_strips
from imgsearch.lab.experiments.learning import learn, recipe
from imgsearch.lab.finding import SMALL, Finding, Lab
from imgsearch.retrieval.explore.directions import around, gaussian_codes, walk

HIDDEN, SMALL_HIDDEN = (1000, 500, 250), (128, 64)
GRID = 16  # positions along each axis of the plane
EDGES = (1.0, 99.0)  # of the plane, as percentiles of the codes
FEWEST, MOST, MOST_SMALL = 16, 10_000, 300  # images of the corpus
STEPS, N_WALKS, N_SAMPLES, N_MEASURED = 10, 2, 10, 200
SPREADS = (0.5, 1.0)  # of samples around an image, relative to that of the corpus
CORPUS_SHARE = 0.1  # of the experiment's time
IMAGES, HALFWAY, GAUSSIAN = "of images", "halfway between two images", "from the Gaussian of the corpus"

Images = NDArray[np.uint8]
Codes = NDArray[np.float32]


@dataclass(frozen=True)
class CodeKind:
    """One kind of codes, and measures of the images decoded from them."""

    name: str
    likeness: float  # mean cosine between the codes and the codes of their decoded images
    contrast: float  # standard deviation within a decoded image, relative to images of the corpus


def run(lab: Lab) -> Finding:
    """Decode the plane of the digits and, where there is a corpus, codes of its model."""
    data = digits(lab)
    plane, kinds, n_seen = _plane_of_digits(lab, data)
    strips, drawn, sentence = _of_corpus(lab)
    lines = [("digits, whole plane", f"{n_seen} of {kinds} digits", "")]
    lines += [(each.name, f"{each.likeness:.3f}", f"{each.contrast:.0%}") for each in drawn]
    return Finding(
        name="generate",
        title="Images from new codes",
        source="Hinton & Salakhutdinov 2006; Krizhevsky & Hinton 2011",
        data=f"{data.sentence} {sentence}",
        columns=("codes", "cosine of code and code of the decoded image", "contrast, relative to images"),
        lines=tuple(lines),
        figures={"digits_on_the_plane": n_seen, "digits": kinds, "corpus": {each.name: vars(each) for each in drawn}},
        conclusion=_conclusion(kinds, n_seen, drawn),
        picture=plane_and_strips(montage(plane), strips),
    )


# ----------------------------------------------------------------------------------------------------------------------
# digits


def _plane_of_digits(lab: Lab, data: Digits) -> tuple[Images, int, int]:
    """Return the decoded plane (GRID, GRID, side, side), the number of digits, and how many of them it shows."""
    hidden = lab.by_size(SMALL_HIDDEN, HIDDEN, HIDDEN)
    config = recipe(
        DenseConfig((data.side**2, *hidden, 2), activation="silu"), data.train, lab.by_size(15, 12, 40), lab.seed
    )
    network = learn(lab, data.train, "generate-plane", config, (0.0, 1 - CORPUS_SHARE))
    decoded = decode_codes(network, plane_of(encode_images(network, data.train, lab.device), GRID), lab.device)
    seen = data.train_labels[_nearest(decoded, data.train)]
    plane = decoded.reshape(GRID, GRID, data.side, data.side)
    return plane, len(np.unique(data.train_labels)), len(np.unique(seen))


def plane_of(codes: Codes, n: int) -> Codes:
    """Return n * n positions in the plane of codes (m, 2), line by line from the top, (n * n, 2).

    Columns and lines lie at equal steps of the percentiles of the codes, so that dense regions get more space.
    """
    shares = np.linspace(*EDGES, n)
    x, y = np.meshgrid(np.percentile(codes[:, 0], shares), np.percentile(codes[:, 1], shares[::-1]))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def _nearest(decoded: Images, images: Images) -> NDArray[np.int64]:
    """Return for each decoded image (n, d) the index of the nearest of the images (m, d), by squared distance."""
    known = images.astype(np.float32)
    squares = np.einsum("ij,ij->i", known, known)
    return np.asarray([(squares - 2 * known @ each).argmin() for each in decoded.astype(np.float32)])


# ----------------------------------------------------------------------------------------------------------------------
# the corpus


def _of_corpus(lab: Lab) -> tuple[dict[str, NDArray[Any]], list[CodeKind], str]:
    """Return named strips of images, measures, and a sentence on the data; empty where there is no corpus."""
    images = _images(lab)
    if images is None:
        return {}, [], "There is no corpus yet."
    lab.on_progress(1 - CORPUS_SHARE, 1, "images by the corpus's model")
    network, card = load_checkpoint(current_model(lab.paths), lab.device.device)
    codes = encode_images(network, images, lab.device)
    strips = {
        "images and their reconstructions": np.stack([images[:STEPS], reconstruct(network, images[:STEPS], lab.device)])
    }
    for name, grid in _codes_to_show(codes, lab.seed).items():
        decoded = decode_codes(network, grid.reshape(-1, codes.shape[1]), lab.device)
        strips[name] = decoded.reshape(*grid.shape[:2], *images.shape[1:])
    drawn = [_measured(name, new, network, images, lab) for name, new in _codes_to_measure(codes, lab.seed).items()]
    sentence = f"{len(images):,} images of the corpus, by model {card.digest[:12]}."
    return {name: montage(strip) for name, strip in strips.items()}, drawn, sentence


def _codes_to_show(codes: Codes, seed: int) -> dict[str, Codes]:
    """Return named grids of codes, each (lines, columns, d)."""
    walks = [walk(codes[2 * number], codes[2 * number + 1], STEPS) for number in range(N_WALKS)]
    shown = {"walks between two images": np.stack(walks)}
    shown |= {_around(spread): around(codes[0], codes, spread, N_SAMPLES, seed)[None] for spread in SPREADS}
    return shown | {GAUSSIAN: gaussian_codes(codes, 2 * N_SAMPLES, seed).reshape(2, N_SAMPLES, -1)}


def _codes_to_measure(codes: Codes, seed: int) -> dict[str, Codes]:
    """Return more codes of these kinds, each (N_MEASURED, d)."""
    first, second = np.random.default_rng(seed).integers(0, len(codes), (2, N_MEASURED))
    halfway = np.stack([walk(codes[one], codes[other], 3)[1] for one, other in zip(first, second, strict=True)])
    measured = {IMAGES: codes[first], HALFWAY: halfway}
    measured |= {_around(spread): around(codes[0], codes, spread, N_MEASURED, seed) for spread in SPREADS}
    return measured | {GAUSSIAN: gaussian_codes(codes, N_MEASURED, seed)}


def _around(spread: float) -> str:
    return f"around an image, with {spread:g} times the spread of the corpus"


def _images(lab: Lab) -> Images | None:
    """Return images of the corpus in random order, None where there are too few."""
    try:
        with Corpus.open(lab.paths) as corpus:
            rows = np.random.default_rng(lab.seed).permutation(corpus.live_rows())
            rows = rows[: MOST_SMALL if lab.size == SMALL else MOST]
            return None if len(rows) < FEWEST else corpus.thumbnails()[rows]
    except CorpusError:
        return None


def _measured(name: str, codes: Codes, network: Autoencoder, images: Images, lab: Lab) -> CodeKind:
    pictures = decode_codes(network, codes, lab.device)
    own = encode_images(network, pictures, lab.device)
    lengths = np.linalg.norm(codes, axis=1) * np.linalg.norm(own, axis=1)
    likeness = np.sum(codes * own, axis=1) / np.maximum(lengths, 1e-9)
    return CodeKind(name, float(likeness.mean()), _contrast(pictures) / max(_contrast(images), 1e-9))


def _contrast(pictures: Images) -> float:
    return float(np.mean([picture.std(axis=(0, 1)).mean() for picture in pictures]))


def _conclusion(kinds: int, n_seen: int, drawn: list[CodeKind]) -> str:
    plane = f"{n_seen} of {kinds} digits appear on the plane of two numbers."
    if not drawn:
        return plane
    by_name = {each.name: each for each in drawn}
    images, halfway, gaussian = (by_name[name] for name in (IMAGES, HALFWAY, GAUSSIAN))
    return (
        f"{plane} The code of a decoded image and the code it was decoded from have a mean cosine of "
        f"{images.likeness:.2f} for codes of images, {halfway.likeness:.2f} halfway between two images (with "
        f"{halfway.contrast:.0%} of the contrast of images), and {gaussian.likeness:.2f} for the Gaussian of the "
        "corpus."
    )
