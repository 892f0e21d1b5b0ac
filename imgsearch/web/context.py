"""The context that every part of the page is drawn with: the open index, and links to the other pages."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imgsearch.paths import DEFAULT_INDEX, IndexPaths

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher


@dataclass(frozen=True)
class Page:
    """One page over one open index."""

    searcher: "Searcher"
    paths: IndexPaths
    search: Callable[[int], None]  # shows the search page with this row as the query

    def command(self, words: str) -> str:
        """Return a command line for this index directory, ready to be pasted."""
        return command(words, self.paths)


def command(words: str, paths: IndexPaths) -> str:
    """Return the command line `imgsearch WORDS`, with `--index` where `paths` is not the default directory."""
    place = "" if paths.root == Path(DEFAULT_INDEX) else f" --index {shlex.quote(str(paths.root))}"
    return f"imgsearch {words}{place}"
