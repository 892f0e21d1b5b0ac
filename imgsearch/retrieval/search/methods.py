"""The search methods: name, texts and unit of each, in one record.

The command line, the contact sheet and the page take their choices, headings and formats from here. Plain data;
imports neither torch nor faiss.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CODE, PIXEL, BINARY = "code", "pixel", "binary"
LSA, TFIDF = "lsa", "tfidf"


@dataclass(frozen=True)
class SearchMethod:
    """One way to compare images, or the words written about them."""

    name: str  # in results, in JSON and as a choice of `search(by=...)`
    title: str  # follows "by", as in "nearest by pixels"
    explanation: str  # one line; may hold {code_size} and {metric}, which `explained` fills in
    compared_with: str  # name of the method whose rank is given as `Hit.other_rank`
    unit: str = ""  # of a distance that is a count, such as "bit"; "" for distances that are real numbers

    @property
    def heading(self) -> str:
        """The title at the head of a list, such as "By pixels"."""
        return f"By {self.title}"

    def explained(self, *, code_size: int, metric: str) -> str:
        """Return the explanation for codes of `code_size` numbers that are compared by `metric`."""
        return self.explanation.format(code_size=code_size, metric=metric)

    def format_distance(self, distance: float, decimals: int = 3) -> str:
        """Return the distance as text without its unit; counts have no decimals."""
        return f"{distance:.0f}" if self.unit else f"{distance:.{decimals}f}"

    def format_with_unit(self, distance: float, decimals: int = 3) -> str:
        """Return the distance with its unit where it has one, such as "41 bits"."""
        number = self.format_distance(distance, decimals)
        return f"{number} {self.unit}{'' if distance == 1 else 's'}" if self.unit else number


def _by_name(methods: Iterable[SearchMethod]) -> Mapping[str, SearchMethod]:
    return {method.name: method for method in methods}


# Search by an image, in the order in which results are shown.
METHODS = _by_name(
    (
        SearchMethod(
            CODE, "code", "nearest in the encoder's {code_size} numbers, {metric} distance", compared_with=PIXEL
        ),
        SearchMethod(
            PIXEL, "pixels", "nearest in the 3,072 numbers of the pixels, Euclidean distance", compared_with=CODE
        ),
        SearchMethod(
            BINARY,
            "binary code",
            "nearest in 256 bits made of the {code_size} numbers: how many differ",
            compared_with=CODE,
            unit="bit",
        ),
    )
)

# Search by words, in the order in which results are shown. Distances are 1 - cosine.
TEXT_METHODS = _by_name(
    (
        SearchMethod(CODE, "word code", "nearest in the text autoencoder's code of the words", compared_with=TFIDF),
        SearchMethod(LSA, "LSA", "latent semantic analysis: a linear code of the words", compared_with=TFIDF),
        SearchMethod(TFIDF, "TF-IDF", "the words themselves, rare ones counting most", compared_with=CODE),
    )
)

# The choices of `Searcher.search(by=...)` and the methods that each of them uses.
BOTH, ALL = "both", "all"
SEARCH_BY: Mapping[str, tuple[str, ...]] = {
    BOTH: (CODE, PIXEL),
    **{name: (name,) for name in METHODS},
    ALL: tuple(METHODS),
}
