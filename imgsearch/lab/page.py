"""The lecture's page: the findings of the experiments as one self-contained HTML document."""

from collections.abc import Sequence

from imgsearch.html_report import data_uri, escaped, html_page, table
from imgsearch.lab.finding import ChapterResult, Finding
from imgsearch.lab.registry import EXPERIMENTS

TITLE = "Deep autoencoders, from principal components to image search"
INTRODUCTION = (
    "An autoencoder is trained to reproduce its input through a code that is too narrow to hold all of it. It has to "
    "keep what matters and to leave out the rest. Each chapter below is an experiment that was run on this computer; "
    "the picture, the figures and the conclusion under them are its results."
)
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


def lecture_page(results: Sequence[ChapterResult], *, remark: str = "") -> str:
    """Return the HTML document with one chapter for each result; `remark` ends its introduction."""
    links = "".join(f'<li><a href="#{_text(one.name)}">{_text(_heading(one))}</a></li>' for one in results)
    body = [f"<nav><ol>{links}</ol></nav>", *map(_section, results)]
    return html_page(TITLE, [INTRODUCTION, remark] if remark else [INTRODUCTION], body, style=STYLE)


def _heading(result: ChapterResult) -> str:
    if result.finding is not None:
        return result.finding.title
    return EXPERIMENTS[result.name].heading if result.name in EXPERIMENTS else result.name


def _section(result: ChapterResult) -> str:
    chapter = f"<p>{_text(EXPERIMENTS[result.name].chapter)}</p>" if result.name in EXPERIMENTS else ""
    command = f'<p class="command"><code>imgsearch lab {_text(result.name)}</code></p>'
    body = _finding(result.finding) if result.finding is not None else _absence(result.reason)
    heading = f"<h2>{_text(_heading(result))}</h2>"
    return f'<section id="{_text(result.name)}">{heading}{chapter}{body}{command}</section>'


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
