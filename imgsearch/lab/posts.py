"""The texts of the lecture: newsgroup posts with the group that each was sent to. Where they come from is told.

A file that the user names comes first (20news-bydate.zip), then scikit-learn's download, then what is written of the
images of the user's own corpus, whose labels are the groups.
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
from imgsearch.errors import CorpusError, LabError
from imgsearch.lab.finding import SMALL, Lab
from imgsearch.paths import IndexPaths

N_SMALL_TRAIN, N_SMALL_TEST = 1000, 400  # of an experiment that is to end in seconds
MOST_POST_BYTES = 1_000_000  # that are read of one post
TRAIN_SHARE = 0.6  # of a corpus's texts, about as of the posts
FEWEST_TEXTS = 40
SHUFFLE_SEED = 0
STRIPPED = "headers, footers and quotes taken off"

_QUOTE = re.compile(r"(writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>)")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Posts:
    """Texts with their groups, to train on and to ask with, each in random order."""

    train: list[str]
    test: list[str]
    test_groups: NDArray[np.int64]  # (n,) numbers of names
    names: tuple[str, ...]
    sentence: str  # where they come from


def posts(lab: Lab) -> Posts:
    """Posts from `--data`, a download, or the corpus.

    Raises:
        LabError: the file is not what it should be, or there is nothing at all.
    """
    path = lab.file("20news-bydate.zip")
    if path is not None:
        return _sized(lab, *_from_zip(path), "20 newsgroups, split by date")
    downloaded = None if lab.size == SMALL else _downloaded(lab.paths)
    if downloaded is not None:
        return _sized(lab, *downloaded, "20 newsgroups, split by date")
    return _from_corpus(lab)


def body(post: str) -> str:
    """A post without its header, without lines that quote others, and without a signature.

    By the rules of scikit-learn's fetch_20newsgroups(remove=("headers", "footers", "quotes")): what says who wrote a
    post, and to whom, would tell its group without a word of what it is about.
    """
    _, _, text = post.replace("\r\n", "\n").partition("\n\n")
    text = "\n".join(line for line in text.split("\n") if not _QUOTE.search(line))
    lines = text.strip().split("\n")
    last_gap = next((number for number in range(len(lines) - 1, -1, -1) if not lines[number].strip().strip("-")), 0)
    return "\n".join(lines[:last_gap]) if last_gap > 0 else text


# ----------------------------------------------------------------------------------------------------------------------
# where they come from


Part = list[tuple[str, str]]  # text and group


def _from_zip(path: Path) -> tuple[Part, Part]:
    """The posts of an archive of folders `…-train/GROUP/NUMBER` and `…-test/GROUP/NUMBER`."""
    parts: dict[str, Part] = {"train": [], "test": []}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                folders = member.filename.split("/")
                part = folders[-3].rpartition("-")[2] if len(folders) >= 3 else ""
                if part in parts and not member.is_dir():
                    with archive.open(member) as file:
                        post = file.read(MOST_POST_BYTES).decode("latin-1")  # never fails, as posts need
                    parts[part].append((body(post), folders[-2]))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # encrypted, unknown compression
        raise LabError(f"{path} is not an archive of posts that can be read ({error}).") from error
    if min(map(len, parts.values())) < FEWEST_TEXTS:
        raise LabError(f"{path} holds no posts in folders such as 20news-bydate-train/sci.space, or too few.")
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
    except OSError as error:  # a URLError is one
        logger.info("no newsgroups: %s", error)
        return None
    return parts[0], parts[1]


def _from_corpus(lab: Lab) -> Posts:
    nothing = "no posts to run on: name them by --data 20news-bydate.zip, or have a corpus with alt texts and labels."
    try:
        with Corpus.open(lab.paths) as corpus:
            texts = zip(row_texts(corpus, with_labels=False), corpus.labels(), strict=False)
            found = [(text, label) for text, label in texts if text and label]
    except CorpusError as error:
        raise LabError(nothing) from error
    if len(found) < FEWEST_TEXTS or len({label for _, label in found}) < 2:
        raise LabError(nothing)
    found = _shuffled(found)
    n_train = round(TRAIN_SHARE * len(found))
    where = "No newsgroups were at hand (--data 20news-bydate.zip), so the alt texts of this corpus with its labels"
    return _sized(lab, found[:n_train], found[n_train:], where, how="split at random")


def _sized(lab: Lab, train: Part, test: Part, what: str, *, how: str = STRIPPED) -> Posts:
    train, test = _shuffled(train), _shuffled(test)
    if lab.size == SMALL:
        train, test = train[:N_SMALL_TRAIN], test[:N_SMALL_TEST]
    names = tuple(sorted({group for _, group in (*train, *test)}))
    places = {name: place for place, name in enumerate(names)}
    groups = np.array([places[group] for _, group in test], np.int64)
    sentence = f"{what}: {len(train):,} texts to train on, {len(test):,} to ask with; {how}."
    return Posts([text for text, _ in train], [text for text, _ in test], groups, names, sentence)


def _shuffled(part: Sequence[tuple[str, str]]) -> Part:
    """In random order, so that equally near texts do not come group by group."""
    order = np.random.default_rng(SHUFFLE_SEED).permutation(len(part))
    return [part[place] for place in order]
