"""Case 38 of tests/hostile: recompressed and resized copies are flagged and kept."""

import sqlite3
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgsearch.corpus.ingest import FoundImage, Intake
from imgsearch.corpus.near_duplicates import COMPARED, NearDuplicates
from imgsearch.corpus.store import Corpus
from imgsearch.paths import IndexPaths
from tests.support.strange_images import (
    encoded,
    plain,
)


def pictures(n: int, side: int = 200) -> list[Image.Image]:
    """Distinct pictures with structure: enlarged coarse noise."""
    rng = np.random.default_rng(38)
    coarse = rng.integers(0, 256, (n, 6, 6, 3), np.uint8)
    return [Image.fromarray(some).resize((side, side), Image.Resampling.BICUBIC) for some in coarse]


def keep(corpus: Corpus, *images: bytes, intake: Intake | None = None) -> list[int | None]:
    """Add the images; return for each the row that it is a near-duplicate of, or None."""
    found = [FoundImage(f"file:///{sha256(data).hexdigest()}", data) for data in images]
    outcomes = (intake or Intake(corpus)).keep(found)
    return [corpus.entry(outcome.row).near_duplicate_of for outcome in outcomes if outcome.row is not None]


def test_case_38_recompressed_and_resized_copies_are_flagged_and_kept(corpus: Corpus) -> None:
    first, second = pictures(2)
    whole = encoded(first, "PNG")
    small = encoded(first.resize((120, 120)), "PNG")
    copies = [encoded(first, "JPEG", quality=quality) for quality in (90, 50, 20)]
    assert keep(corpus, encoded(second, "PNG"), whole, copies[0], small) == [None, None, 1, 1]  # in one batch
    assert keep(corpus, copies[1], encoded(first, "WEBP"), copies[2]) == [1, 1, 1]  # and in a later run
    assert len(corpus) == 7
    assert corpus.counts().near_duplicates == 5
    corpus.remove([2])
    assert corpus.counts().near_duplicates == 4


def test_case_38_only_copies_are_flagged(corpus: Corpus) -> None:
    # Their greys are uniform.
    plains = [encoded(plain("RGB", (tone, 255 - tone, 0)), "PNG") for tone in range(0, 256, 5)]
    assert keep(corpus, *plains, *(encoded(picture, "PNG") for picture in pictures(300, side=32))) == [None] * 352
    assert keep(corpus, encoded(plain("RGB", (50, 205, 0)), "BMP")) == [10]


def test_case_38_a_copy_is_found_among_many_wherever_the_original_lies(corpus: Corpus) -> None:
    intake, many = Intake(corpus), pictures(2_000, side=32)
    for start in range(0, 2_000, 250):
        assert not any(keep(corpus, *(encoded(some, "PNG") for some in many[start : start + 250]), intake=intake))
    copies = [encoded(many[row], "JPEG", quality=92) for row in range(0, 2_000, 101)]
    assert keep(corpus, *copies, intake=intake) == list(range(0, 2_000, 101))
    assert keep(corpus, *(copy + b"again" for copy in copies)) == list(range(0, 2_000, 101))  # never a copy's copy


def test_case_38_what_is_near_to_a_copy_alone_is_an_original() -> None:
    chain = np.array([0, 0b1111, 0b1111_1111], np.uint64)  # each 4 bits from the one before
    alike = np.zeros((3, 32, 32, 3), np.uint8)
    assert NearDuplicates(chain[:0], np.zeros(0, np.int64)).add(chain, alike, 0, lambda _: alike[:0]) == [None, 0, None]


def test_case_38_a_crowd_of_look_alikes_costs_no_more(corpus: Corpus) -> None:
    hashes, rows = np.zeros(100_000, np.uint64), np.arange(100_000)
    crowd = NearDuplicates(hashes, rows)
    asked: list[int] = []

    def read(some: NDArray[np.int64]) -> NDArray[np.uint8]:
        asked.append(len(some))
        return np.full((len(some), 32, 32, 3), 255, np.uint8)

    # Each is compared with a hundred thousand images, none of them similar.
    assert crowd.add(hashes[:512], np.zeros((512, 32, 32, 3), np.uint8), 100_000, read) == [None] * 512
    assert asked == [512 * COMPARED]


def test_case_38_a_corpus_from_before_is_read_and_mended(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    (first,) = pictures(1)
    with Corpus.open_for_writing(paths) as corpus:
        keep(corpus, encoded(first, "PNG"))
    with sqlite3.connect(paths.corpus_database) as database:
        database.executescript("DROP TABLE perceptual; PRAGMA user_version = 2")
    database.close()
    with Corpus.open(paths) as corpus:
        assert corpus.entry(0).near_duplicate_of is None
        assert corpus.counts().near_duplicates == 0
    with Corpus.open_for_writing(paths) as corpus:
        assert keep(corpus, encoded(first, "JPEG")) == [0]
