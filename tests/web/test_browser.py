"""The search page in a real browser, over a small index built through the command line.

With IMGSEARCH_SCREENSHOT=FILE.png a picture of the whole page is saved there: over the index directory that
IMGSEARCH_TEST_INDEX names (else the small one), asked with row IMGSEARCH_TEST_ROW (else 0). README's picture is one.
"""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from imgsearch.autoencoder.card import read_card
from imgsearch.cli import main as cli
from imgsearch.corpus.ingest import FoundImage, Intake
from imgsearch.corpus.store import Corpus
from imgsearch.demo import gallery
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.evaluation.report import quality_now, write_quality
from imgsearch.web.server import running_app
from tests.support.evaluation import DISTORTED, LABELLED

# One group, since each parallel worker would build an index and start a browser.
pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]

selenium = pytest.importorskip("selenium", reason="install the test extra: pip install 'imgsearch[test]'")
from selenium import webdriver  # noqa: E402 -- only where it is installed
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

SECONDS = 60  # the first page waits for torch
WIDTH, HEIGHT = 1400, 1000
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
KINDS = ("sunset", "city", "flower", "fish")
SLIDER = ".st-key-k input"
HOSTILE = '<script>window.hostile=1</script><img src=x onerror=window.hostile=2> & a "quoted" sea'
HOSTILE_ROW = 0
N_IMAGES = 48  # fewer than the maximum number of hits, so that all images can be shown

