"""The images and links of one HTML page. Pure: text in, links out; whatever the page holds, nothing is raised.

Knows which elements and attributes name images (`img`, `srcset`, `picture`, `og:image`, lazy loading, plain links to
image files) and which picture of several alternatives to take; not which of the URLs may be fetched.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode
from w3lib.encoding import html_to_unicode
from w3lib.url import parse_data_uri

from crawler.directives import Directives, read_directives
from crawler.records import LINK_SAYS, PAGE_SAYS
from crawler.srcset import Candidate, best_candidate, parse_srcset
from crawler.urls import absolute_url, names_image

MAX_LINKS = 5000  # of each sort, from one page
MAX_DEPTH = 5000  # of nested elements: lexbor's time grows with its square
MIN_INLINE_BYTES = 512  # smaller `data:` images are the placeholders of lazy loading
MAX_ALT = 500  # characters of alternative text that are kept

LAZY_ATTRIBUTES = ("data-src", "data-original", "data-lazy", "data-lazy-src")
SRCSET_ATTRIBUTES = ("srcset", "data-srcset", "data-lazy-srcset")
IMAGE_METAS = frozenset({"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"})
# What no program of ours can show, so another source of the same picture is better.
UNWANTED_TYPES = frozenset({"image/svg+xml", "image/jxl", "image/heic", "image/heif"})

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # in a terminal they give orders; in a file, errors
# HTML knows no short form of these: `<iframe/>` would hide the rest of the page. Who writes it means XHTML.
_SHORT_FORM = re.compile(r"<((iframe|script|style|textarea|title)\b[^<>]*)/>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_NEVER_NESTED = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
    | {"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "option"}
)


class ImageLink(NamedTuple):
    """An image named by a page: a URL to fetch and its alternative text."""

    url: str
    alt: str


class InlineImage(NamedTuple):
    """An image that stands in the page itself (`data:`)."""

    data: bytes
    alt: str


@dataclass
class PageLinks:
    """What one page holds, each URL once, in the order of the page."""

    url: str = ""  # of the page itself
    images: list[ImageLink] = field(default_factory=list)
    inline: list[InlineImage] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)  # reason -> how many image references
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)  # URL -> (kind, who says what)
    directives: Directives = field(default_factory=Directives)


def extract_links(
    body: bytes, url: str, *, content_type: str = "", robots_tags: Sequence[str] = (), agent: str = "imgsearch"
) -> PageLinks:
    """The links of the page `body` that was fetched from `url`, as far as it and its X-Robots-Tag let us take them."""
    _, text = html_to_unicode(content_type or None, body, default_encoding="utf-8")
    tree = LexborHTMLParser(_cut_where_too_deep(_SHORT_FORM.sub(r"<\1></\2>", text)))
    base = _base_url(tree, url)
    found = PageLinks(url, directives=read_directives([*robots_tags, *_robots_metas(tree, agent)], agent))
    seen: set[str] = set()
    refusal = f"{PAGE_SAYS}{found.directives.no_images}" if found.directives.no_images else ""
    for references, alt in _image_references(tree):
        _take_image(found, seen, base, references, alt, refusal)
    for anchor in tree.css("a[href]"):
        if names_image(_attribute(anchor, "href").partition("?")[0]):
            why = refusal or _link_refusal(anchor, found.directives)
            _take_image(found, seen, base, [_attribute(anchor, "href")], _anchor_text(anchor), why)
    _take_pages(found, seen, tree, base)
    # What stands on the page a second time, where nothing is said against it, may be taken.
    found.refused = {url: refused for url, refused in found.refused.items() if url not in seen}
    return found


def _cut_where_too_deep(text: str) -> str:
    """`text` up to the element that is nested deeper than `MAX_DEPTH`; almost always all of it."""
    if text.count("<") <= MAX_DEPTH:
        return text
    depth = 0
    for tag in _TAG.finditer(text):
        if tag[2].lower() not in _NEVER_NESTED:
            depth = max(0, depth - 1) if tag[1] else depth + 1
            if depth > MAX_DEPTH:
                return text[: tag.start()]
    return text


def _base_url(tree: LexborHTMLParser, url: str) -> str:
    element = tree.css_first("base[href]")
    return absolute_url(url, _attribute(element, "href")) or url if element is not None else url


def _robots_metas(tree: LexborHTMLParser, agent: str) -> list[str]:
    metas = tree.css("meta[name][content]")
    return [_attribute(meta, "content") for meta in metas if _attribute(meta, "name").lower() in ("robots", agent)]


def _attribute(element: LexborNode, name: str) -> str:
    return (element.attributes.get(name) or "").strip()


# ----------------------------------------------------------------------------
# images: of each element the references in the order of preference, and the alternative text


def _image_references(tree: LexborHTMLParser) -> Iterator[tuple[list[str], str]]:
    for image in tree.css("img"):
        yield _references_of(image), _attribute(image, "alt")
    metas = [meta for meta in tree.css("meta[content]") if _meta_name(meta) in IMAGE_METAS]
    alt = next((_attribute(meta, "content") for meta in tree.css("meta") if _meta_name(meta) == "og:image:alt"), "")
    for meta in metas:
        yield [_attribute(meta, "content")], alt
    for link in tree.css("link[rel=image_src]"):
        yield [_attribute(link, "href")], ""


def _meta_name(meta: LexborNode) -> str:
    return (_attribute(meta, "property") or _attribute(meta, "name")).lower()


def _link_refusal(element: LexborNode, directives: Directives) -> str:
    """Who says which directive against following the link `element`; "" where nobody does."""
    if directives.no_follow:
        return f"{PAGE_SAYS}{directives.no_follow}"
    return f"{LINK_SAYS}nofollow" if "nofollow" in _attribute(element, "rel").lower().split() else ""


def _refuse(found: PageLinks, url: str, kind: str, refusal: str) -> None:
    if len(found.refused) < 2 * MAX_LINKS:
        found.refused.setdefault(url, (kind, refusal))


def _anchor_text(anchor: LexborNode) -> str:
    image = anchor.css_first("img")
    alt = _attribute(image, "alt") if image is not None else ""
    return alt or _attribute(anchor, "title") or " ".join(anchor.text().split())


def _references_of(image: LexborNode) -> list[str]:
    """Where the picture of an `img` may be had, best first: the best candidate, the lazy attributes, `src`."""
    best = best_candidate([c for c in _candidates(image) if not c.url.lower().startswith("data:")])
    references = [best.url] if best is not None else []
    references += [_attribute(image, name) for name in LAZY_ATTRIBUTES]
    references.append(_attribute(image, "src"))
    return [reference for reference in references if reference]


def _candidates(image: LexborNode) -> list[Candidate]:
    elements = [image]
    if image.parent is not None and image.parent.tag == "picture":
        sources = image.parent.css("source")
        elements += [source for source in sources if _attribute(source, "type").lower() not in UNWANTED_TYPES]
    return [
        candidate
        for element in elements
        for name in SRCSET_ATTRIBUTES
        for candidate in parse_srcset(_attribute(element, name))
    ]


def _take_image(
    found: PageLinks, seen: set[str], base: str, references: list[str], alt: str, refusal: str = ""
) -> None:
    """Add the first of `references` that can be had; a real URL before a `data:` one, which is often a placeholder.

    With a `refusal` it is only written down as refused.
    """
    alt = _UNPRINTABLE.sub("", " ".join(alt.split()))[:MAX_ALT]
    absolute = (absolute_url(base, reference) for reference in references)
    urls = [url for url in absolute if url is not None and url != found.url]  # src="#" names the page itself
    inline = [reference for reference in references if reference[:5].lower() == "data:"]
    if urls and refusal:
        _refuse(found, urls[0], "image", refusal)
    elif inline and refusal:
        _drop(found, refusal)
    elif urls:
        if urls[0] not in seen and len(found.images) < MAX_LINKS:
            seen.add(urls[0])
            found.images.append(ImageLink(urls[0], alt))
    elif inline:
        data = _inline_data(inline[0])
        if len(data) < MIN_INLINE_BYTES:
            _drop(found, "data: URL with no picture in it")
        elif len(found.inline) < MAX_LINKS:
            found.inline.append(InlineImage(data, alt))
    elif references:
        _drop(found, "a reference that cannot be fetched")


def _inline_data(reference: str) -> bytes:
    """The bytes of a `data:image/...` URL, empty where it holds none."""
    try:
        parsed = parse_data_uri(reference)
    except (ValueError, UnicodeError):
        return b""
    is_image = parsed.media_type.startswith("image/") and parsed.media_type not in UNWANTED_TYPES
    return parsed.data if is_image else b""


def _drop(found: PageLinks, reason: str) -> None:
    found.dropped[reason] = found.dropped.get(reason, 0) + 1


# ----------------------------------------------------------------------------
# pages


def _take_pages(found: PageLinks, seen: set[str], tree: LexborHTMLParser, base: str) -> None:
    for element in tree.css("a[href], area[href], iframe[src], frame[src]"):
        url = absolute_url(base, _attribute(element, "href") or _attribute(element, "src"))
        if url is None or url in seen or names_image(url):
            continue
        if refusal := _link_refusal(element, found.directives):
            _refuse(found, url, "page", refusal)
            continue
        seen.add(url)
        found.pages.append(url)
        if len(found.pages) >= MAX_LINKS:
            break
