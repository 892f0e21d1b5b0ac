"""The Explore page in a real browser: the map is drawn and clicked, a slider changes the decoded image.

With IMGSEARCH_EXPLORE_SCREENSHOT=FILE.png a picture of the map and the decoder is saved there: over the index
directory that IMGSEARCH_TEST_INDEX names (else the small one), asked with row IMGSEARCH_TEST_ROW (else 0). README's
picture is one.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from imgsearch.cli.main import run
from imgsearch.paths import IndexPaths
from imgsearch.web.server import running_app
from tests.support.text_index import TOPICS, add_described, described
from tests.web.test_browser import Page, browser, free_port, severe_messages  # noqa: F401 -- `browser` is a fixture

selenium = pytest.importorskip("selenium", reason="install the test extra: pip install 'imgsearch[test]'")
from selenium import webdriver  # noqa: E402 -- only where it is installed
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

MAPS = ".image-map canvas"
WORDS = ".st-key-words input"
PICTURE = ".st-key-turned .plate img"
# Below the root, Streamlit first looks for its server at that address too.
TRIED = ("/explore/_stcore/health", "/explore/_stcore/host-config")


@pytest.fixture(scope="module")
def mapped_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small index of the shipped model, with a map and a text model."""
    root = tmp_path_factory.mktemp("mapped") / "index"
    add_described(IndexPaths(root), *zip(*described(), strict=True))
    for command in ("reindex", "lab map --size small", "train --text --epochs 1"):
        assert run([*command.split(), "--device", "cpu", "--index", str(root)]) == 0
    return root


@pytest.fixture(scope="module")
def address(mapped_index: Path) -> Iterator[str]:
    with running_app(mapped_index, free_port()) as app:
        yield app.url


class Explore(Page):
    """The Explore page as a visitor uses it."""

    def __init__(self, browser: webdriver.Chrome, address: str | None = None) -> None:  # noqa: F811 -- also a fixture
        """Open the page, or without an address wait until it is drawn."""
        self.browser = browser
        if address is not None:
            browser.get(f"{address}/explore")
        self.wait_until_drawn()

    def wait_until_drawn(self) -> None:
        for part in (".image-map[data-drawn]", PICTURE, ".strip img", ".colophon"):
            self.wait_until(partial(self.browser.find_elements, By.CSS_SELECTOR, part))
        self.wait_until(self.is_at_rest)

    def is_at_rest(self) -> bool:
        state = self.browser.find_element(By.CSS_SELECTOR, ".stApp").get_attribute("data-test-script-state")
        return state == "notRunning"

    def map_of(self, side: int) -> "webdriver.remote.webelement.WebElement":
        return self.browser.find_elements(By.CSS_SELECTOR, MAPS)[side]

    def point_at_an_image(self, side: int) -> tuple[int, tuple[int, int]]:
        """Move the pointer over the map until it hits an image; return its row and the offset from the centre."""
        canvas = self.map_of(side)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
        width, height = (int(canvas.rect[name]) for name in ("width", "height"))
        for share in range(1, 400):  # a fine, skewed grid over the map
            x, y = int((share * 61 % 100 - 50) / 100 * width), int((share * 37 % 97 - 48) / 100 * height)
            ActionChains(self.browser, duration=0).move_to_element_with_offset(canvas, x, y).perform()
            if row := self.rows_pointed_at()[side]:
                return int(row), (x, y)
        raise AssertionError("no image on the map")

    def rows_pointed_at(self) -> list[str]:
        read = "return [...document.querySelectorAll(arguments[0])].map(canvas => canvas.dataset.row)"
        rows: list[str] = self.browser.execute_script(read, MAPS)
        return rows

    def places(self) -> str:
        """Return the left map's pixels as text."""
        return str(self.browser.execute_script("return document.querySelector(arguments[0]).toDataURL()", MAPS))

    def ask_with_words(self, words: str) -> None:
        self.wait_until(lambda: self.browser.find_elements(By.CSS_SELECTOR, WORDS))
        self.browser.find_element(By.CSS_SELECTOR, WORDS).send_keys(words, Keys.ENTER)
        self.wait_until(lambda: self.word_rows("image"))
        self.wait_until(self.is_at_rest)

    def word_rows(self, column: str) -> list[int]:
        return self.rows(f"words-{column}")

    def decoded(self) -> str:
        return str(self.browser.find_element(By.CSS_SELECTOR, PICTURE).get_attribute("src"))


# ----------------------------------------------------------------------------------------------------------------------


