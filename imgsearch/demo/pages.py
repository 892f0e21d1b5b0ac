"""HTML pages of the gallery's site.

Every way of a web page to name an image occurs: `img`, `srcset`, `picture`, `og:image` and lazy loading; and so do
common defects of the web.
"""

from collections.abc import Sequence
from html import escape

from imgsearch.demo.gallery import alt_text, file_name, image_size

PER_PAGE = 50
ODDITIES = "/odds-and-ends.html"

COPIES = 6  # images with a second address, byte for byte the same
BROKEN = {  # address: the expected result of a crawl
    "/broken/truncated.jpg": "a JPEG that ends in the middle",
    "/broken/noise.jpg": "bytes that are no image",
    "/broken/apology.jpg": "a page that says sorry, served as an image",
    "/broken/gone.jpg": "an image that is not there",
}

_STYLE = """
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.25rem 4rem; background: #faf6ee; color: #35302e;
       font: 16px/1.5 Georgia, serif }
h1 { font-size: 2.4rem; font-weight: normal; margin: 0 0 .3rem; text-transform: capitalize }
p { margin: 0 0 1.6rem; color: #776e68 }
a { color: #a4462f; text-decoration: none }
a:hover { text-decoration: underline }
nav { display: flex; gap: 1.2rem; margin: 1.6rem 0 }
.wall { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: 1.1rem }
figure { margin: 0; padding: .6rem .6rem .45rem; background: #fff; border-radius: .4rem;
         box-shadow: 0 1px 2px #0002, 0 8px 22px -12px #0005 }
figure img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: .2rem; display: block }
figcaption { font-size: .82rem; color: #776e68; padding-top: .4rem }
""".strip()

_WAKE = """<script>for (const i of document.querySelectorAll("img[data-src]")) i.src = i.dataset.src</script>"""
_PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="


def image_path(kind: str, number: int) -> str:
    """Return the address of an image; its last folder is the kind, which can be read as a label."""
    return f"/{kind}/{file_name(kind, number)}"


def small_path(kind: str, number: int) -> str:
    """Return the address of a copy of half the size."""
    return f"/small{image_path(kind, number)}"


def kind_path(kind: str, page: int = 1) -> str:
    return f"/kinds/{kind}.html" if page == 1 else f"/kinds/{kind}-{page}.html"


def page_count(images_per_kind: int) -> int:
    return -(-images_per_kind // PER_PAGE)


def robots_text() -> str:
    return "User-agent: *\nDisallow: /private/\n"


def front_page(kinds: Sequence[str], images_per_kind: int) -> str:
    """Return the front page: one card for each kind, and a link to the page of oddities."""
    cards = [
        f'<figure><a href="{kind_path(kind)}"><img src="{image_path(kind, 0)}" alt="{escape(alt_text(kind, 0))}"></a>'
        f'<figcaption><a href="{kind_path(kind)}">{kind}</a></figcaption></figure>'
        for kind in kinds
    ]
    words = f"{len(kinds) * images_per_kind:,} drawn images of {len(kinds)} kinds. None of them existed a moment ago."
    nav = f'<nav><a href="{ODDITIES}">odds and ends</a></nav>'
    return _page("A drawn gallery", f"<p>{words}</p>\n{_wall(cards)}\n{nav}")


def kind_page(kind: str, page: int, images_per_kind: int) -> str:
    """Return page 1, 2, ... of one kind; its images are referenced in each of the ways in turn."""
    numbers = range((page - 1) * PER_PAGE, min(page * PER_PAGE, images_per_kind))
    cards = [
        f"<figure>{_image(kind, number)}<figcaption>{escape(alt_text(kind, number))}</figcaption></figure>"
        for number in numbers
    ]
    last = page_count(images_per_kind)
    ways, head = ['<a href="/">all kinds</a>'], f'<meta property="og:image" content="{image_path(kind, numbers[0])}">'
    for other, rel, arrow in ((page - 1, "prev", "← back"), (page + 1, "next", "more →")):
        if 1 <= other <= last:
            ways.append(f'<a rel="{rel}" href="{kind_path(kind, other)}">{arrow}</a>')
            head += f'\n<link rel="{rel}" href="{kind_path(kind, other)}">'
    nav = f"<nav>{' '.join(ways)}</nav>"
    return _page(kind, f"<p>Page {page} of {last}</p>\n{_wall(cards)}\n{nav}\n{_WAKE}", head)


def _image(kind: str, number: int) -> str:
    source, small, alt = image_path(kind, number), small_path(kind, number), escape(alt_text(kind, number))
    width = image_size(kind, number)[0]
    match number % 8:
        case 1 | 5:
            return f'<img src="{small}" srcset="{small} {width // 2}w, {source} {width}w" sizes="12rem" alt="{alt}">'
        case 3:
            return f'<picture><source srcset="{small} 1x, {source} 2x"><img src="{small}" alt="{alt}"></picture>'
        case 6:
            return f'<img src="{_PIXEL}" data-src="{source}" alt="{alt}">'
        case _:
            return f'<img src="{source}" alt="{alt}" loading="lazy">'


def oddities_page(kinds: Sequence[str]) -> str:
    """Return the page of oddities: copies, broken images, and a page closed to robots."""
    cards = [(f"/copies{image_path(kind, 1)}", "a copy") for kind in kinds[:COPIES]] + list(BROKEN.items())
    figures = [
        f'<figure><img src="{path}" alt="{escape(what)}"><figcaption>{escape(what)}</figcaption></figure>'
        for path, what in [*cards, ("/private/face/portrait.jpg", "an image behind the closed door")]
    ]
    nav = '<nav><a href="/">all kinds</a> <a href="/private/">private</a></nav>'
    return _page("Odds and ends", f"{_wall(figures)}\n{nav}")


def private_page() -> str:
    return _page("Private", "<p>robots.txt asks robots to stay outside. You seem to be a person.</p>")


def apology_page() -> str:
    return _page("Sorry", "<p>There is nothing here.</p>")


def _wall(figures: Sequence[str]) -> str:
    return "\n".join(('<div class="wall">', *figures, "</div>"))


def _page(title: str, body: str, head: str = "") -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n{head}\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )
