"""HTML of the page's small parts: a hit, a figure, a notice. All text is escaped here.

Addresses, alt texts and labels of the corpus are untrusted text; only http and https addresses become links.
"""

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from imgsearch.html_report import data_uri, escaped
from imgsearch.retrieval.search.methods import BINARY, CODE, PIXEL
from imgsearch.retrieval.search.result import ENCODE

if TYPE_CHECKING:
    from imgsearch.retrieval.search.methods import SearchMethod
    from imgsearch.retrieval.search.result import Hit, SearchResult

FRAMED = ' <span class="framed">framed below</span>'
GRADES = {
    "same": "so near that it is probably the same image",
    "close": "near, compared with the distances in this corpus",
    "weak": "far, compared with the distances in this corpus",
}


def size(width: int, height: int) -> str:
    """Return the width and height of an image in pixels as text."""
    return f"{width:,} \N{MULTIPLICATION SIGN} {height:,}"


def source_link(address: str) -> str:
    """Return the source of an image: its host as a link for http and https, else its file name."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:  # an address that cannot be parsed is shown, but is no link
        return f'<span class="source">{escaped(address)}</span>'
    if parts.scheme in ("http", "https") and host:
        return (
            f'<a class="source" href="{escape(address, quote=True)}" title="{escaped(address)}" target="_blank"'
            f' rel="noopener noreferrer">{escaped(host.removeprefix("www."))}</a>'
        )
    name = unquote(parts.fragment or parts.path).rsplit("/", 1)[-1]  # the fragment is the name inside a zip
    return f'<span class="source" title="{escaped(address)}">{escaped(name or address)}</span>'


def licence_link(address: str) -> str:
    """Return the licence that the page stated as a link, "" where it is no http or https address."""
    if not address.startswith(("http://", "https://")):
        return ""
    return (
        f'<a class="source" href="{escape(address, quote=True)}" title="{escaped(address)}" target="_blank"'
        ' rel="license noopener noreferrer">licence</a>'
    )


# ----------------------------------------------------------------------------------------------------------------------
# the frame of the page


def heading() -> str:
    """Return the page's name and a sentence about what it compares."""
    return (
        '<header class="masthead"><h1>imgsearch</h1><p>The images most similar to yours, found in two ways: by a'
        " learned code of a few hundred numbers, and by raw pixels.</p></header>"
    )


def colophon(n_images: int, kind: str, digest: str) -> str:
    """Return one small line about what is searched."""
    return (
        f'<footer class="colophon">{n_images:,} images · model {escaped(kind)}'
        f' <span title="{escaped(digest)}">{escaped(digest[:12])}</span></footer>'
    )


def notice(text: str, *, name: str = "", command: str = "", refused: bool = False) -> str:
    """Return a line about a refusal or something missing: about `name`, with the `command` that helps."""
    about = f"<strong>{escaped(name)}</strong> " if name else ""
    typed = f" <code>{escaped(command)}</code>" if command else ""
    kind, role = ("refused", "alert") if refused else ("note", "note")
    return f'<p class="notice {kind}" role="{role}">{about}{escaped(text)}{typed}</p>'


# ----------------------------------------------------------------------------------------------------------------------
# the query


def query_label(title: str, detail: str, *, url: str = "") -> str:
    """Return the title, the details and the source of the query."""
    link = f" · {source_link(url)}" if url else ""
    return f'<div class="label"><h2>{escaped(title)}</h2><p>{escaped(detail)}{link}</p></div>'


def plate(picture: bytes, title: str, caption: str, *, crisp: bool = False) -> str:
    """Return an image with a title and a caption; `crisp` shows the pixels of a 32x32 image as squares."""
    return (
        f'<figure class="plate"><img class="{"crisp" if crisp else "smooth"}" src="{data_uri(picture)}"'
        f' alt="{escaped(title)}"><figcaption><strong>{escaped(title)}</strong><span>{escaped(caption)}</span>'
        "</figcaption></figure>"
    )


def small(picture: bytes, name: str, *, chosen: bool) -> str:
    """Return one of several uploads to choose from."""
    kind = "small chosen" if chosen else "small"
    return f'<img class="{kind}" src="{data_uri(picture)}" alt="{escaped(name)}" title="{escaped(name)}">'


# ----------------------------------------------------------------------------------------------------------------------
# the results


def summary(result: "SearchResult") -> str:
    """Return how many hits the methods share, and the time that the search took."""
    coding = "code looked up" if result.query.startswith("row:") else "encoded"
    n_hits = max(len(result.hits[CODE]), len(result.hits[PIXEL]))
    found, bits = f"Both found <strong>{result.overlap} of {n_hits}</strong>", ""
    shared = result.overlap
    if BINARY in result.hits:
        kept = sum(hit.other_rank is not None for hit in result.hits[BINARY])
        found = (
            f"Code and pixels both found <strong>{result.overlap} of {n_hits}</strong>,"
            f" code and binary code <strong>{kept}</strong>"
        )
        shared += kept
        bits = f", by binary code in {_milliseconds(result.seconds[BINARY])}"
    return (
        f'<div class="summary"><p class="overlap">{found}{FRAMED if shared else ""}</p>'
        f'<p class="timings">{coding} in {_milliseconds(result.seconds[ENCODE])} · searched by code in'
        f" {_milliseconds(result.seconds[CODE])}, by pixels in {_milliseconds(result.seconds[PIXEL])}{bits}</p></div>"
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def method(title: str, explanation: str) -> str:
    """Return the heading of one column."""
    return f'<div class="method"><h2>{escaped(title)}</h2><p>{escaped(explanation)}</p></div>'


def hit_card(hit: "Hit", picture: bytes, *, method: "SearchMethod", other: "SearchMethod | None" = None) -> str:
    """Return one hit: image, rank, grade, distance, alt text and source.

    Where `other`, the method it is compared with, found it too, the card gives its rank there.
    """
    also = ""
    if other is not None and hit.other_rank is not None:
        also = f'<span class="also">also #{hit.other_rank} by {escaped(other.title)}</span>'
    says = hit.entry.alt or hit.entry.label
    distance = method.format_with_unit(hit.distance)
    return (
        f'<figure class="hit{" both" if also else ""}" data-row="{hit.row}">'
        f'<div class="frame"><img src="{data_uri(picture)}" alt="{escaped(says) or "image"}">{also}</div>'
        f'<figcaption><span class="rank">{hit.rank}</span>'
        f'<span class="near">{_grade(hit.grade)}'
        f'<span class="distance" title="distance: smaller is nearer">{distance}</span></span>'
        f'<span class="alt" title="{escaped(says)}">{escaped(says)}</span>{source_link(hit.entry.url)}'
        f"{licence_link(hit.entry.provenance.licence)}</figcaption></figure>"
    )


def _grade(grade: str) -> str:
    """Return the grade beside the distance, "" where no threshold is known."""
    if not grade:
        return ""
    return f'<span class="grade {escaped(grade)}" title="{GRADES.get(grade, "")}">{escaped(grade)}</span>'


# ----------------------------------------------------------------------------------------------------------------------
# sections


def section(title: str, sentence: str) -> str:
    """Return the heading of one part and a sentence about it."""
    return f'<div class="section"><h2>{escaped(title)}</h2><p>{escaped(sentence)}</p></div>'


def footnote(text: str) -> str:
    """Return a small line, such as how something was measured."""
    return f'<p class="footnote">{escaped(text)}</p>'
