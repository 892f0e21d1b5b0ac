"""The labelled database and queries. (Errors in labels are tested with `evaluate`, which raises them.)"""

from pathlib import Path

import numpy as np

from imgsearch.corpus.ingest import LabelledImages
from imgsearch.corpus.store import Corpus
from imgsearch.retrieval.evaluation.labels import LabelledDatabase, given_queries, own_queries, sample
from imgsearch.retrieval.search.searcher import Searcher
from tests.support.index import make_index, smooth_thumbnails

LABELS = ["bee", "", "ant", "bee", "ant", "ant"]


def test_the_database_has_the_labelled_images_that_can_be_found(tmp_path: Path) -> None:
    thumbnails = smooth_thumbnails(6)
    paths = make_index(tmp_path, thumbnails, LABELS)
    with Corpus.open_for_writing(paths) as corpus:
        corpus.remove([4])
    with Searcher.open(paths, device="cpu") as searcher:
        database = LabelledDatabase.of(searcher)
        some = LabelledDatabase.of(searcher, 2)
    assert database.names == ["ant", "bee"]
    assert database.rows.tolist() == [0, 2, 3, 5]
    assert database.labels.tolist() == [1, 0, 1, 0]
    assert (database.n_labelled, some.n_labelled, len(some.rows)) == (4, 4, 2)
    assert set(some.rows) < set(database.rows)

    own = own_queries(database, thumbnails[database.rows])
    assert own.are_rows
    assert own.positions.tolist() == [0, 1, 2, 3]
    assert np.array_equal(own.thumbnails, thumbnails[[0, 2, 3, 5]])
    few = own_queries(database, thumbnails[database.rows], 2)
    assert np.array_equal(few.thumbnails, thumbnails[database.rows[few.positions]])
    assert few.labels.tolist() == database.labels[few.positions].tolist()

    given = given_queries(database, LabelledImages(thumbnails[:3], ["bee", "", "ant"], []))
    assert not given.are_rows
    assert given.labels.tolist() == [1, 0]
    assert np.array_equal(given.thumbnails, thumbnails[[0, 2]])


def test_a_sample_is_always_the_same() -> None:
    assert sample(5, None).tolist() == sample(5, 5).tolist() == sample(5, 9).tolist() == [0, 1, 2, 3, 4]
    drawn = sample(1000, 50)
    assert drawn.tolist() == sample(1000, 50).tolist() == sorted(set(drawn.tolist()))
    assert len(drawn) == 50
    assert 300 < drawn.mean() < 700
