from imgsearch.lab.finding import ChapterResult, Finding
from imgsearch.lab.page import lecture_page
from tests.support.html import Elements

HOSTILE = '<script>alert("1")</script>\' onload=x <img src=//evil.example>'


def read(story: list[ChapterResult]) -> Elements:
    return Elements(lecture_page(story))


def finding(name: str, text: str) -> Finding:
    return Finding(name, text, text, text, ("code", text), ((text, "1.00"),), {}, text, b"\x89PNG picture")


def test_untrusted_text_is_escaped() -> None:
    page = read([ChapterResult("digits-30", finding("digits-30", HOSTILE)), ChapterResult("map", None, HOSTILE)])
    assert set(page.tags) >= {"section", "table", "figure", "img", "nav"}
    assert "script" not in page.tags
    assert page.handlers == []
    assert page.text.count(HOSTILE) == 8  # link, heading, conclusion, column, cell, data, source; reason


def test_the_page_loads_nothing() -> None:
    page = read([ChapterResult("digits-30", finding("digits-30", "text"))])
    loaded = [address for address in page.addresses if not address.startswith("#")]
    assert len(loaded) == 1
    assert loaded[0].startswith("data:image/png;base64,")


def test_each_chapter_has_a_link_and_its_command() -> None:
    page = read([ChapterResult("digits-30", finding("digits-30", "text")), ChapterResult("new", None, "no pictures")])
    links = [attributes["href"] for attributes in page.all("a")]
    assert links == [f"#{attributes['id']}" for attributes in page.all("section")] == ["#digits-30", "#new"]
    assert "imgsearch lab digits-30" in page.text
    assert "no pictures" in page.text


def test_the_remark_ends_the_introduction() -> None:
    assert "only &lt;small&gt;" in lecture_page([], remark="only <small>")
    assert len(Elements(lecture_page([], remark="small")).all("p")) == len(read([]).all("p")) + 1
