"""The page that tells the lecture's story: HTML and how it looks. Must not know how an experiment is run.

All text comes from elsewhere (data, errors, figures) and is escaped; the pictures lie in the page; nothing in it runs.
"""

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from imgsearch.lab.chapters import CHAPTERS, INTRODUCTION, TITLE, Chapter
from imgsearch.lab.finding import Finding, Told

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
nav { margin: 2rem 0 1rem; font-size: .97rem; }
nav ol { columns: 18rem; padding-left: 1.6rem; margin: 0; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: .18em; }
section { border-top: 1px solid var(--line); padding: 2.4rem 0 1rem; margin-top: 2rem; scroll-margin-top: 1rem; }
figure { margin: 1.4rem 0; padding: .8rem; background: #fff; border: 1px solid var(--line); border-radius: .6rem; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.conclusion { font-weight: 600; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font: .92rem/1.4 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .42rem .9rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th { color: var(--quiet); font-weight: 600; vertical-align: bottom; }
.source, .command { color: var(--quiet); font-size: .9rem; }
code { font: .88em ui-monospace, monospace; background: var(--card); border: 1px solid var(--line);
  border-radius: .35rem; padding: .12rem .4rem; }
.absent { border-left: 3px solid var(--accent); padding-left: 1rem; color: var(--quiet); }
@media print { nav { display: none; } section { break-inside: avoid; } }
"""


def as_page(story: Sequence[Told], *, remark: str = "") -> str:
    """One HTML document with everything in it; `remark` is told under the introduction."""
    chapters = {chapter.name: chapter for chapter in CHAPTERS}
    links = "".join(f'<li><a href="#{escape(told.name)}">{escape(_heading(told, chapters))}</a></li>' for told in story)
    sections = "".join(_section(told, chapters) for told in story)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(TITLE)}</title><style>{STYLE}</style></head>\n<body><main>"
        f"<header><h1>{escape(TITLE)}</h1><p>{escape(INTRODUCTION)}</p>"
        f"{f'<p><strong>{escape(remark)}</strong></p>' if remark else ''}</header>\n"
        f"<nav><ol>{links}</ol></nav>\n{sections}</main></body></html>\n"
    )


def _heading(told: Told, chapters: dict[str, Chapter]) -> str:
    if told.finding is not None:
        return told.finding.title
    return chapters[told.name].heading if told.name in chapters else told.name


def _section(told: Told, chapters: dict[str, Chapter]) -> str:
    words = f"<p>{escape(chapters[told.name].words)}</p>" if told.name in chapters else ""
    command = f'<p class="command"><code>imgsearch lab {escape(told.name)}</code></p>'
    body = _finding(told.finding) if told.finding is not None else _absence(told.reason)
    heading = f"<h2>{escape(_heading(told, chapters))}</h2>"
    return f'<section id="{escape(told.name)}">{heading}{words}{body}{command}</section>\n'


def _finding(finding: Finding) -> str:
    picture = b64encode(finding.picture).decode("ascii")
    head = "".join(f"<th>{escape(column)}</th>" for column in finding.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in finding.lines)
    return (
        f'<figure><img src="data:image/png;base64,{picture}" alt="{escape(finding.title)}"></figure>'
        f'<p class="conclusion">{escape(finding.conclusion)}</p>'
        f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="source">{escape(finding.data)} Source: {escape(finding.source)}.</p>'
    )


def _absence(reason: str) -> str:
    return f'<p class="absent"><strong>Not shown:</strong> {escape(reason)}</p>'
