"""A fake text searcher with known hits, for tests of the Explore page."""

from dataclasses import dataclass, field

from imgsearch.errors import QueryError
from imgsearch.retrieval.search.methods import TEXT_METHODS
from imgsearch.retrieval.search.result import Hit, QueryWords, SearchResult
from tests.support.entries import make_entry

KNOWN = ("disc", "many")
FIRST = {"code": 20, "lsa": 30, "tfidf": 40}  # row of the first hit of each method; the next rows follow


@dataclass
class FakeWords:
    """Finds hits for every text with a known word, different rows for each method."""

    stale: bool = False
    alt: str = "disc"
    asked: list[tuple[str, int]] = field(default_factory=list)

    def is_stale(self) -> bool:
        return self.stale

    def search(self, text: str, *, k: int = 10) -> SearchResult:
        self.asked.append((text, k))
        words = tuple(text.lower().split())
        if not set(words) & set(KNOWN):
            raise QueryError(f"no image has any of the words of {text!r}")
        hits = {name: tuple(self._hit(first, rank) for rank in range(1, k + 1)) for name, first in FIRST.items()}
        unknown = tuple(word for word in words if word not in KNOWN)
        return SearchResult(text, k, "model", tuple(TEXT_METHODS.values()), hits, {}, QueryWords(words, unknown))

    def _hit(self, first: int, rank: int) -> Hit:
        row = first + rank - 1
        return Hit(rank, rank / 100, make_entry(row, url=f"https://pictures.example/{row}.jpg", alt=self.alt))
