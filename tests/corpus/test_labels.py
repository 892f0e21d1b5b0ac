"""Labels from a file: read exactly; unknown images are counted, contradictions refused."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imgsearch.corpus.labels import Labels, own_labels, read_labels
from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError
from imgsearch.paths import IndexPaths
from tests.support.index import add_images, smooth_thumbnails

N = 8


@pytest.fixture
def eight(tmp_path: Path) -> Iterator[Corpus]:
    """Eight images, of which number 7 is removed."""
    paths = IndexPaths(tmp_path / "index")
    add_images(paths, smooth_thumbnails(N), ["cat", "", "dog", "dog", "cat", "", "", "dog"])
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([7])
        yield corpus


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_from_folders_are_numbered_by_name_and_removed_images_have_none(eight: Corpus) -> None:
    labels = own_labels(eight)
    assert labels.names == ["cat", "dog"]
    assert labels.numbers.tolist() == [0, -1, 1, 1, 0, -1, -1, -1]
    assert labels.texts() == ["cat", "", "dog", "dog", "cat", "", "", ""]


def test_a_file_names_images_by_row_or_by_url(eight: Corpus, tmp_path: Path) -> None:
    by_row = read_labels(written(tmp_path, "Label,row,remark\nsea,1,\nsea,2,\nsky,5,blue\nsky,6,\n"), eight)
    urls = "".join(f"https://example.org/{row}.png,{label}\n" for row, label in enumerate(("", "sea", "sea")) if label)
    urls += "".join(f"https://example.org/{row}.png,sky\n" for row in (5, 6))
    by_url = read_labels(written(tmp_path, "﻿url,label\n" + urls), eight)
    assert by_row.numbers.tolist() == by_url.numbers.tolist() == [-1, 0, 0, -1, -1, 1, 1, -1]
    assert by_row.notes == by_url.notes == []


def test_what_the_corpus_lacks_is_counted_and_named(eight: Corpus, tmp_path: Path) -> None:
    lines = "0,a\n1,a\n2,b\n3,b\n7,a\n99,b\n-1,b\nfour,b\n\n4,\n"
    labels = read_labels(written(tmp_path, "row,label\n" + lines), eight)
    assert labels.numbers.tolist() == [0, 0, 1, 1, -1, -1, -1, -1]
    assert labels.notes == [
        "4 of labels.csv are not in the corpus and were passed over: 7, 99, -1, …",
        "1 lines of labels.csv have no label and were passed over.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs a first line"),
        ("image,label\n0,a\n", "it has image, label"),
        ("row,kind\n0,a\n", "row,label or url,label"),
        ("row,label\n0,a\n1,a\n", "only 'a' has"),
        ("row,label\n0,a\n1,b\n", "none has"),
        ("row,label\n0,a\n1,a\n0,b\n", "line 4: 0 is 'b' here and 'a' before"),
        ('row,label\n0,"a\n', "cannot be read as a CSV file"),
        ("row,label\n77,a\n", "77"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_in_a_sentence(
    eight: Corpus, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(CorpusError, match=said):
        read_labels(written(tmp_path, text), eight)


def test_a_file_that_is_no_text_or_not_there_is_refused(eight: Corpus, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"row,label\n\xff\xfe\n")
    for name in ("labels.csv", "none.csv"):
        with pytest.raises(CorpusError, match="cannot be read"):
            read_labels(tmp_path / name, eight)


def test_a_share_of_each_label_is_held_out_but_never_all() -> None:
    labels = Labels(["a", "b", "c"], np.array([0] * 20 + [1] * 5 + [2] + [-1] * 4))
    held_out = labels.held_out(0.2, seed=1)
    assert np.bincount(labels.numbers[held_out], minlength=3).tolist() == [4, 1, 0]
    assert np.array_equal(held_out, labels.held_out(0.2, seed=1))
    assert not np.array_equal(held_out, labels.held_out(0.2, seed=2))
    learned = labels.without(held_out)
    assert np.bincount(learned[learned >= 0]).tolist() == [16, 4, 1]
    assert np.bincount(labels.numbers[labels.held_out(1.0, 0)], minlength=3).tolist() == [19, 4, 0]
