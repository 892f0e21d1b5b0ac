"""Write the tables of README.md and docs/ from the raw results.

A table stands between `<!-- name -->` and `<!-- /name -->` in its page. tests/test_documents.py checks that every page
equals what is rendered here. Run: python -m benchmarks.tables
"""

from collections.abc import Callable
from pathlib import Path

import benchmarks.crawl.tables
import benchmarks.lecture.tables
import benchmarks.retrieval.tables
import benchmarks.training.tables

ROOT = Path(__file__).resolve().parents[1]


def render_readme() -> dict[str, str]:
    """Return the README's block."""
    return {"summary": benchmarks.retrieval.tables.render_summary()}


def render_results() -> dict[str, str]:
    """Return the blocks of docs/results.md by name."""
    return (
        benchmarks.retrieval.tables.render_all()
        | benchmarks.training.tables.render_all()
        | benchmarks.crawl.tables.render_all()
    )


PAGES: dict[str, Callable[[], dict[str, str]]] = {
    "README.md": render_readme,
    "docs/results.md": render_results,
    "docs/lecture.md": benchmarks.lecture.tables.render_all,
}


def filled(text: str, blocks: dict[str, str]) -> str:
    """Return a page's text with each block put between its markers.

    Raises:
        ValueError: a marker is missing.
    """
    for name, block in blocks.items():
        before, begin, rest = text.partition(f"<!-- {name} -->")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if not begin or not end:
            raise ValueError(f"the page has no place for the table {name!r}")
        text = f"{before}{begin}\n{block}\n{end}{after}"
    return text


def main() -> None:
    for page, render in PAGES.items():
        path = ROOT / page
        path.write_text(filled(path.read_text(encoding="utf-8"), render()), encoding="utf-8")


if __name__ == "__main__":
    main()
