"""Posts through a narrow code: texts in a plane, and the share of neighbours from the same group.

Source: Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks" (Science 2006), figure 4:
2000-500-250-125-10 against latent semantic analysis, and the plane by 2000-500-250-125-2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgsearch.autoencoder.checkpoint import load_checkpoint
from imgsearch.autoencoder.encode import encode_images
from imgsearch.autoencoder.recipes import TEXT_HIDDEN, text_recipe
from imgsearch.autoencoder.training.train import train
from imgsearch.corpus.words import MOST_WORDS, Vocabulary
from imgsearch.lab.drawing import as_png, curves, new_figure, plane
from imgsearch.lab.finding import Finding, Lab
from imgsearch.lab.posts import Posts, posts
from imgsearch.progress import part_of
from imgsearch.retrieval.index.index_info import COSINE
from imgsearch.retrieval.index.ranking import QUERY_BLOCK, Database
from imgsearch.retrieval.text.bags import DenseRows, WordVectors, count_words, rows_with_words, tf_idf
from imgsearch.retrieval.text.lsa import SemanticSpace

CODE_SIZES = (2, 10, 128)
TABLE_N = (1, 3, 7, 15, 63, 255, 1023)  # numbers of neighbours in the table, as in the paper
SHARE_OF_TRAINING = 0.9  # of the experiment's time
PLANE_SHARE = (1, 99)  # percentiles at which the plane is cut off


@dataclass(frozen=True)
class Texts:
    """Posts as word vectors."""

    train: WordVectors
    test: WordVectors  # only posts with words of the vocabulary
    groups: NDArray[np.int64]  # of `test`
    n_left_out: int  # test posts without words of the vocabulary


def run(lab: Lab) -> Finding:
    """Compare the autoencoder, latent semantic analysis and TF-IDF."""
    data = posts(lab)
    texts = _texts(lab, data)
    codes = {f"AE-{size}": _codes(lab, texts, size, number) for number, size in enumerate(CODE_SIZES)}
    trained = texts.train[rows_with_words(texts.train)]
    semantics = SemanticSpace.of(trained, max(CODE_SIZES)).project(texts.test)
    codes |= {f"LSA-{size}": semantics[:, :size] for size in CODE_SIZES}
    everything = {name: codes[name] for name in ("AE-10", "AE-128", "LSA-10", "LSA-128", "AE-2", "LSA-2")}
    everything["TF-IDF"] = texts.test.toarray()
    sizes = tuple(n for n in TABLE_N if n < len(texts.groups))
    shares = {}
    for number, (name, vectors) in enumerate(everything.items()):
        lab.on_progress(SHARE_OF_TRAINING + (1 - SHARE_OF_TRAINING) * number / len(everything), 1, f"ranking by {name}")
        shares[name] = same_group_shares(vectors, texts.groups, sizes)
    ahead = [n for n, ours, theirs in zip(sizes, shares["AE-10"], shares["LSA-10"], strict=True) if ours > theirs]
    return Finding(
        name="text",
        title="Posts through a code of 10 numbers",
        source="Hinton & Salakhutdinov 2006",
        data=f"{data.sentence} Each test text is a query among the other test texts; {texts.n_left_out:,} "
        "texts without a known word are left out. Cosine distance; LSA and TF-IDF use the same weighted words as the "
        "network.",
        columns=("code", *(f"of {n}" for n in sizes)),
        lines=tuple((name, *(f"{share:.3f}" for share in line)) for name, line in shares.items()),
        figures={"n": sizes, "share_of_same_group": shares, "n_test": len(texts.groups), "n_groups": len(data.names)},
        conclusion=f"With 10 numbers, {shares['AE-10'][0]:.1%} of the nearest texts by the autoencoder are from the "
        f"same group, and {shares['LSA-10'][0]:.1%} by LSA; the autoencoder is better for {len(ahead)} of {len(sizes)} "
        f"numbers of neighbours. With 128 numbers it is {shares['AE-128'][0]:.1%} and {shares['LSA-128'][0]:.1%}, "
        f"with all words (TF-IDF) {shares['TF-IDF'][0]:.1%}.",
        picture=_picture(
            {name: _cut(codes[name]) for name in ("AE-2", "LSA-2")},
            texts.groups,
            data.names,
            {name: (sizes, line) for name, line in shares.items() if not name.endswith("-2")},
        ),
    )


def same_group_shares(
    vectors: NDArray[np.float32], groups: NDArray[np.int64], sizes: tuple[int, ...]
) -> tuple[float, ...]:
    """Return the mean share of a text's own group among its N nearest by cosine, for each N; vectors (n, d)."""
    database = Database.of(vectors, COSINE)
    total, depth = np.zeros(len(sizes)), max(sizes)
    for start in range(0, len(vectors), QUERY_BLOCK):
        queries = np.arange(start, min(start + QUERY_BLOCK, len(vectors)))
        nearest = database.ranking(vectors[queries], queries, first=start)[:, :depth]
        same = np.cumsum(groups[nearest] == groups[queries, None], axis=1)  # (nb, depth)
        total += (same[:, np.array(sizes) - 1] / sizes).sum(axis=0)
    return tuple(float(share) for share in total / len(vectors))


