"""Search your own images by what they show.

    from imgsearch import Searcher

    searcher = Searcher.open("index")
    result = searcher.search("photograph.jpg", k=10)
    for hit in result.hits["code"]:
        print(hit.row, hit.distance, hit.entry.url)

Importing this package loads neither torch nor faiss; the first use of `Searcher` does.
"""

from typing import TYPE_CHECKING

from imgsearch.errors import ImgSearchError

if TYPE_CHECKING:
    from imgsearch.retrieval.search.searcher import Searcher

__all__ = ["ImgSearchError", "Searcher", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "Searcher":
        from imgsearch.retrieval.search.searcher import Searcher

        return Searcher
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
