"""Self-contained pages: untrusted text is shown as text, and nothing is loaded or run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsearch.html_report import LONGEST_TEXT, POLICY, data_uri, escaped, html_page, table
from tests.support.html import Elements

HOSTILE = '<script>alert("1")</script>\' onload=x <img src=//evil.example>'


@given(st.text())
def test_no_text_opens_an_element_or_leaves_an_attribute(text: str) -> None:
    elements = Elements(f'<p title="{escaped(text)}">{escaped(text)}</p>')
    assert elements.tags == ["p"]
    assert set(elements.one("p")) == {"title"}


def test_escaped_text_is_one_short_line_in_its_reading_direction() -> None:
    assert escaped("cat\u202egpj.exe\r\n\x00 dog\t!") == "cat gpj.exe dog !"
    assert len(escaped("x" * 10_000)) == LONGEST_TEXT
    assert len(escaped("x" * 10_000, longest=None)) == 10_000
    escaped("half a character: \ud83d").encode("utf-8")
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert escaped(persian) == persian


@pytest.mark.parametrize(
    ("image", "kind"), [(b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"RIFF....WEBP", "webp")]
)
def test_an_image_is_embedded_under_its_own_kind(image: bytes, kind: str) -> None:
    assert data_uri(image).startswith(f"data:image/{kind};base64,")


def test_a_table_aligns_its_numeric_columns_on_the_right() -> None:
    html = table(("name", "n"), [("a", 12_345), (HOSTILE, "1.50")], numeric={1})
    elements = Elements(html)
    assert elements.tags.count("tr") == 3
    assert [attributes.get("class") for attributes in elements.all("td")] == [None, "number", "long", "number"]
    assert "12,345" in elements.text
    assert HOSTILE in elements.text
    assert table(("name",), []) == "<p>None.</p>"


def test_only_long_words_in_a_table_may_break() -> None:
    elements = Elements(table(("kind", "url"), [("image", "http://pictures.example/" + "x" * 40)]))
    assert [attributes.get("class") for attributes in elements.all("td")] == [None, "long"]


def test_a_page_escapes_its_title_and_introduction_and_forbids_loading_and_scripts() -> None:
    page = Elements(
        html_page(HOSTILE, [HOSTILE, "second " * 100], ["<section>one</section>"], style="p { color: red }")
    )
    assert page.text.count(HOSTILE) == 3  # the document's name, the heading, the introduction
    assert "second " * 99 in page.text
    assert not {"script", "img", "link"} & set(page.tags)
    assert page.tags.count("section") == 1
    assert page.handlers == page.addresses == []
    policies = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [POLICY] == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert "p { color: red }" in page.text
