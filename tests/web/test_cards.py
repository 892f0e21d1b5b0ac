"""HTML of the page's small parts: untrusted text is escaped, and only web addresses become links."""

import pytest

from imgsearch.corpus.records import Provenance
from imgsearch.retrieval.search.methods import METHODS
from imgsearch.retrieval.search.result import Hit
from imgsearch.web import cards
from tests.support.entries import make_entry
from tests.support.html import Elements

PICTURE = b"\x89PNG\r\n\x1a\n"
STRANGE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "'><svg onload=alert(1)>",
    "&lt;b&gt; twice &amp; escaped",
)


def hit(
    *,
    distance: float = 0.25,
    grade: str = "",
    other_rank: int | None = None,
    url: str = "https://pictures.example/a/cat.jpg",
    alt: str = "a cat",
    label: str = "",
    licence: str = "",
) -> Hit:
    entry = make_entry(17, url=url, alt=alt, label=label, provenance=Provenance(licence=licence))
    return Hit(3, distance, entry, grade, other_rank)


def hit_card(card: Hit, name: str = "code") -> str:
    method = METHODS[name]
    return cards.hit_card(card, PICTURE, method=method, other=METHODS[method.compared_with])


def test_a_hit_shows_rank_distance_source_and_alt_text() -> None:
    found = Elements(hit_card(hit()))
    for text in ("3", "0.250", "a cat", "pictures.example"):
        assert text in found.text
    assert found.one("img")["alt"] == "a cat"
    assert found.one("a")["href"] == "https://pictures.example/a/cat.jpg"
    assert found.one("a")["rel"] == "noopener noreferrer"
    assert found.one("figure") == {"class": "hit", "data-row": "17"}
    assert "also" not in found.text


def test_a_hit_of_both_methods_is_marked_with_its_other_rank() -> None:
    found = Elements(hit_card(hit(other_rank=9)))
    assert "also #9 by pixels" in found.text
    assert found.one("figure")["class"] == "hit both"


@pytest.mark.parametrize(
    ("method", "distance", "text", "other"),
    [
        ("code", 0.0414, "0.041", "by pixels"),
        ("pixel", 7.5, "7.500", "by code"),
        ("binary", 41.0, "41 bits", "by code"),
        ("binary", 1.0, "1 bit", "by code"),
    ],
)
def test_each_method_has_its_unit_and_its_other_method(method: str, distance: float, text: str, other: str) -> None:
    card = hit_card(hit(distance=distance, other_rank=2), method)
    assert f">{text}</span>" in card
    assert f"also #2 {other}" in Elements(card).text


def test_a_grade_is_shown_beside_the_distance() -> None:
    assert "grade" not in hit_card(hit())
    for grade in ("same", "close", "weak"):
        found = Elements(hit_card(hit(grade=grade)))
        (attributes,) = [attributes for _, attributes in found.found if attributes.get("class") == f"grade {grade}"]
        assert attributes["title"]
        assert f"{grade}0.250" in found.text


def test_a_label_replaces_a_missing_alt_text() -> None:
    assert "frog" in Elements(hit_card(hit(alt="", label="frog"))).text


@pytest.mark.parametrize("strange", STRANGE)
def test_untrusted_text_is_escaped(strange: str) -> None:
    plain = [tag for tag, _ in Elements(hit_card(hit())).found]
    found = Elements(hit_card(hit(alt=strange, url=f"https://pictures.example/{strange}")))
    assert [tag for tag, _ in found.found] == plain
    assert strange in found.text
    assert not [name for _, attributes in found.found for name in attributes if name.startswith("on")]
    graded = Elements(hit_card(hit(grade=strange)))
    assert sorted(set(graded.tags)) == sorted({*plain, "span"})
    assert graded.handlers == []
    for html in (
        cards.notice(strange, name=strange, command=strange),
        cards.section(strange, strange),
        cards.footnote(strange),
        cards.query_label(strange, strange, url=strange),
    ):
        assert not {"script", "img", "svg", "a"} & {tag for tag, _ in Elements(html).found}


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///home/someone/cat.jpg",
        "//pictures.example/cat.jpg",
        "https://",
        "http://[half/cat.jpg",
        "",
    ],
)
def test_only_web_addresses_become_links(address: str) -> None:
    assert "a" not in [tag for tag, _ in Elements(cards.source_link(address)).found]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("file:///home/someone/my%20cat.jpg", "my cat.jpg"),
        ("file:///home/someone/animals.zip#cats/tom%20cat.jpg", "tom cat.jpg"),
        ("https://www.pictures.example/a/b.jpg", "pictures.example"),
        ("http://127.0.0.1:8000/a.jpg", "127.0.0.1"),
    ],
)
def test_a_source_is_shown_by_name_with_its_address_as_tooltip(address: str, name: str) -> None:
    found = Elements(cards.source_link(address))
    assert found.text == name
    assert found.found[0][1]["title"] == address


def test_a_licence_becomes_a_link_only_if_it_is_a_web_address() -> None:
    card = hit_card(hit(licence='https://example.org/"><script>'))
    assert 'rel="license noopener noreferrer">licence</a>' in card
    assert "<script>" not in card
    assert "licence" not in hit_card(hit(licence="javascript:x"))
    assert "licence" not in hit_card(hit())