def test_the_map_points_in_both_and_a_click_searches(browser: webdriver.Chrome, address: str) -> None:  # noqa: F811
    page = Explore(browser, address)
    assert len(browser.find_elements(By.CSS_SELECTOR, MAPS)) == 2
    row, _ = page.point_at_an_image(0)
    assert page.rows_pointed_at() == [str(row)] * 2  # highlighted in both maps
    ActionChains(browser).click().perform()
    page.wait_until_asked_with(row)
    page.wait_until(lambda: page.has_no_hit(row))
    page.click("[data-testid=stPageLink]:has(a[href$=explore]) a")
    page.wait_until_drawn()
    assert f"Framed: row {row}" in page.text(".st-key-map-section")
    page.click("[data-testid=stPageLink]:not(:has(a[href$=explore])) a")
    page.wait_until(lambda: f"row {row} " in page.text(".query .label p"))  # going back keeps the query


def test_dragging_and_zooming_the_map_search_nothing(browser: webdriver.Chrome, address: str) -> None:  # noqa: F811
    page = Explore(browser, address)
    whole = page.places()
    row, place = page.point_at_an_image(0)
    pointed = page.places()
    here = ScrollOrigin.from_element(page.map_of(0), *place)
    ActionChains(browser).key_down(Keys.CONTROL).scroll_from_origin(here, 0, -300).key_up(Keys.CONTROL).perform()
    page.wait_until(lambda: page.places() != pointed)
    assert page.rows_pointed_at() == [str(row)] * 2  # zooming keeps the point under the pointer
    zoomed = page.places()
    ActionChains(browser).click_and_hold().move_by_offset(-30, 12).move_by_offset(25, -9).release().perform()
    ActionChains(browser).move_to_element(browser.find_element(By.CSS_SELECTOR, ".masthead h1")).perform()
    page.wait_until(lambda: page.rows_pointed_at() == ["", ""])
    assert page.places() != zoomed
    page.wait_until(page.is_at_rest)
    assert browser.current_url == f"{address}/explore"
    page.click(".image-map .zoom button:last-child")
    page.wait_until(lambda: page.places() == whole)


def test_a_slider_changes_the_decoded_image(browser: webdriver.Chrome, address: str) -> None:  # noqa: F811
    page = Explore(browser, address)
    before = page.decoded()
    slider = browser.find_element(By.CSS_SELECTOR, ".st-key-direction-0 input")
    slider.send_keys(Keys.END)
    page.wait_until(lambda: page.decoded() != before)
    page.wait_until(lambda: "+4 σ along 1" in page.text(".st-key-turned"))
    page.click(".st-key-unturned button")
    page.wait_until(lambda: page.decoded() == before)


def test_words_find_images_and_a_hit_becomes_the_query(browser: webdriver.Chrome, address: str) -> None:  # noqa: F811
    page = Explore(browser, address)
    word = TOPICS["dog"][0]
    page.ask_with_words(word)
    for column in ("code", "lsa", "tfidf", "image"):
        assert len(page.word_rows(column)) == 8
    assert page.text(".st-key-hits-words-tfidf .alt").count(word) == 1
    row = page.word_rows("tfidf")[3]
    page.click(f".st-key-ask-words-tfidf-{row} button")
    page.wait_until_asked_with(row)


def test_one_map_alone_is_wider(browser: webdriver.Chrome, address: str) -> None:  # noqa: F811
    page = Explore(browser, address)
    both = page.map_of(0).rect["width"]
    assert page.map_of(0).rect["y"] == page.map_of(1).rect["y"]
    page.click(".st-key-map-sides button:nth-child(2)")
    page.wait_until(lambda: len(browser.find_elements(By.CSS_SELECTOR, MAPS)) == 1)
    page.wait_until(lambda: page.map_of(0).rect["width"] > 1.5 * both)


def test_exploring_requests_nothing_from_other_servers(browser: webdriver.Chrome, address: str) -> None:  # noqa: F811
    severe_messages(browser)  # discards messages of earlier pages
    Explore(browser, address)
    asked = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert asked
    assert [name for name in asked if not name.startswith((f"{address}/", "data:"))] == []
    assert [message for message in severe_messages(browser) if not any(tried in message for tried in TRIED)] == []


def test_a_screenshot(browser: webdriver.Chrome, address: str, tmp_path: Path) -> None:  # noqa: F811
    target = Path(os.environ.get("IMGSEARCH_EXPLORE_SCREENSHOT", tmp_path / "explore.png"))
    with ExitStack() as other:
        if "IMGSEARCH_TEST_INDEX" in os.environ:
            shown = Path(os.environ["IMGSEARCH_TEST_INDEX"])
            address = other.enter_context(running_app(shown, free_port())).url
        page = Page(browser, f"{address}/?row={os.environ.get('IMGSEARCH_TEST_ROW', '0')}")
        page.wait_until(lambda: page.both_columns_hold(12))
        page.click("[data-testid=stPageLink]:has(a[href$=explore]) a")
        Explore(browser).screenshot(target, last=".st-key-playground")
    assert target.read_bytes().startswith(b"\x89PNG")
