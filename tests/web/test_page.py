"""The search page over a fake searcher: what each interaction searches for, and what is drawn."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from crawler.errors import CrawlerError
from imgsearch.errors import (
    CorpusError,
    Hint,
    ImgSearchError,
    IndexDirectoryError,
    IndexMismatchError,
    IndexMissingError,
    ModelError,
)
from imgsearch.retrieval.search import searcher as search
from imgsearch.web import cards, page, query
from tests.conftest import REPOSITORY
from tests.support.fake_searcher import FakeSearcher

SECONDS = 20


@pytest.fixture
def searcher(monkeypatch: pytest.MonkeyPatch) -> FakeSearcher:
    fake = FakeSearcher.drawn(80)
    monkeypatch.setattr(page, "open_searcher", lambda _root: fake)
    return fake


def opened(**parameters: str) -> AppTest:
    """Return the page as first opened, at `?name=value`."""
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=SECONDS)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def drawn(app: AppTest) -> str:
    """Return the HTML of the whole page."""
    assert not app.exception
    return "\n".join(element.proto.body for element in app.get("html"))


def hit_rows(app: AppTest, method: str) -> list[int]:
    """Return the rows in one column, top first."""
    keys = [str(button.key) for button in app.button]
    return [int(key.removeprefix(f"ask-{method}-")) for key in keys if key.startswith(f"ask-{method}-")]


def encoded(colour: tuple[int, int, int], size: tuple[int, int] = (90, 60), format: str = "PNG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, format)
    return data.getvalue()


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    return app.file_uploader[0].set_value([(name, data, "image/png") for name, data in files]).run()


# ----------------------------------------------------------------------------------------------------------------------
# the query


def test_a_first_visit_opens_with_a_random_image_whose_row_is_in_the_address(searcher: FakeSearcher) -> None:
    app = opened()
    assert searcher.asked == [(5, 12)]
    assert app.query_params["row"] == "5"


def test_a_link_to_a_row_searches_with_it_and_leaves_it_out_of_the_hits(searcher: FakeSearcher) -> None:
    app = opened(row="44")
    assert searcher.asked == [(44, 12)]
    assert app.query_params["row"] == "44"
    assert hit_rows(app, "code") == [43, 45, 42, 46, 41, 47, 40, 48, 39, 49, 38, 50]
    assert "disc 44 of many" in drawn(app)


@pytest.mark.parametrize("row", ["999", "-1", "nine", "", "9" * 40, "<script>", "\N{FULLWIDTH DIGIT ONE}"])
def test_a_link_to_an_unknown_row_is_refused_and_another_image_shown(row: str, searcher: FakeSearcher) -> None:
    app = opened(row=row)
    assert searcher.asked == [(5, 12)]
    assert "notice refused" in drawn(app)
    assert "<script>" not in drawn(app)


@pytest.mark.parametrize("method", ["code", "pixel"])
def test_search_with_this_makes_the_hit_the_query(method: str, searcher: FakeSearcher) -> None:
    app = opened(row="44")
    row = hit_rows(app, method)[3]
    app.button(key=f"ask-{method}-{row}").click().run()
    assert searcher.asked[-1] == (row, 12)
    assert app.query_params["row"] == str(row)
    assert f"disc {row} of many" in drawn(app)
    assert row not in hit_rows(app, method)


def test_the_way_back_in_the_browser_is_followed(searcher: FakeSearcher) -> None:
    app = opened()
    app.button(key="ask-code-4").click().run()
    app.query_params["row"] = "5"
    app.run()
    assert searcher.asked[-1] == (5, 12)
    app.query_params.clear()  # back beyond the first address
    app.run()
    assert searcher.asked[-1] == (5, 12)
    assert "row" not in app.query_params  # setting it again would break the back button


def test_k_reaches_the_search(searcher: FakeSearcher) -> None:
    app = opened(row="44")
    for k in (4, 31, 50):
        app.slider(key="k").set_value(k).run()
        assert searcher.asked[-1] == (44, k)
        assert len(hit_rows(app, "code")) == len(hit_rows(app, "pixel")) == k


def test_the_random_button_searches_with_a_random_row(searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(row="44")
    monkeypatch.setattr(searcher, "random_row", lambda: 70)
    app.button(key="random").click().run()
    assert searcher.asked[-1] == (70, 12)
    assert app.query_params["row"] == "70"


# ----------------------------------------------------------------------------------------------------------------------
# images from outside


def test_an_upload_becomes_the_query_and_leaves_the_address(searcher: FakeSearcher) -> None:
    app = upload(opened(row="44"), ("red.png", encoded((200, 10, 10))))
    asked, k = searcher.asked[-1]
    assert k == 12
    assert asked.shape == (32, 32, 3)
    assert np.abs(asked.reshape(-1, 3).astype(int) - (200, 10, 10)).max() <= 2
    assert "row" not in app.query_params
    assert "<h2>red.png</h2>" in drawn(app)
    assert "encoded in 4.1 ms" in drawn(app)
    assert cards.size(90, 60) in drawn(app)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_every_format_is_taken(format: str, searcher: FakeSearcher) -> None:
    name = f"image.{format.lower()}"
    assert name.split(".")[1] in page.UPLOAD_TYPES
    upload(opened(row="44"), (name, encoded((10, 160, 60), format=format)))
    assert np.abs(searcher.asked[-1][0].reshape(-1, 3).astype(int) - (10, 160, 60)).max() <= 12


def test_the_first_of_several_uploads_is_the_query_and_each_can_be(searcher: FakeSearcher) -> None:
    app = upload(opened(), ("red.png", encoded((200, 10, 10))), ("blue.png", encoded((10, 10, 200))))
    assert searcher.asked[-1][0][0, 0, 0] > 150
    choices = [
        str(button.key) for button in app.button if str(button.key).startswith("ask-") and button.label == "Search"
    ]
    assert len(choices) == 2
    app.button(key=choices[1]).click().run()
    assert searcher.asked[-1][0][0, 0, 2] > 150
    assert "<h2>blue.png</h2>" in drawn(app)
    app.button(key="ask-code-3").click().run()  # a hit becomes the query, and the uploads stay
    assert searcher.asked[-1][0] == 3
    assert choices[0] in [button.key for button in app.button]


def test_a_file_that_is_no_image_is_refused_with_the_reason(searcher: FakeSearcher) -> None:
    app = upload(
        opened(row="44"),
        ("<img src=x onerror=alert(1)>.png", b"<script>alert(1)</script>"),
        ("empty.png", b""),
        ("red.png", encoded((200, 10, 10))),
    )
    html = drawn(app)
    assert html.count("notice refused") == 2
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in html
    assert "<script>" not in html
    assert "<h2>red.png</h2>" in html
    assert len(hit_rows(app, "code")) == 12


def test_a_refused_upload_alone_leaves_the_query_as_it_was(searcher: FakeSearcher) -> None:
    upload(opened(row="44"), ("no.png", b"no image"))
    assert searcher.asked[-1] == (44, 12)


def test_uploads_are_decoded_once(searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch) -> None:
    app = upload(opened(), ("red.png", encoded((200, 10, 10))))
    monkeypatch.setattr(query, "decoders", lambda: pytest.fail("decoded again"))
    app.slider(key="k").set_value(20).run()
    assert not app.exception


def test_too_many_files_are_refused_with_the_command(searcher: FakeSearcher) -> None:
    app = upload(opened(), *[(f"{i}.png", encoded((i, i, i))) for i in range(query.MOST_UPLOADS + 2)])
    assert (
        len([button for button in app.button if str(button.key).startswith("ask-") and button.label == "Search"])
        == query.MOST_UPLOADS
    )
    assert "imgsearch add FOLDER" in drawn(app)


def fetch_by_link(app: AppTest, address: str) -> AppTest:
    app.text_input(key="link").set_value(address)
    (fetch,) = [button for button in app.button if button.label == "Fetch"]
    return fetch.click().run()


def test_a_url_is_fetched_by_the_guarded_fetch(searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    def fetch_image(url: str) -> bytes:
        fetched.append(url)
        return encoded((10, 200, 10))

    monkeypatch.setattr(query, "fetch_image", fetch_image)
    app = fetch_by_link(opened(), " https://pictures.example/green.png ")
    assert fetched == ["https://pictures.example/green.png"]
    assert searcher.asked[-1][0][0, 0, 1] > 150
    assert "row" not in app.query_params


def refused_by(error: Exception) -> Callable[[str], bytes]:
    def fetch_image(_url: str) -> bytes:
        raise error

    return fetch_image


@pytest.mark.parametrize(
    "fetch_image",
    [refused_by(CrawlerError("robots.txt of <b>that</b> host forbids it")), lambda _url: b"<b>a page</b>"],
    ids=["not fetched", "no image"],
)
def test_a_refused_url_is_shown_with_the_reason(
    fetch_image: Callable[[str], bytes], searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "fetch_image", fetch_image)
    app = fetch_by_link(opened(row="44"), "https://pictures.example/<b>.png")
    assert "notice refused" in drawn(app)
    assert "<b>" not in drawn(app)
    assert searcher.asked[-1] == (44, 12)
    app.button(key="random").click().run()
    assert "notice refused" not in drawn(app)


# ----------------------------------------------------------------------------------------------------------------------
# the results


def test_both_columns_mark_what_the_other_found(searcher: FakeSearcher) -> None:
    app = opened(row="44")
    shared = set(hit_rows(app, "code")) & set(hit_rows(app, "pixel"))
    html = drawn(app)
    assert f"<strong>{len(shared)} of 12</strong>" in html
    assert html.count("by pixels</span>") == html.count("by code</span>") == len(shared)
    assert "code looked up in 4.1 ms" in html


def test_binary_codes_are_a_third_column_on_demand(searcher: FakeSearcher) -> None:
    app = opened(row="44")
    assert (searcher.asked_by, hit_rows(app, "binary")) == (["both"], [])
    assert "binary" not in drawn(app)
    app.toggle(key="binary").set_value(True).run()
    assert searcher.asked_by[-1] == "all"
    assert len(hit_rows(app, "binary")) == len(hit_rows(app, "code")) == len(hit_rows(app, "pixel")) == 12
    kept = set(hit_rows(app, "code")) & set(hit_rows(app, "binary"))
    html = drawn(app)
    assert "<h2>By binary code</h2>" in html
    assert "by binary code in 0.2 ms" in html
    assert f"code and binary code <strong>{len(kept)}</strong>" in html
    assert re.search(r"\d+ bits</span>", html)
    row = hit_rows(app, "binary")[2]
    app.button(key=f"ask-binary-{row}").click().run()
    assert (searcher.asked[-1], searcher.asked_by[-1]) == ((row, 12), "all")  # the toggle stays
    app.toggle(key="binary").set_value(False).run()
    assert hit_rows(app, "binary") == []


def test_grades_and_the_lack_of_a_good_match_are_shown(searcher: FakeSearcher) -> None:
    html = drawn(opened(row="44"))
    for grade in ("same", "close", "weak"):
        assert html.count(f'<span class="grade {grade}"') == 2  # one in each column
    assert "No good match" not in html
    searcher.no_good_match = True
    html = drawn(opened(row="44"))
    assert page.NO_GOOD_MATCH in html
    assert len(hit_rows(opened(row="44"), "code")) == 12  # hits are shown all the same


def test_near_duplicates_are_folded_on_demand(searcher: FakeSearcher) -> None:
    searcher.near_duplicate_of = {45: 43, 46: 43, 47: 200}  # row 47's original is not among the hits
    app = opened(row="44")
    assert hit_rows(app, "code")[:6] == [43, 45, 42, 46, 41, 47]
    app.toggle(key="fold").set_value(True).run()
    assert hit_rows(app, "code")[:4] == [43, 42, 41, 47]
    assert "folded: 2" in drawn(app)


def test_query_pixels_and_reconstruction_stand_side_by_side(searcher: FakeSearcher) -> None:
    html = drawn(opened(row="44"))
    assert len(set(re.findall(r'class="plate"><img class="\w+" src="([^"]+)"', html))) == 3
    assert "3,072 numbers" in html
    assert "from its 256 numbers" in html


def test_texts_from_the_corpus_are_escaped(searcher: FakeSearcher) -> None:
    searcher.alt[45] = "<script>alert(1)</script>"
    searcher.url[45] = "javascript:alert(1)"
    for row in ("44", "45"):
        html = drawn(opened(row=row))
        assert "&lt;script&gt;alert(1)" in html
        assert "<script" not in html
        assert 'href="javascript' not in html


def test_newer_images_are_announced_with_the_command(searcher: FakeSearcher) -> None:
    assert "imgsearch reindex" not in drawn(opened())
    searcher.rows_not_indexed = 1234
    assert "1,234 newer images are not indexed yet" in drawn(opened())
    assert "<code>imgsearch reindex</code>" in drawn(opened())


def test_a_row_removed_meanwhile_does_not_break_the_page(
    searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(row="79")
    searcher.pictures.pop()
    monkeypatch.setattr(searcher, "thumbnails", searcher.images[:-1])
    app.run()
    assert "there is no row 79" in drawn(app)
    assert not app.code  # no commands, since the corpus is there
    app.button(key="random").click().run()
    assert len(hit_rows(app, "code")) == 12


# ----------------------------------------------------------------------------------------------------------------------
# nothing to search


@pytest.mark.parametrize(
    ("error", "commands"),
    [
        (CorpusError("no corpus in <here>", hint=Hint.ADD_IMAGES), ["imgsearch add FOLDER", "imgsearch reindex"]),
        (ModelError("no model in <here>", hint=Hint.TRAIN), ["imgsearch train", "imgsearch reindex"]),
        (IndexMissingError("no index in <here>", hint=Hint.REINDEX), ["imgsearch reindex"]),
        (IndexMismatchError("another model in <here>", hint=Hint.REINDEX), ["imgsearch reindex"]),
        (IndexDirectoryError("no space in <here>", hint=Hint.FREE_SPACE), []),
        (IndexDirectoryError("no luck in <here>"), []),
    ],
)
def test_an_unusable_index_is_explained_with_the_commands(
    error: ImgSearchError, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_root: Path) -> None:
        raise error

    monkeypatch.setattr(page, "open_searcher", refuse)
    app = opened()
    assert "in &lt;here&gt;" in drawn(app)
    assert [line for code in app.code for line in code.value.splitlines()] == commands
    fake = FakeSearcher.drawn(80)
    monkeypatch.setattr(page, "open_searcher", lambda _root: fake)
    app.button(key="again").click().run()
    assert len(hit_rows(app, "code")) == 12


def test_commands_name_an_index_directory_that_is_not_the_default(
    searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher.rows_not_indexed = 2
    monkeypatch.setenv("IMGSEARCH_INDEX", "my index")
    assert "imgsearch reindex --index &#x27;my index&#x27;" in drawn(opened())


def test_a_new_index_or_model_is_picked_up_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened_searchers: list[FakeSearcher] = []

    def open_fake(_root: Path) -> FakeSearcher:
        opened_searchers.append(FakeSearcher.drawn(80))
        return opened_searchers[-1]

    monkeypatch.setattr(search.Searcher, "open", open_fake)
    first, again = page.open_searcher(tmp_path), page.open_searcher(tmp_path)
    assert again is first
    opened_searchers[0].stale = True
    assert page.open_searcher(tmp_path) is not first
    assert len(opened_searchers) == 2
    page.open_searcher.clear()
