"""Pictures that nobody took: what the decoder makes of codes that no image has.

Of digits the whole plane of a code of two numbers, decoded (Hinton & Salakhutdinov 2006 show such a plane as points).
Of the user's corpus, by its current model: a walk from one image to another, samples around one, and codes drawn from
the Gaussian that fits the corpus. An autoencoder is not told what to make of codes between those of images; so it is
measured whether a picture's own code is the code that was asked for.
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
GRID = 16  # places along each number of the plane
EDGES = (1.0, 99.0)  # of the plane: percentiles of the digits' codes
FEWEST, MOST, MOST_SMALL = 16, 10_000, 300  # images of the corpus
STEPS, N_WALKS, N_SAMPLES, N_MEASURED = 10, 2, 10, 200
SPREADS = (0.5, 1.0)  # of samples around an image, beside that of the corpus
CORPUS_SHARE = 0.1  # of the time
IMAGES, HALF_WAY, GAUSSIAN = "of images", "half way between two images", "from the Gaussian of the corpus"

Images = NDArray[np.uint8]
Codes = NDArray[np.float32]


@dataclass(frozen=True)
class Drawn:
    """A kind of codes, and what the decoder made of them."""

    name: str
    likeness: float  # cosine of the codes asked for and the codes of the pictures, in the mean
    contrast: float  # deviation of a picture's values about its own mean, as a share of that of the corpus's images


def run(lab: Lab) -> Finding:
    """The plane of the digits, and where there is a corpus, pictures by its model."""
    data = digits(lab)
    plane, kinds, n_seen = _plane_of_digits(lab, data)
    strips, drawn, sentence = _of_corpus(lab)
    lines = [("digits, every place of the plane", f"{n_seen} of {kinds} digits", "")]
    lines += [(each.name, f"{each.likeness:.3f}", f"{each.contrast:.0%}") for each in drawn]
    return Finding(
        name="generate",
        title="Pictures from codes that no image has",
        source="Hinton & Salakhutdinov 2006; Krizhevsky & Hinton 2011",
        data=f"{data.sentence} {sentence}",
        columns=("codes", "likeness of what was asked and what was drawn", "contrast, beside images"),
        lines=tuple(lines),
        figures={"digits_on_the_plane": n_seen, "digits": kinds, "corpus": {each.name: vars(each) for each in drawn}},
        conclusion=_conclusion(kinds, n_seen, drawn),
        picture=plane_and_strips(montage(plane), strips),
    )


# ----------------------------------------------------------------------------------------------------------------------
# digits


def _plane_of_digits(lab: Lab, data: Digits) -> tuple[Images, int, int]:
    """The decoded plane (GRID, GRID, side, side), how many digits there are, and how many are seen on the plane."""
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
    """(n * n, 2) places in the plane of codes (m, 2), in lines from the top.

    Between two neighbouring columns lie as many codes as between any other two, and so for the lines: where many digits
    lie there is more to see.
    """
    shares = np.linspace(*EDGES, n)
    x, y = np.meshgrid(np.percentile(codes[:, 0], shares), np.percentile(codes[:, 1], shares[::-1]))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def _nearest(decoded: Images, images: Images) -> NDArray[np.int64]:
    """(n,) which of the images (m, d) is nearest to each of the decoded ones (n, d), by squared distance."""
    known = images.astype(np.float32)
    squares = np.einsum("ij,ij->i", known, known)
    return np.asarray([(squares - 2 * known @ each).argmin() for each in decoded.astype(np.float32)])


# ----------------------------------------------------------------------------------------------------------------------
# the corpus


def _of_corpus(lab: Lab) -> tuple[dict[str, NDArray[Any]], list[Drawn], str]:
    """Named strips of pictures, figures, and a sentence on the images; all empty where there is no corpus."""
    images = _images(lab)
    if images is None:
        return {}, [], "There is no corpus to draw from yet: imgsearch add PATH."
    lab.on_progress(1 - CORPUS_SHARE, 1, "pictures by the corpus's model")
    network, card = load_checkpoint(current_model(lab.paths), lab.device.device)
    codes = encode_images(network, images, lab.device)
    strips = {
        "images, and what is decoded": np.stack([images[:STEPS], reconstruct(network, images[:STEPS], lab.device)])
    }
    for name, asked in _codes_to_show(codes, lab.seed).items():
        decoded = decode_codes(network, asked.reshape(-1, codes.shape[1]), lab.device)
        strips[name] = decoded.reshape(*asked.shape[:2], *images.shape[1:])
    drawn = [_measured(name, asked, network, images, lab) for name, asked in _codes_to_measure(codes, lab.seed).items()]
    sentence = f"{len(images):,} images of the corpus, by model {card.digest[:12]}."
    return {name: montage(strip) for name, strip in strips.items()}, drawn, sentence


def _codes_to_show(codes: Codes, seed: int) -> dict[str, Codes]:
    """Lines of codes, each (lines, columns, d)."""
    walks = [walk(codes[2 * number], codes[2 * number + 1], STEPS) for number in range(N_WALKS)]
    shown = {"walks between two images": np.stack(walks)}
    shown |= {_around(spread): around(codes[0], codes, spread, N_SAMPLES, seed)[None] for spread in SPREADS}
    return shown | {GAUSSIAN: gaussian_codes(codes, 2 * N_SAMPLES, seed).reshape(2, N_SAMPLES, -1)}


def _codes_to_measure(codes: Codes, seed: int) -> dict[str, Codes]:
    """The same kinds of codes, each (N_MEASURED, d)."""
    first, second = np.random.default_rng(seed).integers(0, len(codes), (2, N_MEASURED))
    half_way = np.stack([walk(codes[one], codes[other], 3)[1] for one, other in zip(first, second, strict=True)])
    measured = {IMAGES: codes[first], HALF_WAY: half_way}
    measured |= {_around(spread): around(codes[0], codes, spread, N_MEASURED, seed) for spread in SPREADS}
    return measured | {GAUSSIAN: gaussian_codes(codes, N_MEASURED, seed)}


def _around(spread: float) -> str:
    return f"around an image, {spread:g} as far as the corpus reaches"


def _images(lab: Lab) -> Images | None:
    """Images of the corpus in random order; None where there are too few."""
    try:
        with Corpus.open(lab.paths) as corpus:
            rows = np.random.default_rng(lab.seed).permutation(corpus.live_rows())
            rows = rows[: MOST_SMALL if lab.size == SMALL else MOST]
            return None if len(rows) < FEWEST else corpus.thumbnails()[rows]
    except CorpusError:
        return None


def _measured(name: str, codes: Codes, network: Autoencoder, images: Images, lab: Lab) -> Drawn:
    pictures = decode_codes(network, codes, lab.device)
    own = encode_images(network, pictures, lab.device)
    lengths = np.linalg.norm(codes, axis=1) * np.linalg.norm(own, axis=1)
    likeness = np.sum(codes * own, axis=1) / np.maximum(lengths, 1e-9)
    return Drawn(name, float(likeness.mean()), _contrast(pictures) / max(_contrast(images), 1e-9))


def _contrast(pictures: Images) -> float:
    return float(np.mean([picture.std(axis=(0, 1)).mean() for picture in pictures]))


def _conclusion(kinds: int, n_seen: int, drawn: list[Drawn]) -> str:
    told = f"{n_seen} of {kinds} digits have a place on the plane of two numbers."
    if not drawn:
        return told
    by_name = {each.name: each for each in drawn}
    images, half, gaussian = (by_name[name] for name in (IMAGES, HALF_WAY, GAUSSIAN))
    return (
        f"{told} Of a picture drawn from an image's code, the code is {images.likeness:.2f} like it (cosine); half way "
        f"between two images {half.likeness:.2f}, with {half.contrast:.0%} of an image's contrast; from the Gaussian "
        f"of the corpus {gaussian.likeness:.2f}."
    )
