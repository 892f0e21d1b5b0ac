"""Images and links of one HTML page. Pure: bytes in, links out; no page makes it raise.

Images are found in `img`, `srcset`, `picture`, `og:image`, attributes of lazy loading, backgrounds, and links to image
files; of several versions of a picture one is taken. Linked stylesheets are not read: each would cost a request, and
they mostly contain decoration of the site.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode
from w3lib.encoding import html_to_unicode
from w3lib.url import parse_data_uri

from crawler.parsing.captions import MAX_CAPTION, caption
from crawler.parsing.directives import Directives, read_directives
from crawler.parsing.srcset import Candidate, best_candidate, parse_srcset
from crawler.parsing.stylesheets import background_urls
from crawler.parsing.urls import MAX_URL_LENGTH, absolute_url, names_image
from crawler.reasons import Reason, ReasonCode

MAX_LINKS = 5000  # of each kind, from one page
MAX_REFERENCES = 4 * MAX_LINKS  # examined to find them: most may be the same few URLs
MAX_DEPTH = 5000  # of nested elements: lexbor takes time quadratic in it
MIN_INLINE_BYTES = 512  # smaller `data:` images are placeholders of lazy loading
MAX_DATA_HEADER = 100  # characters of a `data:` URL before its data, more than media types need
_NEAR = 100  # elements around one that are examined for what belongs to it

LAZY_ATTRIBUTES = (
    *("data-src", "data-original", "data-original-src", "data-lazy", "data-lazy-src"),
    *("data-echo", "data-image", "data-img-src", "data-fallback-src"),
)
SRCSET_ATTRIBUTES = ("srcset", "data-srcset", "data-lazy-srcset", "data-original-set")
# Of elements other than img: taken where they contain a url(...) or the name of an image file, not a colour or a word.
LAZY_BACKGROUNDS = ("data-bg", "data-background", "data-background-image", "data-bg-src", "data-lazy-background")
IMAGE_METAS = frozenset({"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"})
# Formats that cannot be decoded, so that another source of the same picture is better.
UNWANTED_TYPES = frozenset({"image/svg+xml", "image/jxl", "image/heic", "image/heif"})

# HTML has no short form of these, `<iframe/>` would hide the rest of the page; pages with it are meant as XHTML.
_SHORT_FORM = re.compile(r"<((iframe|script|style|textarea|title)\b[^<>]*)/>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_NEVER_NESTED = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
    | {"p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "option"}
)


_Resolve = Callable[[str], str | None]  # a reference as written on the page -> the URL to fetch


class ImageLink(NamedTuple):
    """An image of a page: a URL to fetch and its alternative text."""

    url: str
    alt: str


class InlineImage(NamedTuple):
    """An image that is part of the page itself (`data:`)."""

    data: bytes
    alt: str


@dataclass
class PageLinks:
    """Links of one page, each URL once, in the order of the page."""

    url: str = ""  # of the page itself
    images: list[ImageLink] = field(default_factory=list)
    inline: list[InlineImage] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    licence: str = ""  # the URL of the licence that the page states
    dropped: dict[Reason, int] = field(default_factory=dict)  # reason -> how many references
    refused: dict[str, tuple[str, Reason]] = field(default_factory=dict)  # URL -> (kind, the directive against it)
    directives: Directives = field(default_factory=Directives)


def extract_links(
    body: bytes, url: str, *, content_type: str = "", robots_tags: Sequence[str] = (), agent: str = "imgsearch"
) -> PageLinks:
    """Return the links of the page `body`, fetched from `url`; those that directives forbid are in `refused`."""
    encoding, text = html_to_unicode(content_type or None, body, default_encoding="utf-8")
    tree = LexborHTMLParser(_cut_where_too_deep(_SHORT_FORM.sub(r"<\1></\2>", text)))
    encoding = "utf-8" if encoding.startswith("utf") else encoding  # as browsers encode URLs on a page in UTF-16
    resolve = partial(absolute_url, _base_url(tree, url), encoding=encoding)
    found = PageLinks(
        url,
        licence=_licence(tree, resolve),
        directives=read_directives([*robots_tags, *_robots_metas(tree, agent)], agent),
    )
    seen: set[str] = set()
    _take_images(found, seen, tree, resolve)
    _take_pages(found, seen, tree, resolve)
    # A link that also occurs where no directive forbids it may be taken.
    found.refused = {url: refused for url, refused in found.refused.items() if url not in seen}
    return found


def _cut_where_too_deep(text: str) -> str:
    """`text` up to the first element nested deeper than `MAX_DEPTH`; almost always all of it."""
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


def _licence(tree: LexborHTMLParser, resolve: _Resolve) -> str:
    """The first link of the page with rel=license."""
    for element in tree.css("a[rel~=license][href], link[rel~=license][href], area[rel~=license][href]"):
        url = resolve(_attribute(element, "href"))
        if url is not None and len(url) <= MAX_URL_LENGTH:
            return url
    return ""


def _attribute(element: LexborNode, name: str) -> str:
    return (element.attributes.get(name) or "").strip()


# ----------------------------------------------------------------------------
# images: the references of each element in order of preference, and its alternative text


def _image_references(tree: LexborHTMLParser) -> Iterator[tuple[list[str], str]]:
    for image in tree.css("img"):
        yield _references_of(image), _attribute(image, "alt")
    metas = [meta for meta in tree.css("meta[content]") if _meta_name(meta) in IMAGE_METAS]
    alt = next((_attribute(meta, "content") for meta in tree.css("meta") if _meta_name(meta) == "og:image:alt"), "")
    for meta in metas:
        yield [_attribute(meta, "content")], alt
    for link in tree.css("link[rel~=image_src]"):
        yield [_attribute(link, "href")], ""
    yield from _drawn_references(tree)


def _drawn_references(tree: LexborHTMLParser) -> Iterator[tuple[list[str], str]]:
    """Images without an `img`: posters, buttons, images in SVG, backgrounds."""
    for element in tree.css("video[poster], input[type=image i][src], svg image, [background]"):
        names = ("poster", "src", "href", "xlink:href", "background")
        yield [reference for name in names if (reference := _attribute(element, name))], _attribute(element, "alt")
    for element in tree.css("[style]"):
        for reference in background_urls(_attribute(element, "style")):
            yield [reference], _label(element)
    for element in tree.css(", ".join(f"[{name}]" for name in LAZY_BACKGROUNDS)):
        for text in (_attribute(element, name) for name in LAZY_BACKGROUNDS):
            lazy = background_urls(f"background:{text}") if "url(" in text else [text] * names_image(text)
            yield from (([reference], _label(element)) for reference in lazy)
    for element in tree.css("style"):
        yield from (([reference], "") for reference in background_urls(element.text()))


def _label(element: LexborNode) -> str:
    return _attribute(element, "aria-label") or _attribute(element, "title")


def _meta_name(meta: LexborNode) -> str:
    return (_attribute(meta, "property") or _attribute(meta, "name")).lower()


def _link_refusal(element: LexborNode, directives: Directives) -> Reason | None:
    """The directive of the page or of the link `element` against following it; None where there is none."""
    if directives.no_follow:
        return Reason(ReasonCode.PAGE_DIRECTIVE, directives.no_follow)
    if "nofollow" in _attribute(element, "rel").lower().split():
        return Reason(ReasonCode.LINK_DIRECTIVE, "nofollow")
    return None


def _refuse(found: PageLinks, url: str, kind: str, refusal: Reason) -> None:
    if len(found.refused) < 2 * MAX_LINKS:
        found.refused.setdefault(url, (kind, refusal))


def _anchor_text(anchor: LexborNode) -> str:
    """The text of a link to an image; only the first nodes are read, since anchors may be nested many times."""
    text = ""
    for node in islice(anchor.traverse(include_text=True), _NEAR):
        if node.tag == "img" and _attribute(node, "alt"):
            return _attribute(node, "alt")
        if node.tag == "-text" and len(text) <= MAX_CAPTION:
            text += node.text()
    return _attribute(anchor, "title") or text


def _references_of(image: LexborNode) -> list[str]:
    """The references of an `img`, best first: the best candidate, the lazy attributes, `src`."""
    best = best_candidate([c for c in _candidates(image) if not c.url.lower().startswith("data:")])
    references = [best.url] if best is not None else []
    references += [_attribute(image, name) for name in LAZY_ATTRIBUTES]
    references.append(_attribute(image, "src"))
    return [reference for reference in references if reference]


def _candidates(image: LexborNode) -> list[Candidate]:
    elements = [image, *_sources(image)]
    return [
        candidate
        for element in elements
        for name in SRCSET_ATTRIBUTES
        for candidate in parse_srcset(_attribute(element, name))
    ]


def _sources(image: LexborNode) -> list[LexborNode]:
    """The `source` elements before the `img` of a `picture`."""
    if image.parent is None or image.parent.tag != "picture":
        return []
    sources: list[LexborNode] = []
    before = image.prev
    for _ in range(_NEAR):
        if before is None or before.tag == "img":
            break
        if before.tag == "source" and _attribute(before, "type").lower() not in UNWANTED_TYPES:
            sources.insert(0, before)
        before = before.prev
    return sources


def _take_images(found: PageLinks, seen: set[str], tree: LexborHTMLParser, resolve: _Resolve) -> None:
    """Take the images that the page shows or links to, as far as directives of page and links allow."""
    forbids = found.directives.no_images
    refusal = Reason(ReasonCode.PAGE_DIRECTIVE, forbids) if forbids else None
    shown = ((references, alt, refusal) for references, alt in _image_references(tree))
    linked = (
        ([_attribute(anchor, "href")], _anchor_text(anchor), refusal or _link_refusal(anchor, found.directives))
        for anchor in tree.css("a[href]")
        if names_image(_attribute(anchor, "href"))
    )
    for number, (references, alt, why) in enumerate(chain(shown, linked)):
        if number == MAX_REFERENCES or len(found.images) == MAX_LINKS:
            _drop(found, Reason(ReasonCode.BEYOND_IMAGES, f"{number:,}"))
            break
        _take_image(found, seen, resolve, references, alt, why)


def _take_image(
    found: PageLinks,
    seen: set[str],
    resolve: _Resolve,
    references: list[str],
    alt: str,
    refusal: Reason | None = None,
) -> None:
    """Add the first of `references` that can be fetched; a real URL before a `data:` URL, often a placeholder.

    With a `refusal` it is added to what is refused instead.
    """
    alt = caption(alt)
    absolute = (resolve(reference) for reference in references)
    urls = [url for url in absolute if url is not None and url != found.url]  # src="#" is the page itself
    inline = [reference for reference in references if reference[:5].lower() == "data:"]
    if urls and refusal:
        _refuse(found, urls[0], "image", refusal)
    elif inline and refusal:
        _drop(found, refusal)
    elif urls:
        if urls[0] not in seen:
            seen.add(urls[0])
            found.images.append(ImageLink(urls[0], alt))
    elif inline:
        data = _inline_data(inline[0])
        if len(data) < MIN_INLINE_BYTES:
            _drop(found, Reason(ReasonCode.PLACEHOLDER))
        elif len(found.inline) < MAX_LINKS:
            found.inline.append(InlineImage(data, alt))
    elif references:
        _drop(found, Reason(ReasonCode.BAD_REFERENCE))


def _inline_data(reference: str) -> bytes:
    """The bytes of a `data:image/...` URL, empty where it has none."""
    header = reference[: MAX_DATA_HEADER + 1].partition(",")[0]
    if len(header) > MAX_DATA_HEADER or not header.isprintable() or set(header) & set('"%'):
        return b""  # w3lib takes time quadratic in the parameters, which may be quoted and encoded
    try:
        parsed = parse_data_uri(reference)
    except (ValueError, UnicodeError):
        return b""
    is_image = parsed.media_type.startswith("image/") and parsed.media_type not in UNWANTED_TYPES
    return parsed.data if is_image else b""


def _drop(found: PageLinks, reason: Reason) -> None:
    found.dropped[reason] = found.dropped.get(reason, 0) + 1


# ----------------------------------------------------------------------------
# pages


def _take_pages(found: PageLinks, seen: set[str], tree: LexborHTMLParser, resolve: _Resolve) -> None:
    for number, element in enumerate(tree.css("a[href], area[href], iframe[src], frame[src]")):
        if number == MAX_REFERENCES or len(found.pages) == MAX_LINKS:
            _drop(found, Reason(ReasonCode.BEYOND_LINKS, f"{number:,}"))
            break
        url = resolve(_attribute(element, "href") or _attribute(element, "src"))
        if url is None or url in seen or names_image(url):
            continue
        if refusal := _link_refusal(element, found.directives):
            _refuse(found, url, "page", refusal)
            continue
        seen.add(url)
        found.pages.append(url)
