"""What a search gives back: hits, in one list for each method that was asked. Plain data; knows no index, no model."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from imgsearch.corpus.records import NOT_KNOWN, Provenance

CODE, PIXEL, BINARY = METHODS = ("code", "pixel", "binary")
BOTH, ALL = "both", "all"
ASKED = {  # what `by` may be, and the methods that each asks
    BOTH: (CODE, PIXEL),
    CODE: (CODE,),
    PIXEL: (PIXEL,),
    BINARY: (BINARY,),
    ALL: METHODS,
}


@dataclass(frozen=True)
class Hit:
    """A neighbour joined with its entry, ready to show."""

    rank: int  # 1 for the nearest
    row: int
    distance: float  # by binary code: the number of bits that differ
    url: str
    page_url: str
    alt: str
    label: str
    # Its rank among the other method's k hits, None where it is not among them: by code the other is by pixels and the
    # other way round, by binary code it is by code.
    other_rank: int | None
    grade: str = ""  # "same", "close" or "weak"; "" where no cutoff is known
    provenance: Provenance = NOT_KNOWN  # how it came in
    near_duplicate_of: int | None = None  # the row of an earlier image that shows the same

    def to_json(self) -> dict[str, object]:
        names = ("row", "distance", "grade", "url", "page_url", "alt", "label", "near_duplicate_of")
        return {name: getattr(self, name) for name in names} | {"provenance": asdict(self.provenance)}


def folded(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits, of an original and its near-duplicates only the nearest."""
    nearest: dict[int, Hit] = {}
    for hit in hits:
        nearest.setdefault(hit.row if hit.near_duplicate_of is None else hit.near_duplicate_of, hit)
    return tuple(nearest.values())


@dataclass(frozen=True)
class SearchResult:
    """Hits by code, by pixels and by binary code for one query; a list that was not asked for is empty."""

    query: str  # the path that was asked with, "row:12", or "image" for bytes and arrays
    k: int
    by: str  # a key of `ASKED`
    model: str  # digest of the model that made the codes
    code: tuple[Hit, ...]
    pixel: tuple[Hit, ...]
    binary: tuple[Hit, ...]
    overlap: int  # rows that are in the lists by code and by pixels
    encode_seconds: float  # next to nothing for a row that is indexed: its code is there already
    code_seconds: float
    pixel_seconds: float
    binary_seconds: float

    @property
    def asked(self) -> tuple[str, ...]:
        """The methods that were asked, in the order in which they are shown."""
        return ASKED[self.by]

    @property
    def no_good_match(self) -> bool:
        """Whether even the nearest hit of the first method that was asked is far, as distances in this corpus go."""
        hits = self.hits(self.asked[0])
        return bool(hits) and hits[0].grade == "weak"

    def hits(self, method: str) -> tuple[Hit, ...]:
        """The list of one of `METHODS`."""
        hits: tuple[Hit, ...] = {CODE: self.code, PIXEL: self.pixel, BINARY: self.binary}[method]
        return hits

    def to_json(self) -> dict[str, object]:
        """The lists by code and by pixels always, that by binary code where it was asked for."""
        answer: dict[str, object] = {
            "query": self.query,
            "k": self.k,
            "model": self.model,
            "code": [hit.to_json() for hit in self.code],
            "pixel": [hit.to_json() for hit in self.pixel],
        }
        if BINARY in self.asked:
            answer["binary"] = [hit.to_json() for hit in self.binary]
        return {**answer, "overlap": self.overlap, "no_good_match": self.no_good_match}
