"""What a search by words gives back: hits, one list for each method. Plain data; knows no index, no model."""

from dataclasses import dataclass

from imgsearch.retrieval.search.result import Hit

CODE, LSA, TFIDF = TEXT_METHODS = ("code", "lsa", "tfidf")  # in the order in which they are shown
TEXT_TITLES = {
    CODE: "code of the words, by the text autoencoder",
    LSA: "latent semantic analysis",
    TFIDF: "the words themselves, weighted by rarity (TF-IDF)",
}


@dataclass(frozen=True)
class TextResult:
    """Hits for one query of words."""

    query: str
    k: int
    model: str  # digest of the text model
    words: tuple[str, ...]  # of the query, as they are looked up: lower case, singular
    unknown_words: tuple[str, ...]  # as they were typed: the vocabulary lacks them
    methods: dict[str, tuple[Hit, ...]]  # of each of `TEXT_METHODS`; distances are 1 - cosine

    @property
    def note(self) -> str:
        """A sentence about words that were not looked for; "" where all were."""
        if not self.unknown_words:
            return ""
        return f"not among the words of this corpus: {', '.join(self.unknown_words)}"

    def to_json(self) -> dict[str, object]:
        """The lists by method beside what was asked."""
        lists = {method: [hit.to_json() for hit in hits] for method, hits in self.methods.items()}
        asked = {"query": self.query, "k": self.k, "model": self.model}
        return {**asked, "words": list(self.words), "unknown_words": list(self.unknown_words), **lists}
