"""X-Robots-Tag and meta robots, as a table and as a grammar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.parsing.directives import NO_FOLLOW, NO_IMAGES, Directives, read_directives


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Directives()),
        (["all"], Directives()),
        (["noimageindex"], Directives("noimageindex")),
        (["NoAI, NoImageAI"], Directives("noai")),
        (["noindex, nofollow"], Directives("noindex", "nofollow")),
        (["noindex nofollow"], Directives("noindex", "nofollow")),
        (["noarchive;noai"], Directives("noai")),
        (["none"], Directives("none", "none")),
        (["nofollow"], Directives("", "nofollow")),
        (["noaircraft, xnoai, no-ai"], Directives()),
        (["noai:"], Directives("noai")),
        (["noindex: nofollow"], Directives("noindex", "nofollow")),
        # agents
        (["imgsearch: noai"], Directives("noai")),
        (["ImgSearch/0.1 : noai"], Directives("noai")),
        (["*: noai"], Directives("noai")),
        (["otherbot: noai"], Directives()),
        (["otherbot: noai, noindex"], Directives()),
        (["otherbot: noai", "noimageai"], Directives("noimageai")),
        (["otherbot: noai, imgsearch: noimageai"], Directives("noimageai")),
        (["nofollow, otherbot: noai"], Directives("", "nofollow")),
        (["imgsearchbot: noai"], Directives()),
        # colons without an agent
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], Directives("noai")),
        (["unavailable_after: Friday, 25-Jun-10 15:00:00 UTC, noai"], Directives("noai")),
        (["unavailable_after: 2010-06-25T15:00:00+00:00, noai"], Directives("noai")),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, otherbot: noai"], Directives()),
        (["otherbot: unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], Directives()),
        (["max-snippet: 20, max-image-preview: large"], Directives()),
        (["max-image-preview: none"], Directives()),
        (["max-image-preview:none, noai"], Directives("noai")),
        (["max-snippet:, noai"], Directives("noai")),
        (["imgsearch: max-image-preview: none"], Directives()),
    ],
)
def test_tags_are_obeyed_where_they_are_meant_for_us(values: list[str], expected: Directives) -> None:
    assert read_directives(values, "imgsearch") == expected


AGENTS = ("", "*", "imgsearch", "otherbot", "360spider")
VALUED = ("max-snippet: 20", "max-image-preview: none", "unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT")
HARMLESS = ("all", "noarchive", "whatever", *VALUED[:2])
WORDS = st.sampled_from([*NO_IMAGES, *NO_FOLLOW, *HARMLESS])
DATED = st.sampled_from([[], [VALUED[2]]])  # at the end of a group: a name that begins with a digit may not follow


@given(st.lists(st.tuples(st.sampled_from(AGENTS), st.lists(WORDS, min_size=1, max_size=4), DATED), max_size=4))
def test_each_header_speaks_to_whom_it_names(headers: list[tuple[str, list[str], list[str]]]) -> None:
    values = [(f"{agent}: " if agent else "") + ", ".join(words + dated) for agent, words, dated in headers]
    meant = {word for agent, words, _ in headers if agent in ("", "*", "imgsearch") for word in words}
    found = read_directives(values, "imgsearch")
    assert bool(found.no_images) == bool(meant & set(NO_IMAGES))
    assert bool(found.no_follow) == bool(meant & set(NO_FOLLOW))
    assert {found.no_images, found.no_follow} <= meant | {""}
    assert found == read_directives([value.upper() for value in reversed(values)], "ImgSearch")


@given(st.lists(st.text(max_size=40) | st.text("no:,; aindex*", max_size=40), max_size=4))
def test_any_tag_can_be_read(values: list[str]) -> None:
    found = read_directives(values, "imgsearch")
    assert found.no_images in ("", *NO_IMAGES)
    assert found.no_follow in ("", *NO_FOLLOW)
    assert found == read_directives([value.lower() for value in values], "imgsearch")
