"""Three ways to undo max pooling, and what each leaves in the code: deconvolution, repeated values, switches.

The same encoder is trained three times on the same batches, to reconstruct. Switches (Zeiler et al. 2011; Zhao et al.
2015) give the decoder the positions of the maxima, which the code then need not contain. Three measures on images that
were not trained on show it: the reconstruction error; the error of the best linear prediction of the pixels from the
code alone, which shows how much the code contains; and the quality of search by the codes.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from imgsearch.autoencoder.config import TrainConfig
from imgsearch.autoencoder.data.batches import as_examples
from imgsearch.autoencoder.encode import encode_images, reconstruct
from imgsearch.autoencoder.networks.base import Autoencoder
from imgsearch.autoencoder.networks.config import SWITCHES, UNPOOLINGS, ConvConfig
from imgsearch.autoencoder.networks.conv import ConvAutoencoder
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError
from imgsearch.lab.datasets import digits
from imgsearch.lab.drawing import rows_of_images
from imgsearch.lab.experiments.learning import learn
from imgsearch.lab.finding import SMALL, Finding, Lab
from imgsearch.retrieval.evaluation.distortions import DISTORTIONS, distort
from imgsearch.retrieval.evaluation.metrics import precision_at
from imgsearch.retrieval.evaluation.robustness import found_in
from imgsearch.retrieval.index.ranking import Database, k_nearest

FEWEST = 200  # images of a corpus; with fewer, digits are used instead
MOST, MOST_SMALL = 10_000, 400
TEST_SHARE, MOST_TEST, MOST_DISTORTED = 0.1, 1000, 400
SHOWN, NEAREST = 10, 10
RIDGE = 1e-3  # of the linear prediction, relative to the variance of the codes
SMALL_NETWORK = ConvConfig(48, 48, (8, 12, 16, 24, 32), (0, 0, 0, 0), (0, 0, 0, 0), max_pooling=True)
SMALL_TRAINING = {"epochs": 10, "batch_size": 32, "matrix_rate": 0.04, "learning_rate": 6e-3}

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """Images for training and for testing."""

    images: Images  # (n, 32, 32, 3)
    labels: NDArray[np.int64] | None  # (n,), or None where images have no or equal labels
    n_test: int  # so many at the end are not trained on
    sentence: str

    @property
    def test(self) -> Images:
        return self.images[-self.n_test :]

    @property
    def training(self) -> Images:
        return self.images[: -self.n_test]


def run(lab: Lab) -> Finding:
    """Train, measure and draw the three networks."""
    pictures = pictures_of(lab)
    shown = pictures.test[:SHOWN]
    rows, figures = {"images": shown}, {}
    for number, unpool in enumerate(UNPOOLINGS):
        share = (number / len(UNPOOLINGS), (number + 1) / len(UNPOOLINGS))
        network = learn(lab, pictures.training, f"unpool-{unpool}", _config(lab, unpool), share)
        figures[unpool] = measured(network, pictures, lab)
        rows[unpool] = reconstruct(network, shown, lab.device)
        if isinstance(network, ConvAutoencoder) and network.uses_switches:
            rows["its switches,\nanother's code"] = swapped(network, shown, lab, codes_of_another=True)
            rows["its code,\nanother's switches"] = swapped(network, shown, lab, codes_of_another=False)
            swaps = {
                "code_of_another": _error(swapped(network, pictures.test, lab, codes_of_another=True), pictures.test),
                "switches_of_another": _error(
                    swapped(network, pictures.test, lab, codes_of_another=False), pictures.test
                ),
            }
    return Finding(
        name="unpool",
        title="Three ways to undo pooling",
        source="Zeiler et al. 2011; Zhao et al. 2015",
        data=pictures.sentence,
        columns=("unpooling", "error per value", "error of a linear prediction from the code", *_found(figures)),
        lines=tuple(_line(unpool, figures[unpool]) for unpool in UNPOOLINGS),
        figures={"unpoolings": figures, "swapped": swaps, "n_images": len(pictures.images)},
        conclusion=_conclusion(figures, swaps),
        picture=rows_of_images(rows),
    )


# ----------------------------------------------------------------------------------------------------------------------
# data and training


def pictures_of(lab: Lab) -> Pictures:
    """Return images of the user's corpus, or digits, padded to 32x32, where it has too few."""
    most = MOST_SMALL if lab.size == SMALL else MOST
    rng = np.random.default_rng(lab.seed)
    found = _of_corpus(lab, most, rng)
    if found is not None:
        return found
    data = digits(lab)
    chosen = rng.permutation(len(data.train))[:most]
    grey = data.train[chosen].reshape(-1, data.side, data.side)
    grey = grey.repeat(32 // data.side, 1).repeat(32 // data.side, 2)
    frame = 32 - grey.shape[1]
    framed = np.pad(grey, ((0, 0), *[(frame // 2, frame - frame // 2)] * 2))
    images = np.repeat(framed[..., None], 3, axis=3)
    why = f"The corpus has fewer than {FEWEST} images, so digits are used, padded to 32×32."
    return Pictures(images, data.train_labels[chosen], _n_test(len(images)), f"{why} {data.sentence}")


def _of_corpus(lab: Lab, most: int, rng: np.random.Generator) -> Pictures | None:
    try:
        with Corpus.open(lab.paths) as corpus:
            live = corpus.live_rows()
            if len(live) < FEWEST:
                return None
            rows = rng.permutation(live)[:most]
            images, texts = corpus.thumbnails()[rows], corpus.labels()
    except CorpusError:
        return None
    names, labels = np.unique([texts[row] for row in rows], return_inverse=True)
    labelled = len(names) > 1 and names[0] != ""  # all images have a label, and labels differ
    n_test = _n_test(len(images))
    sentence = f"{len(rows):,} of the {len(live):,} images of the corpus; {n_test:,} are queries and not trained on."
    return Pictures(images, labels if labelled else None, n_test, sentence)


def _n_test(n: int) -> int:
    return min(MOST_TEST, round(TEST_SHARE * n))


def _config(lab: Lab, unpool: str) -> TrainConfig:
    sizes = SMALL_NETWORK if lab.size == SMALL else ConvConfig(invariant_size=ConvConfig.code_size, max_pooling=True)
    config = TrainConfig(
        objective=(("reconstruct", 1.0),), seed=lab.seed, network=replace(sizes, unpool=unpool), batch_size=128
    )
    return replace(config, **lab.by_size(SMALL_TRAINING, {"epochs": 12}, {"epochs": 100}))


# ----------------------------------------------------------------------------------------------------------------------
# measuring


def measured(network: Autoencoder, pictures: Pictures, lab: Lab) -> dict[str, float]:
    """Measure on the test images: "error", "linear_error", "recall@1" and, where they have labels, "p@10"."""
    codes = encode_images(network, pictures.images, lab.device)
    trained, queries = codes[: -pictures.n_test], codes[-pictures.n_test :]
    figures = {
        "error": _error(reconstruct(network, pictures.test, lab.device), pictures.test),
        "linear_error": linear_error(trained, pictures.training, queries, pictures.test),
        "recall@1": _recall(network, codes, pictures, lab),
    }
    if pictures.labels is not None:
        nearest = k_nearest(trained, queries, NEAREST, network.metric)
        found, wanted = pictures.labels[nearest], pictures.labels[-pictures.n_test :]
        figures["p@10"] = float(precision_at(found, wanted, NEAREST).mean())
    return figures


def linear_error(
    codes: NDArray[np.float32], images: Images, test_codes: NDArray[np.float32], test_images: Images
) -> float:
    """Fit a linear prediction of images from their codes and return its error per value on the test images."""
    mean_code, mean = codes.mean(0), _flat(images).mean(0)
    centred = (codes - mean_code).astype(np.float64)
    covariance = centred.T @ centred
    covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    weights = np.linalg.solve(covariance, centred.T @ (_flat(images) - mean))
    predicted = (test_codes - mean_code) @ weights + mean
    return float(np.square(predicted - _flat(test_images)).mean())


def _recall(network: Autoencoder, codes: NDArray[np.float32], pictures: Pictures, lab: Lab) -> float:
    """Return the share of distorted copies whose original comes first, as a mean over the distortions."""
    n = min(MOST_DISTORTED, pictures.n_test)
    places = np.arange(len(codes) - pictures.n_test, len(codes))[:n]
    copies = np.concatenate([distort(pictures.images[places], name, places, seed=lab.seed) for name in DISTORTIONS])
    distances = Database.of(codes, network.metric).distances(encode_images(network, copies, lab.device))
    return float(found_in(distances, np.tile(places, len(DISTORTIONS)), (1,)).mean())


def swapped(network: ConvAutoencoder, images: Images, lab: Lab, *, codes_of_another: bool) -> Images:
    """Decode images from the next image's code and their own switches, or from their code and its switches."""
    with torch.inference_mode():
        batch = as_examples(images, lab.device.device)
        codes, other = network.encode(batch), batch.roll(1, 0)
        decoded = network.decode_by_switches(*((codes.roll(1, 0), batch) if codes_of_another else (codes, other)))
    made: Images = decoded.mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return made


def _error(made: Images, images: Images) -> float:
    return float(np.square(_flat(made) - _flat(images)).mean())


def _flat(images: Images) -> NDArray[np.float64]:
    return images.reshape(len(images), -1) / 255


# ----------------------------------------------------------------------------------------------------------------------
# table and conclusion


def _found(figures: dict[str, dict[str, float]]) -> tuple[str, ...]:
    """Return the columns for the quality of search."""
    return (*(("P@10",) if "p@10" in figures[SWITCHES] else ()), "distorted copies found")


def _line(unpool: str, figures: dict[str, float]) -> tuple[str, ...]:
    by_label = (f"{figures['p@10']:.3f}",) if "p@10" in figures else ()
    return (
        unpool,
        f"{figures['error']:.4f}",
        f"{figures['linear_error']:.4f}",
        *by_label,
        f"{figures['recall@1']:.3f}",
    )


def _conclusion(figures: dict[str, dict[str, float]], swaps: dict[str, float]) -> str:
    """Return sentences that hold whichever way the figures came out."""

    def ranked(figure: str) -> list[tuple[float, str]]:
        return sorted((each[figure], unpool) for unpool, each in figures.items())

    errors, guesses, copies = ranked("error"), ranked("linear_error"), ranked("recall@1")
    text = (
        f"{errors[0][1].capitalize()} reconstructs best (error {errors[0][0]:.4f}, against {errors[1][0]:.4f} by "
        f"{errors[1][1]}). The code of {guesses[-1][1]} predicts the pixels worst (error {guesses[-1][0]:.4f}, against "
        f"{guesses[0][0]:.4f} by {guesses[0][1]}), and {copies[0][1]} finds the fewest distorted copies "
        f"({copies[0][0]:.1%}, against {copies[-1][0]:.1%} by {copies[-1][1]}). With another image's code, the decoder "
        f"with switches reconstructs the image at an error of {swaps['code_of_another']:.4f}; with another image's "
        f"switches, at {swaps['switches_of_another']:.4f}."
    )
    if "p@10" in figures[SWITCHES]:
        labels = ranked("p@10")
        text += (
            f" P@10 by labels ranges from {labels[0][0]:.3f} ({labels[0][1]}) to {labels[-1][0]:.3f} ({labels[-1][1]})."
        )
    return text
