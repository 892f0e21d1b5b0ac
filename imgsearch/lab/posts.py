"""Texts for the experiments: newsgroup posts, each with its group.

From a file (20news-bydate.zip), else from scikit-learn's download, else the texts of the user's corpus, whose labels
then serve as groups.
"""

import logging
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.store import Corpus
from imgsearch.corpus.texts import row_texts
from imgsearch.errors import CorpusError, Hint, LabError
from imgsearch.lab.finding import SMALL, Lab
from imgsearch.paths import IndexPaths

N_SMALL_TRAIN, N_SMALL_TEST = 1000, 400  # for the small size, which runs for seconds
MOST_POST_BYTES = 1_000_000  # read from one post
TRAIN_SHARE = 0.6  # of the texts of a corpus, about as for the posts
FEWEST_TEXTS = 40
SHUFFLE_SEED = 0
STRIPPED = "headers, footers and quotes removed"

_QUOTE = re.compile(r"(writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>)")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Posts:
    """Training and test texts with their groups, each in random order."""

    train: list[str]
    test: list[str]
    test_groups: NDArray[np.int64]  # (n,) indices into `names`
    names: tuple[str, ...]
    sentence: str  # on their source


def posts(lab: Lab) -> Posts:
    """Load posts from `lab.data`, a download, or the corpus.

    Raises:
        LabError: the file does not contain the posts, or there are no texts at all.
    """
    path = lab.file("20news-bydate.zip")
    if path is not None:
        return _sized(lab, *_from_zip(path), "20 newsgroups, split by date")
    downloaded = None if lab.size == SMALL else _downloaded(lab.paths)
    if downloaded is not None:
        return _sized(lab, *downloaded, "20 newsgroups, split by date")
    return _from_corpus(lab)


def body(post: str) -> str:
    """Return a post without its header, quoted lines and signature.

    Follows scikit-learn's fetch_20newsgroups(remove=("headers", "footers", "quotes")): sender and recipient alone would
    identify the group of most posts.
    """
    _, _, text = post.replace("\r\n", "\n").partition("\n\n")
    text = "\n".join(line for line in text.split("\n") if not _QUOTE.search(line))
    lines = text.strip().split("\n")
    last_gap = next((number for number in range(len(lines) - 1, -1, -1) if not lines[number].strip().strip("-")), 0)
    return "\n".join(lines[:last_gap]) if last_gap > 0 else text


# ----------------------------------------------------------------------------------------------------------------------
# sources


Part = list[tuple[str, str]]  # text and group


def _from_zip(path: Path) -> tuple[Part, Part]:
    """Return the posts in an archive of folders `…-train/GROUP/NUMBER` and `…-test/GROUP/NUMBER`."""
    parts: dict[str, Part] = {"train": [], "test": []}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                folders = member.filename.split("/")
                part = folders[-3].rpartition("-")[2] if len(folders) >= 3 else ""
                if part in parts and not member.is_dir():
                    with archive.open(member) as file:
                        post = file.read(MOST_POST_BYTES).decode("latin-1")  # never fails
                    parts[part].append((body(post), folders[-2]))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # encrypted, unknown compression
        raise LabError(f"{path} cannot be read as an archive of posts ({error}).") from error
    if min(map(len, parts.values())) < FEWEST_TEXTS:
        raise LabError(f"{path} contains no or too few posts in folders such as 20news-bydate-train/sci.space.")
    return parts["train"], parts["test"]


def _downloaded(paths: IndexPaths) -> tuple[Part, Part] | None:
    from sklearn.datasets import fetch_20newsgroups  # slow to import

    folder = paths.lab / "download"
    parts = []
    try:
        for subset in ("train", "test"):
            found = fetch_20newsgroups(data_home=str(folder), subset=subset, shuffle=False)
            groups = [found.target_names[target] for target in found.target]
            parts.append(list(zip(map(body, found.data), groups, strict=True)))
    except OSError as error:  # includes URLError
        logger.info("no newsgroups: %s", error)
        return None
    return parts[0], parts[1]


def _from_corpus(lab: Lab) -> Posts:
    missing = LabError(
        "there are no texts: neither 20news-bydate.zip nor a corpus with alt texts and labels.", hint=Hint.LAB_DATA
    )
    try:
        with Corpus.open(lab.paths) as corpus:
            texts = zip(row_texts(corpus, with_labels=False), corpus.labels(), strict=False)
            found = [(text, label) for text, label in texts if text and label]
    except CorpusError as error:
        raise missing from error
    if len(found) < FEWEST_TEXTS or len({label for _, label in found}) < 2:
        raise missing
    found = _shuffled(found)
    n_train = round(TRAIN_SHARE * len(found))
    where = "Alt texts and labels of this corpus, since the newsgroups were not available"
    return _sized(lab, found[:n_train], found[n_train:], where, how="split at random")


def _sized(lab: Lab, train: Part, test: Part, what: str, *, how: str = STRIPPED) -> Posts:
    train, test = _shuffled(train), _shuffled(test)
    if lab.size == SMALL:
        train, test = train[:N_SMALL_TRAIN], test[:N_SMALL_TEST]
    names = tuple(sorted({group for _, group in (*train, *test)}))
    places = {name: place for place, name in enumerate(names)}
    groups = np.array([places[group] for _, group in test], np.int64)
    sentence = f"{what}: {len(train):,} texts to train on, {len(test):,} to test with; {how}."
    return Posts([text for text, _ in train], [text for text, _ in test], groups, names, sentence)


def _shuffled(part: Sequence[tuple[str, str]]) -> Part:
    """Return the texts in random order, so that equally near texts are not sorted by group."""
    order = np.random.default_rng(SHUFFLE_SEED).permutation(len(part))
    return [part[place] for place in order]
