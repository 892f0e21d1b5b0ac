"""The result of a search: one list of hits for each method. Plain data; imports neither torch nor faiss."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from imgsearch.corpus.records import Entry
from imgsearch.retrieval.search.methods import CODE, PIXEL, SearchMethod

ENCODE = "encode"  # the key of the seconds spent on encoding the query


@dataclass(frozen=True)
class Hit:
    """A neighbour joined with its entry, ready to show."""

    rank: int  # 1 for the nearest
    distance: float  # in the unit of its method; smaller is nearer
    entry: Entry
    grade: str = ""  # "same", "close" or "weak"; "" where no thresholds are known
    other_rank: int | None = None  # its rank among the hits of `SearchMethod.compared_with`, None where it has none

    @property
    def row(self) -> int:
        """The row of its entry."""
        return self.entry.row

    def to_json(self) -> dict[str, object]:
        """Return the distance, the grade and the published fields of the entry."""
        entry = self.entry
        return {
            "row": entry.row,
            "distance": self.distance,
            "grade": self.grade,
            "url": entry.url,
            "page_url": entry.page_url,
            "alt": entry.alt,
            "label": entry.label,
            "near_duplicate_of": entry.near_duplicate_of,
            "provenance": asdict(entry.provenance),
        }


def without_near_duplicates(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Keep only the nearest of each original and its near-duplicates."""
    nearest: dict[int, Hit] = {}
    for hit in hits:
        original = hit.entry.near_duplicate_of
        nearest.setdefault(hit.row if original is None else original, hit)
    return tuple(nearest.values())


@dataclass(frozen=True)
class QueryWords:
    """The words of a query in words."""

    known: tuple[str, ...]  # as they are looked up: lower case, singular
    unknown: tuple[str, ...]  # as they were typed: the vocabulary lacks them

    @property
    def note(self) -> str:
        """A sentence about words that were not looked for; "" where all were."""
        return f"not among the words of this corpus: {', '.join(self.unknown)}" if self.unknown else ""


@dataclass(frozen=True)
class SearchResult:
    """Hits for one query, by each method that was used."""

    query: str  # the words, the path of the query image, "row:12", or "image" for bytes and arrays
    k: int
    model: str  # digest of the model that made the codes
    methods: tuple[SearchMethod, ...]  # in the order in which they are shown
    hits: Mapping[str, tuple[Hit, ...]]  # by the name of each of the methods, nearest first
    seconds: Mapping[str, float]  # search time by method name, and that of encoding the query under `ENCODE`
    words: QueryWords | None = None  # of a query in words; None where the query is an image

    @property
    def overlap(self) -> int:
        """Number of images that were found by code and by pixels."""
        code, pixel = ({hit.row for hit in self.hits.get(name, ())} for name in (CODE, PIXEL))
        return len(code & pixel)

    @property
    def no_good_match(self) -> bool:
        """Whether even the nearest hit of the first method is far, as distances in this corpus go."""
        hits = self.hits[self.methods[0].name]
        return bool(hits) and hits[0].grade == "weak"

    def compared_with(self, method: SearchMethod) -> SearchMethod | None:
        """Return the method that the other ranks of `method`'s hits belong to; None where it was not used."""
        return next((other for other in self.methods if other.name == method.compared_with), None)

    def to_json(self) -> dict[str, object]:
        """Return the query and the hits by method; of image queries those by code and by pixels even if not used."""
        query: dict[str, object] = {"query": self.query, "k": self.k, "model": self.model}
        hits = {name: [hit.to_json() for hit in hits] for name, hits in self.hits.items()}
        if self.words is not None:
            return {**query, "words": list(self.words.known), "unknown_words": list(self.words.unknown), **hits}
        always: dict[str, object] = {CODE: [], PIXEL: []}
        return {**query, **always, **hits, "overlap": self.overlap, "no_good_match": self.no_good_match}


def join_hits(
    methods: Sequence[SearchMethod],
    neighbours: Mapping[str, Sequence[tuple[Entry, float]]],
    grades: Mapping[str, Sequence[str]],
) -> dict[str, tuple[Hit, ...]]:
    """Return the hits of each method, each with its rank among those of the method that it is compared with.

    Args:
        methods: the methods that were used.
        neighbours: entries and distances by method name, nearest first.
        grades: the grade of each neighbour by method name; a method may be missing.
    """
    ranks = {
        name: {entry.row: rank for rank, (entry, _) in enumerate(found, start=1)} for name, found in neighbours.items()
    }
    hits: dict[str, tuple[Hit, ...]] = {}
    for method in methods:
        found, others = neighbours[method.name], ranks.get(method.compared_with, {})
        of_hits = grades.get(method.name) or [""] * len(found)
        hits[method.name] = tuple(
            Hit(rank, distance, entry, grade, others.get(entry.row))
            for rank, ((entry, distance), grade) in enumerate(zip(found, of_hits, strict=True), start=1)
        )
    return hits
