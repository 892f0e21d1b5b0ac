"""Cases 10 and 11 of the hostile web: what headers, pages and links ask for; against a site on loopback."""

import pytest

from crawler.frontier.frontier import Frontier
from crawler.reasons import from_stored, sentence
from tests.support.crawl import Crawler
from tests.support.loopback_site import Answer, Site, gif


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"X-Robots-Tag": "noai"}, "noai"),
        ({"X-Robots-Tag": "noimageai"}, "noimageai"),
        ({"X-Robots-Tag": "noindex"}, "noindex"),
        ({"X-Robots-Tag": "noimageindex"}, "noimageindex"),
        ({"X-Robots-Tag": "none"}, "none"),
        ({"x-robots-tag": "noarchive, NoAI"}, "noai"),
        ({"X-Robots-Tag": "imgsearch: noai"}, "noai"),
        ({"X-Robots-Tag": "otherbot: noai, noindex"}, ""),
        ({"X-Robots-Tag": "otherbot: noai", "x-robots-tag": "noimageindex"}, "noimageindex"),
        ({"X-Robots-Tag": "noimageindex", "x-robots-tag": "otherbot: noai"}, "noimageindex"),
        ({"X-Robots-Tag": "otherbot: noai", "x-robots-tag": "imgsearch: all"}, ""),
        ({"X-Robots-Tag": "unavailable_after: 25 Jun 2010 15:00:00 PST"}, ""),
        ({"X-Robots-Tag": "unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, noai"}, "noai"),
        ({"X-Robots-Tag": "max-image-preview: none"}, ""),
        ({"X-Robots-Tag": "nofollow, noarchive"}, ""),
    ],
)
def test_case_10_an_image_is_dropped_where_its_header_means_us(
    site: Site, crawler: Crawler, headers: dict[str, str], says: str
) -> None:
    site.page("/", "<img src=/1.gif>")
    site.answer("/1.gif", Answer(gif(1), headers={"Content-Type": "image/gif", **headers}))
    report = crawler(site.url)
    assert report.kept == (0 if says else 1)
    assert len(crawler.gallery.images) == report.kept
    assert report.reasons == ({f"X-Robots-Tag says {says}": 1} if says else {})


PAGE = """<img src=/1.gif><img src="data:image/gif;base64,{inline}"><a href=/2.gif>a picture</a>
    <a href=/linked>a page</a><iframe src=/framed></iframe>"""


def read(site: Site, crawler: Crawler, head: str = "", **headers: str) -> None:
    """Crawl a page with each sort of image and link, and with `head`."""
    site.page("/", head + PAGE.format(inline="R0lGODlh" + "A" * 1000), **headers)
    for number, path in enumerate(("/1.gif", "/2.gif")):
        site.image(path, number)
    for path in ("/linked", "/framed"):
        site.page(path, "<html>")
    crawler(site.url)


def outcomes(crawler: Crawler, seed: str) -> dict[str, str]:
    """Path -> reason in words, of every skipped URL."""
    with Frontier.open(crawler.path) as frontier:
        sql = "SELECT url, reason_code, reason_detail FROM url WHERE outcome = 'skipped' AND seed = ?"
        rows = frontier._database.rows(sql, f"{seed}/")
    return {url.removeprefix(seed): sentence(from_stored(*how)) for url, *how in rows}


@pytest.mark.parametrize(
    ("content", "no_images", "no_follow"),
    [
        ("nofollow,noimageindex", "noimageindex", "nofollow"),
        ("NOINDEX", "noindex", ""),
        ("none", "none", "none"),
        ("noai", "noai", ""),
        ("noimageai", "noimageai", ""),
        ("nofollow", "", "nofollow"),
        ("otherbot: noai", "", ""),
        ("index, follow", "", ""),
    ],
)
@pytest.mark.parametrize("place", ["robots", "ImgSearch", "otherbot", "header"])
def test_case_11_what_a_page_asks_for_is_done(
    site: Site, crawler: Crawler, content: str, no_images: str, no_follow: str, place: str
) -> None:
    if place == "header":
        read(site, crawler, X_Robots_Tag=content)
    else:
        read(site, crawler, f'<meta name="{place}" content="{content}">')
    if place == "otherbot":
        no_images = no_follow = ""
    expected = {}
    if no_images:
        expected["/1.gif"] = expected["/2.gif"] = f"the page says {no_images}"
    if no_follow:
        expected.setdefault("/2.gif", f"the page says {no_follow}")
        expected["/linked"] = expected["/framed"] = f"the page says {no_follow}"
    assert outcomes(crawler, site.url) == expected
    wanted = {"/robots.txt", "/", "/1.gif", "/2.gif", "/linked", "/framed"} - set(expected)
    assert set(site.paths()) == wanted
    inline = [image for image in crawler.gallery.images if "#inline" in image.url]
    assert len(inline) == (0 if no_images else 1)


def test_case_11_rel_nofollow_is_not_followed(site: Site, crawler: Crawler) -> None:
    site.page(
        "/",
        "<a rel='noopener NOFOLLOW' href=/no>x</a><a rel=nofollow href=/no.gif><img src=/thumb.gif></a>"
        "<area rel=nofollow href=/area><a rel=follow href=/yes>x</a>"
        "<a rel=nofollow href=/twice>x</a><a href=/twice>y</a><a rel=nofollow href=/both.gif>x</a><img src=/both.gif>",
    )
    for number, path in enumerate(("/no.gif", "/thumb.gif", "/both.gif")):
        site.image(path, number)
    report = crawler(site.url)
    assert crawler.gallery.paths == ["/both.gif", "/thumb.gif"]
    assert set(site.paths()) == {"/robots.txt", "/", "/thumb.gif", "/both.gif", "/yes", "/twice"}
    said = "the link says nofollow"
    assert outcomes(crawler, site.url) == {"/no": said, "/no.gif": said, "/area": said}
    assert report.reasons == {said: 1}


def test_case_11_what_one_page_refuses_another_may_give(site: Site, crawler: Crawler) -> None:
    site.page(
        "/",
        "<meta name=robots content=noai><img src=/1.gif alt=mine><img src=/2.gif>"
        "<a rel=nofollow href=/no>x</a><a href=/open>x</a>",
    )
    site.page("/open", "<img src=/1.gif alt=yours><a href=/no>x</a>")
    site.page("/no", "<html>")
    for number, path in enumerate(("/1.gif", "/2.gif")):
        site.image(path, number)
    report = crawler(site.url)
    assert [(image.alt, image.page_url) for image in crawler.gallery.images] == [("yours", f"{site.url}/open")]
    assert site.paths().count("/no") == 1
    assert report.reasons == {"the page says noai": 1}
    assert outcomes(crawler, site.url) == {"/2.gif": "the page says noai"}
