"""URL keys, origins, scope and traps, as tables and as properties."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.parsing.urls import absolute_url, in_scope, names_image, origin, seed_url, site, trap, url_key
from crawler.reasons import sentence

SAME_KEY = [
    ("http://Example.com:80/a/../b/?b=2&a=1#f", "http://example.com/b/?a=1&b=2"),
    ("https://example.com:443/", "https://example.com"),
    ("https://example.com/%7euser", "https://example.com/~user"),
    ("https://example.com/?utm_source=x&utm_medium=y&id=1", "https://example.com/?id=1"),
    ("https://example.com/?fbclid=abc&PHPSESSID=1&id=1", "https://example.com/?id=1"),
    ("https://example.com/page;jsessionid=AB12?x=1", "https://example.com/page?x=1"),
    ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
    ("https://example.com/a b", "https://example.com/a%20b"),
    ("https://example.com/%c3%a9", "https://example.com/é"),
]
OTHER_KEY = [
    ("http://example.com/", "https://example.com/"),
    ("http://example.com/", "http://example.com:8080/"),
    ("http://example.com/A", "http://example.com/a"),
    ("http://example.com/?a=1&a=2", "http://example.com/?a=1"),
    ("http://example.com/a", "http://example.com/a/"),
    ("http://example.com/a%2Fb", "http://example.com/a/b"),
]


@pytest.mark.parametrize(("one", "other"), SAME_KEY)
def test_what_asks_for_the_same_thing_has_the_same_key(one: str, other: str) -> None:
    assert url_key(one) == url_key(other)


@pytest.mark.parametrize(("one", "other"), OTHER_KEY)
def test_what_asks_for_another_thing_has_another_key(one: str, other: str) -> None:
    assert url_key(one) != url_key(other)


@given(st.text(max_size=80))
def test_any_text_has_a_key(text: str) -> None:
    assert isinstance(url_key(text), str)


_URLS = st.builds(
    "{}://{}{}/{}?{}#{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(["example.org", "EXAMPLE.org", "bücher.example", "127.0.0.1", "[::1]"]),
    st.sampled_from(["", ":80", ":443", ":8080"]),
    st.text(alphabet="ab/.%7e2 ü;=~", max_size=20),
    st.text(alphabet="ab&=+%2 üutm_s", max_size=20),
    st.text(alphabet="a#", max_size=3),
)


@given(_URLS)
@settings(max_examples=300)
def test_a_key_is_its_own_key(url: str) -> None:
    key = url_key(url)
    assert url_key(key) == key


@given(st.text(max_size=60), st.text(max_size=60))
def test_absolute_url_never_raises_and_gives_http_or_nothing(base: str, reference: str) -> None:
    url = absolute_url(f"https://example.org/{base}", reference)
    if url is not None:
        assert url.startswith(("http://", "https://"))
        assert "#" not in url
        assert origin(url)
        assert trap(url) is None or sentence(trap(url))
        assert isinstance(site(url), str)


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("x.jpg", "http://example.org/a/x.jpg"),
        ("/x.jpg", "http://example.org/x.jpg"),
        ("//cdn.example.org/x.jpg", "http://cdn.example.org/x.jpg"),
        ("?q=1", "http://example.org/a/b?q=1"),
        (" two words.jpg\n", "http://example.org/a/two%20words.jpg"),
        ("ä.jpg", "http://example.org/a/%C3%A4.jpg"),
        ("#top", "http://example.org/a/b"),
        ("javascript:void(0)", None),
        ("data:image/png;base64,AA", None),
        ("file:///etc/passwd", None),
        ("ftp://example.org/x.jpg", None),
        ("blob:https://example.org/1", None),
        ("http://[::1", None),
        ("http://example.org:99999/", None),
    ],
)
def test_references_as_they_stand_on_a_page(reference: str, url: str | None) -> None:
    assert absolute_url("http://example.org/a/b", reference) == url


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("example.org", "https://example.org/"),
        ("example.org/pictures", "https://example.org/pictures"),
        ("localhost:8000/x", "https://localhost:8000/x"),
        ("//example.org", "https://example.org/"),
        (" HTTP://EXAMPLE.org ", "http://example.org/"),
        ("http://example.org/a#b", "http://example.org/a"),
        ("ftp://example.org", None),
        ("mailto:me@example.org", None),
        ("", None),
        ("/etc/passwd", None),
        ("two words", None),
    ],
)
def test_what_a_person_types_as_a_seed(typed: str, url: str | None) -> None:
    assert seed_url(typed) == url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.org/a?b", "https://example.org"),
        ("http://example.org:80/", "http://example.org"),
        ("http://example.org:8080/", "http://example.org:8080"),
        ("https://user:secret@example.org/", "https://example.org"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_the_origin_is_scheme_host_and_port(url: str, expected: str) -> None:
    assert origin(url) == expected


def test_scope_sees_neither_scheme_nor_www() -> None:
    sites = {site("http://www.example.org/")}
    assert in_scope("https://example.org/a", sites)
    assert in_scope("https://www.example.org/a", sites)
    assert not in_scope("https://cdn.example.org/a", sites)
    assert not in_scope("https://example.org:8443/a", sites)


@pytest.mark.parametrize(
    ("url", "is_trap"),
    [
        ("http://example.org/a/b/c.jpg", False),
        ("http://example.org/a/b/a/b/", False),
        ("http://example.org/a/b/a/b/a/b/", True),
        ("http://example.org/x/x/x", True),
        ("http://example.org/2026/01/02/2026", False),
        ("http://example.org/" + "/".join(str(n) for n in range(20)), False),
        ("http://example.org/" + "/".join(str(n) for n in range(21)), True),
        ("http://example.org/?" + "a" * 2083, True),
    ],
)
def test_traps(url: str, is_trap: bool) -> None:
    assert bool(trap(url)) is is_trap


def test_image_names_are_told_by_the_path() -> None:
    assert names_image("http://example.org/a.JPG?size=2")
    assert not names_image("http://example.org/?a.jpg")
    assert not names_image("http://example.org/a.jpg.html")
