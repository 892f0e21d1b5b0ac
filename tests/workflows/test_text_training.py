"""Training the text autoencoder, called as a library function."""

from pathlib import Path

import pytest

from imgsearch.autoencoder.card import read_card
from imgsearch.errors import CorpusError, Hint
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.text.text_search import TextSearcher
from imgsearch.workflows.text_training import FEWEST_TEXTS, train_text
from tests.support.text_index import TOPICS, add_described, described

N_WORDS = sum(len(words) for words in TOPICS.values())


def test_the_text_model_is_trained_indexed_and_searched(tmp_path: Path) -> None:
    paths = IndexPaths(tmp_path)
    alts = [alt for alt, _ in described()]
    add_described(paths, [*alts, ""])
    result = train_text(paths, sizes=(100, 32, 8), epochs=2, batch_size=16, device="cpu")
    assert (len(result.words), result.described) == (N_WORDS, len(alts))
    card = read_card(paths.text.model)
    assert card.digest == result.card.digest
    assert card.network["config"]["sizes"] == [N_WORDS, 32, 8]  # as wide as the vocabulary, not as allowed
    assert not (paths.model / "model.json").exists()  # the model of images is not touched
    with TextSearcher.open(paths, device="cpu") as searcher:
        assert searcher.search("puppy kennel", k=3).hits["tfidf"]


def test_the_vocabulary_is_cut_to_the_first_size(tmp_path: Path) -> None:
    add_described(IndexPaths(tmp_path), [alt for alt, _ in described()])
    result = train_text(tmp_path, sizes=(10, 4), epochs=1, batch_size=16, device="cpu")
    assert len(result.words) == 10


def test_too_few_described_images_are_refused_with_a_hint(tmp_path: Path) -> None:
    add_described(IndexPaths(tmp_path), ["a boat"] * (FEWEST_TEXTS - 1) + [""] * 9)
    with pytest.raises(CorpusError, match=f"only {FEWEST_TEXTS - 1} images") as refused:
        train_text(tmp_path, epochs=1, device="cpu")
    assert refused.value.hint is Hint.DESCRIBE_IMAGES
    assert not IndexPaths(tmp_path).text.model.exists()