def _texts(lab: Lab, data: Posts) -> Texts:
    """Return the posts as vectors over the vocabulary of the training part."""
    vocabulary = Vocabulary.of(data.train, lab.by_size(800, MOST_WORDS, MOST_WORDS))
    train, test = (tf_idf(count_words(texts, vocabulary), vocabulary) for texts in (data.train, data.test))
    rows = rows_with_words(test)
    return Texts(train, test[rows], data.test_groups[rows], len(data.test) - len(rows))


def _codes(lab: Lab, texts: Texts, size: int, number: int) -> NDArray[np.float32]:
    """Train a network on the training texts and return the codes of the test texts, (n, size)."""
    paths = lab.scratch(f"text-{size}")
    part = SHARE_OF_TRAINING / len(CODE_SIZES)
    report = part_of(lab.on_progress, part * number, part * (number + 1))
    train(
        DenseRows(texts.train),
        rows_with_words(texts.train),
        paths,
        text_recipe(
            texts.train.shape[1],
            (*TEXT_HIDDEN, size),
            seed=lab.seed,
            epochs=lab.by_size(25, 20, 50),
            batch_size=lab.by_size(64, 256, 256),  # with few texts, smaller batches allow enough steps
        ),
        resume=False,
        device=lab.device,
        on_progress=lambda progress: report(progress.fraction, 1, f"AE-{size}, {progress.doing}"),
        stop=lab.stop,
    )
    network, _ = load_checkpoint(paths.model, lab.device.device)
    return encode_images(network, DenseRows(texts.test), lab.device)


def _families(names: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return families of groups (the first parts of their names) and the family of each group."""
    firsts = [name.split(".")[0] for name in names]
    families = tuple(sorted(set(firsts)))
    return families, np.array([families.index(first) for first in firsts], np.int64)


def _cut(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move the few outliers of points (n, 2) to the edge, so that they do not shrink the rest."""
    low, high = np.percentile(points, PLANE_SHARE, axis=0)
    return np.clip(points, low, high).astype(np.float32)


def _picture(
    planes: Mapping[str, NDArray[np.float32]],
    groups: NDArray[np.int64],
    names: tuple[str, ...],
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
) -> bytes:
    """Return a PNG of planes of points (n, 2), coloured by family, and the shares on a logarithmic axis."""
    families, members = _families(names)
    labels = members[groups]
    figure = new_figure(4.2 * (len(planes) + 1), 4.4)
    *spaces, last = figure.subplots(1, len(planes) + 1)
    for axes, (title, points) in zip(spaces, planes.items(), strict=True):
        plane(axes, points, labels, title)
    handles, _ = spaces[0].get_legend_handles_labels()
    kinds = [families[label] for label in np.unique(labels)]
    figure.legend(handles, kinds, loc="outside lower left", ncols=9, fontsize=8, frameon=False, markerscale=3)
    curves(last, lines, "texts retrieved", "share of the same group")
    last.set_xscale("log")
    return as_png(figure)
