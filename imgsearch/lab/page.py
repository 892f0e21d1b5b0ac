"""The lab's page: what the experiments found, as one self-contained HTML document."""

from collections.abc import Sequence

from imgsearch.html_report import data_uri, escaped, html_page, table
from imgsearch.lab.chapters import CHAPTERS, INTRODUCTION, TITLE, Chapter
from imgsearch.lab.finding import Finding, Told

STYLE = """
nav { margin: 2rem 0 1rem; font-size: .97rem; }
nav ol { columns: 18rem; padding-left: 1.6rem; margin: 0; }
figure { margin: 1.4rem 0; padding: .8rem; background: #fff; border: 1px solid var(--line); border-radius: .6rem; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.conclusion { font-weight: 600; }
.source, .command { color: var(--quiet); font-size: .9rem; }
.absent { border-left: 3px solid var(--accent); padding-left: 1rem; color: var(--quiet); }
@media print { nav { display: none; } }
"""


def as_page(story: Sequence[Told], *, remark: str = "") -> str:
    """Return the HTML document of a story; `remark` is a last paragraph of its introduction."""
    chapters = {chapter.name: chapter for chapter in CHAPTERS}
    links = "".join(f'<li><a href="#{_text(told.name)}">{_text(_heading(told, chapters))}</a></li>' for told in story)
    body = [f"<nav><ol>{links}</ol></nav>", *(_section(told, chapters) for told in story)]
    return html_page(TITLE, [INTRODUCTION, remark] if remark else [INTRODUCTION], body, style=STYLE)


def _heading(told: Told, chapters: dict[str, Chapter]) -> str:
    if told.finding is not None:
        return told.finding.title
    return chapters[told.name].heading if told.name in chapters else told.name


def _section(told: Told, chapters: dict[str, Chapter]) -> str:
    words = f"<p>{_text(chapters[told.name].words)}</p>" if told.name in chapters else ""
    command = f'<p class="command"><code>imgsearch lab {_text(told.name)}</code></p>'
    body = _finding(told.finding) if told.finding is not None else _absence(told.reason)
    heading = f"<h2>{_text(_heading(told, chapters))}</h2>"
    return f'<section id="{_text(told.name)}">{heading}{words}{body}{command}</section>\n'


def _finding(finding: Finding) -> str:
    lines = table(finding.columns, finding.lines, numeric=range(1, len(finding.columns)))
    return (
        f'<figure><img src="{data_uri(finding.picture)}" alt="{_text(finding.title)}"></figure>'
        f'<p class="conclusion">{_text(finding.conclusion)}</p>{lines}'
        f'<p class="source">{_text(finding.data)} Source: {_text(finding.source)}.</p>'
    )


def _absence(reason: str) -> str:
    return f'<p class="absent"><strong>Not shown:</strong> {_text(reason)}</p>'


def _text(text: str) -> str:
    return escaped(text, longest=None)
