"""Texts of images: the alt text of every place and the label, without removed images."""

from pathlib import Path

from imgsearch.corpus.store import Corpus
from imgsearch.corpus.texts import row_texts
from imgsearch.paths import IndexPaths
from tests.support.text_index import add_described, add_source


def test_each_row_has_the_texts_of_all_its_places_once(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    add_described(paths, ["a red boat", "", "a tram", "gone"], ["sea", "", "", "city"])
    for alt in ("a boat at sea", "a red boat", ""):
        add_source(paths, 0, alt)
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([3])
        assert row_texts(corpus) == ["a red boat\na boat at sea\nsea", "", "a tram", ""]
        assert row_texts(corpus, with_labels=False)[0] == "a red boat\na boat at sea"
        corpus.restore([3])
        assert row_texts(corpus)[3] == "gone\ncity"
