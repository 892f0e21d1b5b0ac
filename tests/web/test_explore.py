"""The Explore page over fake searchers: the map, the decoder playground, search by words."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from imgsearch.errors import ModelError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.explore import image_map as retrieval_map
from imgsearch.retrieval.explore.directions import principal_directions
from imgsearch.retrieval.explore.image_map import LAYOUTS, ImageMap, save_map
from imgsearch.web import image_map, page, playground, text_search
from imgsearch.web.query import RowQuery, Visit
from tests.conftest import REPOSITORY
from tests.support.fake_searcher import FakeSearcher
from tests.support.fake_words import FakeWords

SECONDS = 20
N = 80


def explore() -> None:
    """Draw Explore as the frame does; a row to search with is kept in the session."""
    import streamlit as st

    from imgsearch.paths import index_paths
    from imgsearch.web import explore, page
    from imgsearch.web.context import Page
    from imgsearch.web.query import RowQuery, this_visit

    row = st.query_params.get("query")
    this_visit().query = RowQuery(int(row)) if row else None

    def search(row: int) -> None:
        st.session_state.searched = row

    paths = index_paths()
    explore.draw_explore(Page(page.open_searcher(paths.root), paths, search))


@pytest.fixture
def searcher(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeSearcher:
    fake = FakeSearcher.drawn(N)
    monkeypatch.setattr(page, "open_searcher", lambda _root: fake)
    monkeypatch.setenv("IMGSEARCH_INDEX", str(tmp_path))
    playground._directions.clear()
    image_map._sheet.clear()
    return fake


@pytest.fixture
def by_words(monkeypatch: pytest.MonkeyPatch) -> FakeWords:
    fake = FakeWords()
    monkeypatch.setattr(text_search, "open_words", lambda _root: fake)
    return fake


@pytest.fixture(autouse=True)
def _no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_root: Path) -> None:
        raise ModelError("no model of words in <here>")

    monkeypatch.setattr(text_search, "open_words", refuse)


def opened(query: int | None = None) -> AppTest:
    app = AppTest.from_function(explore, default_timeout=SECONDS)
    if query is not None:
        app.query_params["query"] = str(query)
    return app.run()


def drawn(app: AppTest) -> str:
    """Return the HTML of the whole page."""
    assert not app.exception
    return "\n".join(element.proto.body for element in app.get("html"))


def mapped(searcher: FakeSearcher, rows: list[int], model: str = "") -> ImageMap:
    random = np.random.default_rng(0)
    layouts = {name: random.normal(size=(len(rows), 2)).astype(np.float32) for name in LAYOUTS}
    return ImageMap(model or searcher.model, N, "2026-01-02T03:04:05+00:00", np.array(rows), layouts)


def map_data(app: AppTest) -> Any:
    """Return the data from which the browser draws the map."""
    assert not app.exception
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


# ----------------------------------------------------------------------------------------------------------------------
# two pages


def test_the_query_before_exploring_is_kept_after_it(searcher: FakeSearcher) -> None:
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=SECONDS)
    app.session_state.visit = Visit(start=RowQuery(5), query=RowQuery(33), address=None)  # as Explore leaves it
    app.run()
    assert not app.exception
    assert [row for row, _ in searcher.asked] == [33]


def test_a_row_clicked_on_a_first_visit_becomes_the_query(searcher: FakeSearcher) -> None:
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=SECONDS)
    app.session_state.visit = Visit(query=RowQuery(33), address="33")
    app.query_params["row"] = "33"
    app.run()
    assert not app.exception
    assert [row for row, _ in searcher.asked] == [33]


# ----------------------------------------------------------------------------------------------------------------------
# the map


def test_without_a_map_the_page_shows_the_command_and_a_button(searcher: FakeSearcher, tmp_path: Path) -> None:
    app = opened()
    assert f"<code>imgsearch lab map --index {tmp_path}</code>" in drawn(app)
    assert not app.get("bidi_component")
    assert app.button(key="make-map").label == "Make the map"


def test_the_button_makes_the_map_and_keeps_it(
    searcher: FakeSearcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(retrieval_map, "make_map", lambda _searcher, on_progress: mapped(searcher, [3, 5, 8]))
    app = opened()
    app.button(key="make-map").click().run()
    assert map_data(app)["rows"] == [3, 5, 8]
    kept = retrieval_map.load_map(IndexPaths(tmp_path))
    assert kept is not None
    assert kept.rows.tolist() == [3, 5, 8]


def test_a_map_of_another_model_is_not_shown(searcher: FakeSearcher, tmp_path: Path) -> None:
    save_map(IndexPaths(tmp_path), mapped(searcher, [3, 5, 8], model="f" * 64))
    app = opened()
    assert "another model" in drawn(app)
    assert not app.get("bidi_component")


def test_the_map_contains_positions_and_images_but_no_text(searcher: FakeSearcher, tmp_path: Path) -> None:
    searcher.alt[5] = "<script>alert(1)</script>"
    made = mapped(searcher, [3, 5, 8, 70])
    save_map(IndexPaths(tmp_path), made)
    app = opened()
    data = map_data(app)
    assert [one["title"] for one in data["maps"]] == ["By code", "By pixels"]
    for one, name in zip(data["maps"], ("code-tsne", "pixel-tsne"), strict=True):
        for axis, values in enumerate((one["x"], one["y"])):
            assert (min(values), max(values)) == (0, 1)
            assert np.argsort(values).tolist() == np.argsort(made.layouts[name][:, axis]).tolist()
    assert data["sheet"].startswith("data:image/webp;base64,")
    assert data["marked"] == []
    assert "script" not in json.dumps(data)
    assert f"4 of {N} images, drawn at random" in drawn(app)


def test_removed_rows_are_not_on_the_map(
    searcher: FakeSearcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_map(IndexPaths(tmp_path), mapped(searcher, [3, 5, 8]))
    monkeypatch.setattr(searcher, "findable_rows", lambda: np.array([3, 8, 9]))
    data = map_data(opened())
    assert data["rows"] == [3, 8]
    assert [len(one["x"]) for one in data["maps"]] == [2, 2]


def test_the_query_and_its_neighbours_are_framed(searcher: FakeSearcher, tmp_path: Path) -> None:
    save_map(IndexPaths(tmp_path), mapped(searcher, list(range(0, N, 2))))
    app = opened(query=44)
    data = map_data(app)
    framed = [data["rows"][place] for place in data["marked"]]
    assert data["rows"][data["query"]] == framed[0] == 44
    assert sorted(framed[1:]) == [40, 42, 46, 48]  # the even rows among the ten nearest
    assert "Framed: row 44 and those of its nearest by code" in drawn(app)
    data = map_data(opened(query=45))  # not on the map itself
    assert data["query"] == -1
    assert sorted(data["rows"][place] for place in data["marked"]) == [40, 42, 44, 46, 48, 50]
    assert map_data(opened(query=N + 3))["marked"] == []  # removed meanwhile


def test_one_map_alone_and_the_other_kind(searcher: FakeSearcher, tmp_path: Path) -> None:
    save_map(IndexPaths(tmp_path), mapped(searcher, [3, 5, 8]))
    app = opened()
    before = map_data(app)["key"]
    sides, kind = app.segmented_control(key="map-sides"), app.segmented_control(key="map-kind")
    sides.set_value("By pixels").run()
    assert [one["name"] for one in map_data(app)["maps"]] == ["pixel-tsne"]
    assert map_data(app)["key"] != before  # the browser redraws only if the key changed
    kind.set_value(list(image_map.KINDS)[1]).run()
    assert [one["name"] for one in map_data(app)["maps"]] == ["pixel-pca"]


@pytest.mark.parametrize("clicked", [None, "5", 5.0, True, -1, N, 10**9, {"row": 5}])
def test_an_invalid_row_from_the_browser_is_ignored(clicked: object, searcher: FakeSearcher) -> None:
    assert image_map.known_row(clicked, searcher) is None  # type: ignore[arg-type]
    assert image_map.known_row(5, searcher) == 5  # type: ignore[arg-type]


def test_the_sheet_holds_every_thumbnail_in_order() -> None:
    thumbnails = np.arange(130 * 32 * 32 * 3, dtype=np.uint64).astype(np.uint8).reshape(130, 32, 32, 3)
    thumbnails += np.arange(130, dtype=np.uint8)[:, None, None, None]
    sheet = image_map.sheet_of(thumbnails)
    assert sheet.shape == (3 * 32, 64 * 32, 3)
    for number in (0, 63, 64, 129):
        top, left = number // 64 * 32, number % 64 * 32
        assert (sheet[top : top + 32, left : left + 32] == thumbnails[number]).all()
    assert (sheet[64:, 2 * 32 :] == 0).all()


# ----------------------------------------------------------------------------------------------------------------------
# the decoder


def test_the_playground_starts_with_the_query_and_its_reconstruction(searcher: FakeSearcher) -> None:
    html = drawn(opened(query=44))
    assert len(set(re.findall(r'class="plate"><img class="\w+" src="([^"]+)"', html))) == 3
    error = np.abs(searcher.images[44].astype(int) - searcher.decode(searcher.encode(searcher.images[[44]]))[0])
    assert f"error: {error.mean():.1f} of 255" in html
    assert "from the 48 numbers" in html


def test_a_slider_moves_the_code_along_its_direction(searcher: FakeSearcher) -> None:
    app = opened(query=44)
    codes = searcher.encode(searcher.images)
    directions = principal_directions(codes, 6)
    searcher.decoded.clear()
    app.slider(key="direction-2-amount").set_value(1.5).run()
    wanted = codes[44] + 1.5 * directions.deviations[2] * directions.directions[2]
    assert min(np.abs(code - wanted).max() for code in searcher.decoded) < 1e-5
    assert "+1.5 σ along 3" in drawn(app)
    app.button(key="unturned").click().run()
    assert app.slider(key="direction-2-amount").value == 0
    assert "not changed yet" in drawn(app)


def test_the_images_above_a_slider_show_its_direction_alone() -> None:
    assert playground.one_turn(0, 2.0).tolist() == [2.0]
    assert playground.one_turn(3, -4.0).tolist() == [0, 0, 0, -4.0]


def test_a_walk_begins_at_one_image_and_ends_at_the_other(searcher: FakeSearcher) -> None:
    app = opened(query=44)
    app.number_input(key="row-b").set_value(61).run()
    codes = searcher.encode(searcher.images[[44, 61]])
    walked = np.stack(searcher.decoded[-playground.STEPS :])
    np.testing.assert_allclose(walked[[0, -1]], codes, atol=1e-6)
    assert (np.diff(((walked - codes[0]) ** 2).sum(axis=1)) > 0).all()  # farther from the start at every step
    strip = drawn(app).split('<div class="strip">')[1].split("</div>")[0]
    assert strip.count("<img") == playground.STEPS + 2


def test_an_unknown_row_is_refused_and_another_can_be_chosen(searcher: FakeSearcher) -> None:
    app = opened(query=44)
    app.number_input(key="row-a").set_value(N + 7).run()
    assert f"there is no row {N + 7}" in drawn(app)
    app.button(key="random-row-a").click().run()
    assert app.number_input(key="row-a").value == 5  # the searcher's random row
    assert '<div class="strip">' in drawn(app)


def test_a_difference_is_amplified_as_far_as_possible_without_clipping() -> None:
    image = np.full((32, 32, 3), 100, np.uint8)
    for apart, times in ((0, 8), (10, 8), (20, 4), (60, 2), (100, 1), (-20, 4)):
        picture, told = playground.difference(image, (image.astype(int) - apart).astype(np.uint8))
        assert told == times
        assert (picture == 128 + apart * times).all()
    picture, told = playground.difference(np.full((4, 4, 3), 255, np.uint8), np.zeros((4, 4, 3), np.uint8))
    assert (told, int(picture.max())) == (1, 255)


# ----------------------------------------------------------------------------------------------------------------------
# words


def test_without_a_text_model_the_page_shows_the_commands(searcher: FakeSearcher, tmp_path: Path) -> None:
    app = opened()
    assert "no model of words in &lt;here&gt;" in drawn(app)
    commands = [f"imgsearch {words} --index {tmp_path}" for words in ("train --text", "reindex")]
    assert app.code[-1].value.splitlines() == commands


def ask(app: AppTest, text: str) -> AppTest:
    app.text_input(key="words").set_value(text)
    (button,) = [button for button in app.button if button.label == "Search"]
    return button.click().run()


def word_rows(app: AppTest, column: str) -> list[int]:
    prefix = f"ask-words-{column}-"
    return [int(str(button.key).removeprefix(prefix)) for button in app.button if str(button.key).startswith(prefix)]


def test_words_are_searched_in_three_ways_beside_a_search_by_image(searcher: FakeSearcher, by_words: FakeWords) -> None:
    app = opened()
    assert by_words.asked == []
    app = ask(app, "disc green")
    assert by_words.asked == [("disc green", text_search.N_HITS)]
    for column, first in (("code", 20), ("lsa", 30), ("tfidf", 40)):
        assert word_rows(app, column) == list(range(first, first + text_search.N_HITS))
    assert searcher.asked[-1] == (20, text_search.N_HITS)  # the first hit by words is the query by image
    assert word_rows(app, "image")[:4] == [19, 21, 18, 22]
    assert "No text of these images contains: green." in drawn(app)
    app.button(key="ask-words-lsa-33").click().run()
    assert app.session_state.searched == 33


def test_a_query_without_known_words_is_refused(searcher: FakeSearcher, by_words: FakeWords) -> None:
    app = ask(opened(), "<b>nothing</b>")
    assert "no image has any of the words of &#x27;&lt;b&gt;nothing" in drawn(app)
    assert word_rows(app, "code") == []
    assert word_rows(ask(app, "disc"), "code")


def test_alt_texts_are_escaped(searcher: FakeSearcher, by_words: FakeWords) -> None:
    by_words.alt = "<script>alert(1)</script>"
    html = drawn(ask(opened(), "disc <script>"))
    assert "&lt;script&gt;alert(1)" in html
    assert "<script" not in html
