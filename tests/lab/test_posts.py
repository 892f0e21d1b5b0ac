"""Posts for the lab: stripped as by scikit-learn, and read from archives, sound or not."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import _twenty_newsgroups as theirs

from imgsearch.device import pick_device
from imgsearch.errors import LabError
from imgsearch.lab.finding import Lab
from imgsearch.lab.posts import FEWEST_TEXTS, MOST_POST_BYTES, body, posts
from imgsearch.paths import IndexPaths
from imgsearch.progress import silent
from tests.support.text_index import add_described, described

POSTS = [
    "From: a@b\nSubject: hockey\n\nJoe writes:\n> I like hockey\n\nSo do I.\nVery much.\n\n--\nAnn, Anytown",
    "From: a@b\n\nno signature here",
    "From: a@b\n\nOne line.\n---\nAnn",
    "From: a@b\n\nIn article <1@x> Bob said:\n| quoted\nanswer\n\n\nAnn\nBob\n\n",
    "a post without a header",
    "From: a@b\n\n",
    "",
]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    paths = IndexPaths(tmp_path / "index")
    return Lab(paths, "small", pick_device("cpu"), None, 0, silent, lambda: False)


def with_data(lab: Lab, files: Mapping[str, bytes]) -> Lab:
    path = lab.paths.root.parent / "posts.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return Lab(**(vars(lab) | {"data": path}))


@pytest.mark.parametrize("post", POSTS)
def test_a_post_is_stripped_as_scikit_learn_strips_it(post: str) -> None:
    expected = theirs.strip_newsgroup_footer(theirs.strip_newsgroup_quoting(theirs.strip_newsgroup_header(post)))
    assert body(post) == expected
    assert body(post.replace("\n", "\r\n")) == expected


def test_real_posts_are_stripped_alike(shared_data: Path) -> None:
    with zipfile.ZipFile(shared_data / "20news-bydate.zip") as archive:
        for name in archive.namelist()[::200]:
            post = archive.read(name).decode("latin-1")
            if "\r" not in post:
                footless = theirs.strip_newsgroup_quoting(theirs.strip_newsgroup_header(post))
                assert body(post) == theirs.strip_newsgroup_footer(footless), name


def test_an_archive_is_read_by_its_folders(lab: Lab) -> None:
    files = {
        f"20news-{part}/{group}/{number}": f"From: x\n\n{group} {number}".encode()
        for part in ("train", "test")
        for group in ("sci.space", "rec.autos")
        for number in range(FEWEST_TEXTS)
    }
    strange = {
        "readme.txt": b"hello",
        "20news-train/sci.space/": b"",
        "a/b/c": b"",
        "20news-test/rec.autos/big": b"x" * 3,
    }
    huge = {"20news-train/sci.space/huge": b"From: x\n\n" + b"\xff " * MOST_POST_BYTES}
    found = posts(with_data(lab, files | strange | huge))
    assert found.names == ("rec.autos", "sci.space")
    assert len(found.test) == 2 * FEWEST_TEXTS + 1
    assert max(map(len, found.train)) <= MOST_POST_BYTES
    for text, group in zip(found.test, found.test_groups, strict=True):
        assert not text or text.startswith(found.names[group])
    assert np.abs(np.diff(found.test_groups)).sum() > 10  # not sorted by group
    assert "headers, footers and quotes" in found.sentence


def test_a_file_without_posts_is_refused(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"nothing")
    for path in (tmp_path / "file", tmp_path / "absent"):
        with pytest.raises(LabError, match="as an archive of posts"):
            posts(Lab(**(vars(lab) | {"data": path})))
    with pytest.raises(LabError, match="no or too few posts"):
        posts(with_data(lab, {"20news-train/sci.space/1": b"x"}))


def test_without_posts_the_texts_of_the_corpus_are_used(lab: Lab) -> None:
    with pytest.raises(LabError, match="there are no texts"):
        posts(lab)
    alts, labels = zip(*described(), strict=True)
    add_described(lab.paths, alts, labels)
    found = posts(lab)
    assert set(found.names) == set(labels)
    assert len(found.train) + len(found.test) == len(alts)
    assert not set(labels) & {word for text in found.train for word in text.split()}  # texts do not contain the labels
    assert "Alt texts and labels of this corpus" in found.sentence


def test_a_corpus_without_labels_has_no_groups(lab: Lab) -> None:
    add_described(lab.paths, ["a boat"] * 100)
    with pytest.raises(LabError, match="alt texts and labels"):
        posts(lab)
