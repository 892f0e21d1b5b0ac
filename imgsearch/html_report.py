"""Self-contained HTML pages: one file that loads nothing, runs nothing and can be sent to somebody else.

All text may come from strangers (addresses, alt texts, labels, error messages). Every function here escapes the text
that it is given; only arguments named `*_html` are inserted as they are. Images are embedded as `data:` URIs.
"""

import base64
import re
from collections.abc import Container, Iterable, Sequence
from html import escape

LONGEST_TEXT = 300
LONGEST_WORD = 24  # characters in a table; longer words, such as addresses, may break anywhere
# Control characters, marks that turn the reading direction (a label could read as something else), lone surrogates.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
# A second line of defence: even where escaping failed, no script would run and nothing would be loaded.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --ink: #1d2530; --quiet: #5c6773; --paper: #fbfaf7; --card: #fff; --line: #e2ded5;
  --accent: #0b62a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --quiet: #9aa5b1; --paper: #14181d; --card: #1c2229;
  --line: #323a44; --accent: #74b8f2; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.06rem/1.65 Charter, Georgia, serif; }
main { max-width: 54rem; margin: 0 auto; padding: 3.5rem 1.25rem 5rem; }
h1 { font-size: clamp(1.9rem, 5vw, 2.7rem); line-height: 1.15; margin: 0 0 1.2rem; letter-spacing: -0.015em; }
h2 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .8rem; }
header p { font-size: 1.15rem; color: var(--quiet); }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: .18em; }
section { border-top: 1px solid var(--line); padding: 2.4rem 0 1rem; margin-top: 2rem; scroll-margin-top: 1rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font: .92rem/1.4 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .42rem .9rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
th { color: var(--quiet); font-weight: 600; vertical-align: bottom; }
th.number, td.number { text-align: right; }
td.long { overflow-wrap: anywhere; }
code { font: .88em ui-monospace, monospace; background: var(--card); border: 1px solid var(--line);
  border-radius: .35rem; padding: .12rem .4rem; }
@media print { section { break-inside: avoid; } }
"""


def escaped(text: str, *, longest: int | None = LONGEST_TEXT) -> str:
    """Return text that is safe inside an HTML element or attribute: on one line, shortened and escaped.

    Args:
        text: anything; control characters become spaces.
        longest: characters that are kept, None for all.
    """
    line = " ".join(UNPRINTABLE.sub(" ", text).split())
    if longest is not None and len(line) > longest:
        line = line[: longest - 1] + "…"
    return escape(line, quote=True)


def data_uri(image: bytes) -> str:
    """Return an encoded JPEG, WebP or PNG as a `data:` URI."""
    kind = "jpeg" if image.startswith(b"\xff\xd8") else "webp" if image.startswith(b"RIFF") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def table(columns: Sequence[str], lines: Iterable[Sequence[str | int]], *, numeric: Container[int] = ()) -> str:
    """Return a table as HTML, or a sentence where it has no lines.

    Args:
        columns: the headings.
        lines: the cells of each line; whole numbers get thousands separators.
        numeric: places of the columns that are aligned on the right.
    """

    def row(tag: str, cells: Sequence[str | int]) -> str:
        return f"<tr>{''.join(cell(tag, place, value) for place, value in enumerate(cells))}</tr>"

    def cell(tag: str, place: int, value: str | int) -> str:
        text = f"{value:,}" if isinstance(value, int) else escaped(value)
        kind = "number" if place in numeric else "long" if _longest_word(str(value)) > LONGEST_WORD else ""
        return f'<{tag} class="{kind}">{text}</{tag}>' if kind else f"<{tag}>{text}</{tag}>"

    body = "".join(row("td", line) for line in lines)
    if not body:
        return "<p>None.</p>"
    return f'<div class="table"><table><thead>{row("th", columns)}</thead><tbody>{body}</tbody></table></div>'


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def html_page(title: str, introduction: Sequence[str], body_html: Iterable[str], *, style: str = "") -> str:
    """Return a whole HTML document.

    Args:
        title: the heading and the name of the document.
        introduction: paragraphs under the heading.
        body_html: the parts of the document, as HTML.
        style: CSS added to the common stylesheet.
    """
    heading = escaped(title, longest=None)
    paragraphs = "".join(f"<p>{escaped(paragraph, longest=None)}</p>" for paragraph in introduction)
    body = "\n".join(body_html)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{STYLE}{style}</style></head>\n<body><main>"
        f"<header><h1>{heading}</h1>{paragraphs}</header>\n{body}\n</main></body></html>\n"
    )
