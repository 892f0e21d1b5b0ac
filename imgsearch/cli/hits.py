"""The hits of a search as a table."""

from typing import TYPE_CHECKING

from imgsearch.cli.options import ROW_PREFIX
from imgsearch.cli.output import say_table

if TYPE_CHECKING:
    from imgsearch.retrieval.search.result import SearchResult

DECIMALS = 4  # of a distance


def say_hits(result: "SearchResult") -> None:
    """Print the hits of all methods; columns that would be empty for every search of this kind are left out."""
    hits = [(method, hit) for method in result.methods for hit in result.hits[method.name]]
    columns = {
        "by": [method.name for method, _ in hits],
        "rank": [str(hit.rank) for _, hit in hits],
        "row": [f"{ROW_PREFIX}{hit.row}" for _, hit in hits],
        "distance": [method.format_distance(hit.distance, DECIMALS) for method, hit in hits],
        "grade": [hit.grade for _, hit in hits],
        "label": [hit.entry.label for _, hit in hits],
        "alt": [hit.entry.alt for _, hit in hits],
        "url": [hit.entry.url for _, hit in hits],
    }
    if result.words is not None:
        del columns["grade"]  # distances between words are not graded
    originals = [hit.entry.near_duplicate_of for _, hit in hits]
    if any(original is not None for original in originals):
        columns["near-duplicate of"] = ["" if row is None else f"{ROW_PREFIX}{row}" for row in originals]
    say_table(list(columns), list(zip(*columns.values(), strict=True)))