Answer = TypeVar("Answer")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few drawn images, a model of one epoch and its index."""
    root = tmp_path_factory.mktemp("browser") / "index"
    found = [
        FoundImage(
            f"https://pictures.example/{kind}/{number}.jpg",
            gallery.picture_bytes(kind, number)[0],
            "https://pictures.example/",
            gallery.alt_text(kind, number),
        )
        for kind in KINDS
        for number in range(N_IMAGES // len(KINDS))
    ]
    found[HOSTILE_ROW] = FoundImage("javascript:window.hostile=3", found[HOSTILE_ROW].data, alt=HOSTILE)
    with Corpus.open_for_writing(IndexPaths(root)) as corpus:
        Intake(corpus).keep(found)
    for command in (["train", "--epochs", "1", "--device", "cpu"], ["reindex", "--device", "cpu"]):
        assert cli.run([*command, "--index", str(root)]) == 0
    return root


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("needs Chromium and chromedriver (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}", f"--window-size={WIDTH},{HEIGHT}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture(scope="module")
def address(index: Path) -> Iterator[str]:
    with running_app(index, free_port()) as app:
        yield app.url


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Page:
    """The page as a visitor uses it."""

    def __init__(self, browser: webdriver.Chrome, address: str) -> None:
        self.browser = browser
        browser.get(address)
        for part in (".colophon", SLIDER, "input[type=file]"):  # widgets appear one by one
            self.wait_until(partial(browser.find_elements, By.CSS_SELECTOR, part))

    def wait_until(self, true: Callable[[], Answer]) -> Answer:
        """Poll until the condition holds; the page may redraw meanwhile, which makes elements stale."""
        errors = selenium.common.exceptions
        ignored = [
            errors.StaleElementReferenceException,
            errors.ElementNotInteractableException,
            errors.ElementClickInterceptedException,
        ]
        answer: Answer = WebDriverWait(self.browser, SECONDS, 0.1, ignored).until(lambda _: true())
        return answer

    def rows(self, method: str) -> list[int]:
        """Return the rows in one column, top first, read in one script, since the page may redraw meanwhile."""
        read = "return [...document.querySelectorAll(arguments[0])].map(card => Number(card.dataset.row))"
        rows: list[int] = self.browser.execute_script(read, f".st-key-hits-{method} figure.hit")
        return rows

    def text(self, selector: str) -> str:
        return str(self.browser.find_element(By.CSS_SELECTOR, selector).text)

    def upload(self, *files: Path) -> None:
        self.browser.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys("\n".join(map(str, files)))

    def click(self, selector: str) -> None:
        def clicked() -> bool:
            button = self.browser.find_element(By.CSS_SELECTOR, selector)
            self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
            button.click()
            return True

        self.wait_until(clicked)

    def slide_to(self, end: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, SLIDER).send_keys(end)

    def both_columns_hold(self, n: int) -> bool:
        """Return whether the results are complete, so that no column still shows the previous query."""
        state = self.browser.find_element(By.CSS_SELECTOR, ".stApp").get_attribute("data-test-script-state")
        return state == "notRunning" and len(self.rows("code")) == len(self.rows("pixel")) == n

    def has_no_hit(self, row: int) -> bool:
        return row not in self.rows("code") + self.rows("pixel")

    def wait_until_asked_with(self, row: int) -> None:
        self.wait_until(lambda: self.browser.current_url.endswith(f"?row={row}"))
        self.wait_until(lambda: f"row {row} " in self.text(".query .label p"))
        self.wait_until(lambda: self.both_columns_hold(12))

    def screenshot(self, path: Path, last: str = "") -> None:
        """Take a screenshot of the whole page, or down to the element `last`."""
        height = self.browser.execute_script("return document.querySelector('.stMain').scrollHeight")
        if last:
            end = "return Math.ceil(document.querySelector(arguments[0]).getBoundingClientRect().bottom) + 8"
            scroll = (
                "const main = document.querySelector('.stMain'); main.scrollTo(0, 0); main.style.overflow = 'hidden'"
            )
            self.browser.execute_script(scroll)
            height = self.browser.execute_script(end, last)
        metrics = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.wait_until(lambda: self.browser.execute_script("return window.innerHeight") == height)
        self.wait_until(
            lambda: self.browser.execute_script("return [...document.images].every(image => image.complete)")
        )
        self.browser.save_screenshot(str(path))
        self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


# ----------------------------------------------------------------------------------------------------------------------


def test_an_upload_is_searched_with_and_a_hit_becomes_the_query(
    browser: webdriver.Chrome, address: str, tmp_path: Path
) -> None:
    data, _ = gallery.picture_bytes("fish", 99)
    upload = tmp_path / "a fish.jpg"
    upload.write_bytes(data)
    page = Page(browser, address)
    page.upload(upload)
    page.wait_until(lambda: page.text(".query h2") == "a fish.jpg")
    page.wait_until(lambda: page.both_columns_hold(12))
    assert "row=" not in browser.current_url
    widths = "return [...document.querySelectorAll('.plate img, .hit img')].map(picture => picture.naturalWidth)"
    page.wait_until(lambda: min(browser.execute_script(widths)) > 0)
    assert len(browser.execute_script(widths)) == 3 + 2 * 12

    for method in ("code", "pixel"):
        row = page.rows(method)[2]
        page.click(f".st-key-ask-{method}-{row} button")
        page.wait_until_asked_with(row)
        page.wait_until(partial(page.has_no_hit, row))
    browser.back()
    page.wait_until(lambda: not browser.current_url.endswith(f"?row={row}"))
    page.wait_until(lambda: f"row {row} " not in page.text(".query .label p"))


def test_k_changes_how_many_hits_there_are(browser: webdriver.Chrome, address: str) -> None:
    page = Page(browser, f"{address}/?row=7")
    page.wait_until(lambda: page.both_columns_hold(12))
    page.slide_to(Keys.END)
    page.wait_until(lambda: page.both_columns_hold(N_IMAGES - 1))  # all images but the query
    page.slide_to(Keys.HOME)
    page.wait_until(lambda: page.both_columns_hold(4))


def test_binary_codes_come_and_go_as_a_third_column(browser: webdriver.Chrome, address: str) -> None:
    page = Page(browser, f"{address}/?row=7")
    page.wait_until(lambda: page.both_columns_hold(12))
    assert page.rows("binary") == []
    page.click(".st-key-binary label")
    page.wait_until(lambda: len(page.rows("binary")) == 12 and page.both_columns_hold(12))
    columns = [
        browser.find_element(By.CSS_SELECTOR, f".st-key-hits-{method}").rect for method in ("code", "pixel", "binary")
    ]
    assert [column["x"] for column in columns] == sorted({column["x"] for column in columns})  # side by side
    assert len({column["y"] for column in columns}) == 1
    assert page.text(".st-key-hits-binary .distance").endswith(" bits")
    page.click(".st-key-binary label")
    page.wait_until(lambda: page.rows("binary") == [])


def test_the_quality_panel_unfolds_to_tables_and_a_curve(
    browser: webdriver.Chrome, address: str, index: Path, request: pytest.FixtureRequest
) -> None:
    paths = IndexPaths(index)
    request.addfinalizer(lambda: paths.quality.unlink(missing_ok=True))  # the other tests share the index
    page = Page(browser, f"{address}/?row=7")
    page.click(".stExpander summary")
    page.wait_until(lambda: "imgsearch evaluate" in page.text(".st-key-quality .notice"))
    methods = LABELLED["methods"] | {"hostile": LABELLED["methods"]["code"] | {"title": HOSTILE}}
    quality = quality_now(
        read_card(paths.model).digest, N_IMAGES, labelled=LABELLED | {"methods": methods}, distorted=DISTORTED
    )
    write_quality(paths, quality)
    page = Page(browser, f"{address}/?row=7")
    page.click(".stExpander summary")
    page.wait_until(lambda: "comes first 87 times in 100" in page.text(".st-key-quality"))
    assert len(browser.find_elements(By.CSS_SELECTOR, ".st-key-quality .figures table")) == 2
    assert HOSTILE in page.text(".st-key-quality")
    drawing = ", ".join(f".st-key-quality .stVegaLiteChart {element}" for element in ("svg", "canvas"))
    chart = page.wait_until(partial(browser.find_element, By.CSS_SELECTOR, drawing))
    assert chart.rect["width"] > WIDTH / 3
    assert not browser.find_elements(By.CSS_SELECTOR, ".st-key-quality img")
    assert browser.execute_script("return window.hostile ?? null") is None
    assert severe_messages(browser) == []


def test_untrusted_texts_do_nothing(browser: webdriver.Chrome, address: str) -> None:
    page = Page(browser, f"{address}/?row={HOSTILE_ROW}")
    assert page.text(".query h2") == HOSTILE
    page = Page(browser, f"{address}/?row=7")
    page.slide_to(Keys.END)
    page.wait_until(lambda: page.both_columns_hold(N_IMAGES - 1))
    for method in ("code", "pixel"):
        hit = browser.find_element(By.CSS_SELECTOR, f'.st-key-hits-{method} [data-row="{HOSTILE_ROW}"]')
        assert hit.find_element(By.CSS_SELECTOR, ".alt").get_property("textContent") == HOSTILE
        assert len(hit.find_elements(By.CSS_SELECTOR, "img")) == 1
        assert not hit.find_elements(By.CSS_SELECTOR, "a, script")
    assert browser.execute_script("return window.hostile ?? null") is None


def test_a_file_that_is_no_image_is_refused_with_the_reason(
    browser: webdriver.Chrome, address: str, tmp_path: Path
) -> None:
    upload = tmp_path / "not an image.png"
    upload.write_text("<script>window.hostile=4</script>", encoding="utf-8")
    page = Page(browser, f"{address}/?row=7")
    page.upload(upload)
    page.wait_until(lambda: browser.find_elements(By.CSS_SELECTOR, ".notice.refused"))
    assert "not an image" in page.text(".notice.refused")
    assert browser.execute_script("return window.hostile ?? null") is None
    page.wait_until(lambda: page.both_columns_hold(12))
    assert browser.current_url.endswith("?row=7")


def test_the_page_requests_nothing_from_other_servers(browser: webdriver.Chrome, address: str) -> None:
    severe_messages(browser)  # discards messages of earlier pages
    page = Page(browser, f"{address}/?row=7")
    page.wait_until(lambda: page.both_columns_hold(12))
    asked = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert asked
    assert [name for name in asked if not name.startswith((f"{address}/", "data:"))] == []
    assert severe_messages(browser) == []


def severe_messages(browser: webdriver.Chrome) -> list[str]:
    """Return the errors in the browser's console since the last call."""
    log = browser.get_log("browser")  # type: ignore[no-untyped-call] # selenium leaves it without types
    return [str(entry["message"]) for entry in log if entry["level"] == "SEVERE"]


def test_a_screenshot(browser: webdriver.Chrome, address: str, tmp_path: Path) -> None:
    target = Path(os.environ.get("IMGSEARCH_SCREENSHOT", tmp_path / "page.png"))
    with ExitStack() as other:
        if "IMGSEARCH_TEST_INDEX" in os.environ:
            shown = Path(os.environ["IMGSEARCH_TEST_INDEX"])
            address = other.enter_context(running_app(shown, free_port())).url
        page = Page(browser, f"{address}/?row={os.environ.get('IMGSEARCH_TEST_ROW', '0')}")
        page.wait_until(lambda: page.both_columns_hold(12))
        page.screenshot(target)
    assert target.read_bytes().startswith(b"\x89PNG")
