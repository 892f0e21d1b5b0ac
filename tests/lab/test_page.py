from html.parser import HTMLParser

from imgsearch.lab.finding import Finding, Told
from imgsearch.lab.page import as_page

HOSTILE = '<script>alert("1")</script>\' onload=x <img src=//evil.example>'


class Reader(HTMLParser):
    """The elements of a page in their order, and that each is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(story: list[Told]) -> Reader:
    reader = Reader()
    reader.feed(as_page(story))
    reader.close()
    assert not reader.open
    return reader


def finding(name: str, text: str) -> Finding:
    return Finding(name, text, text, text, ("code", text), ((text, "1.00"),), {}, text, b"\x89PNG picture")


def test_a_stranger_s_text_is_told_as_text() -> None:
    page = read([Told("digits-30", finding("digits-30", HOSTILE)), Told("map", None, HOSTILE)])
    assert {tag for tag, _ in page.elements} >= {"section", "table", "figure", "img", "nav"}
    assert "script" not in {tag for tag, _ in page.elements}
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.text.count(HOSTILE) == 8  # link, heading, conclusion, column, cell, data, source; reason


def test_the_page_loads_nothing_from_elsewhere() -> None:
    page = read([Told("digits-30", finding("digits-30", "text"))])
    sources = [attributes["src"] for tag, attributes in page.elements if tag == "img"]
    assert len(sources) == 1
    assert (sources[0] or "").startswith("data:image/png;base64,")
    policies = [a.get("content") for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_each_chapter_is_linked_and_says_its_command() -> None:
    page = read([Told("digits-30", finding("digits-30", "text")), Told("new", None, "no pictures")])
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert links == [f"#{a['id']}" for tag, a in page.elements if tag == "section"] == ["#digits-30", "#new"]
    assert "imgsearch lab digits-30" in page.text
    assert "no pictures" in page.text


def test_a_small_story_says_that_it_is_one() -> None:
    remark = "only <small>"
    assert "only &lt;small&gt;" in as_page([], remark=remark)
    assert "<strong>" not in as_page([])
