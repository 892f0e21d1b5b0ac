"""Splitting of texts into words, hostile texts, and the vocabulary."""

import pytest

from imgsearch.corpus.words import LONGEST_WORD, MOST_CHARACTERS, Vocabulary, singular, tokens
from imgsearch.records import decode_record, encode_record


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The red Flowers' petals", ["red", "flower", "petal"]),
        ("the dog\u2019s bone, it's IMG_1234.jpg x", ["dog", "bone", "img", "jpg"]),
        ("Äpfel STRASSE straße", ["äpfel", "strasse", "strasse"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("赤い花が", ["赤い", "い花", "花が"]),
        ("日 ﬁne", ["日", "fine"]),
        ("<b onclick=evil()>a\x00b\x1b[31m</b>", ["onclick", "evil"]),
        ("3 000 … ?! \ud800", []),
        ("", []),
    ],
)
def test_the_words_of_a_text(text: str, words: list[str]) -> None:
    assert tokens(text) == words


@pytest.mark.parametrize(
    ("plural", "word"),
    [("cities", "city"), ("glasses", "glass"), ("boxes", "box"), ("churches", "church"), ("horses", "horse")]
    + [(word, word) for word in ("glass", "bus", "gas", "red")],
)
def test_an_english_plural_is_its_singular(plural: str, word: str) -> None:
    assert singular(plural) == word


def test_hostile_texts_cost_no_more_than_their_beginning() -> None:
    assert len(tokens("red " * 10**6)) <= MOST_CHARACTERS / 4
    assert tokens("ﷺ" * 10**6)  # each is eighteen characters when it is normalised
    assert tokens("x" * (LONGEST_WORD + 1)) == []
    assert tokens("x" * LONGEST_WORD) == ["x" * LONGEST_WORD]
    assert tokens("é" * 100 + "'" * 10**6) == []


def test_the_vocabulary_has_the_words_of_most_texts_first() -> None:
    texts = ["red red red red boat", "blue boat", "", "boats and 12", "blue sky"]
    vocabulary = Vocabulary.of(texts, 3)
    assert vocabulary.words == ("boat", "blue", "red")  # not by how often: red stands in one text, as sky does
    assert vocabulary.counts == (3, 2, 1)
    assert vocabulary.n_texts == 4
    assert vocabulary.count("A red boat, two RED boats and the sky") == {0: 2, 2: 2}


def test_what_is_not_known_is_named_as_it_was_spelled() -> None:
    vocabulary = Vocabulary.of(["red boat"])
    assert vocabulary.look_up("the Boats of Zebras, zebras and red boats") == (("boat", "red"), ("zebras",))


def test_a_vocabulary_is_read_as_it_was_written() -> None:
    vocabulary = Vocabulary.of(["rot blüte", "blüte 花火"])
    assert decode_record(encode_record(vocabulary), Vocabulary) == vocabulary


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"words": ["a"], "counts": [], "n_texts": 1}',
        '{"words": ["a", "a"], "counts": [1, 1], "n_texts": 1}',
    ],
)
def test_something_else_is_no_vocabulary(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own and ours
        decode_record(text, Vocabulary)
