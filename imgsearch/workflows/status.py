"""What an index directory holds and how fresh it is, read without torch or faiss, and without changing anything."""

from dataclasses import dataclass
from pathlib import Path

from crawler.frontier.frontier import Frontier
from imgsearch.autoencoder.card import CARD_NAME, SHIPPED, current_model, read_card
from imgsearch.autoencoder.codes import read_codes_info
from imgsearch.cli.output import readable_bytes
from imgsearch.corpus.store import Corpus, CorpusCounts
from imgsearch.errors import IndexMissingError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.index.index_info import read_index_info

NO_CRAWL = {"kept": 0, "duplicate": 0, "skipped": 0, "failed": 0, "queued": 0}


@dataclass(frozen=True)
class Status:
    """The state of one index directory. Rows count removed images too; `images` does not."""

    root: Path
    images: int
    removed: int
    near_duplicates: int  # of the images: recompressed or resized copies of earlier ones
    coded: int  # rows with a code of the current model
    indexed: int  # rows in an index made by the current model
    model: str  # digest
    shipped: bool  # whether it is the one that comes with the package
    text_model: str  # digest of the model of words, "" where none was trained
    words_coded: int  # rows whose words have a code of it
    index_bytes: int  # of the whole directory
    preview_bytes: int
    crawl: dict[str, int]  # image URLs by what became of them

    @property
    def rows(self) -> int:
        return self.images + self.removed

    def to_json(self) -> dict[str, object]:
        return {
            "images": self.images,
            "removed": self.removed,
            "near_duplicates": self.near_duplicates,
            "coded": self.coded,
            "indexed": self.indexed,
            "model": self.model,
            "shipped_model": self.shipped,
            "text_model": self.text_model,
            "words_coded": self.words_coded,
            "index_bytes": self.index_bytes,
            "preview_bytes": self.preview_bytes,
            "preview_bytes_per_image": round(self.preview_bytes / self.rows) if self.rows else 0,
            "crawl": self.crawl,
        }

    def lines(self) -> list[str]:
        """What a person reads, the next command to type last."""
        per_image = readable_bytes(self.preview_bytes / self.rows) if self.rows else "0 B"
        return [
            f"{self.root}: {readable_bytes(self.index_bytes)}",
            f"images   {self.images:,}"
            + (f" ({self.removed:,} removed)" if self.removed else "")
            + (f", {self.near_duplicates:,} of them near-duplicates" if self.near_duplicates else ""),
            f"previews {readable_bytes(self.preview_bytes)} ({per_image} per image)",
            f"model    {self.model[:12]}" + (" (comes with imgsearch)" if self.shipped else " (trained here)"),
            f"coded    {self.coded:,} of {self.rows:,} rows",
            f"indexed  {self.indexed:,} of {self.rows:,} rows",
            *self._words(),
            "crawl    " + "  ".join(f"{name} {n:,}" for name, n in self.crawl.items()),
            f"next     {self.next_step()}",
        ]

    def _words(self) -> list[str]:
        if not self.text_model:
            return []
        return [f"words    {self.words_coded:,} of {self.rows:,} rows, by model {self.text_model[:12]}"]

    def next_step(self) -> str:
        """The command that brings the directory one step on."""
        if not self.images:
            return "imgsearch add FOLDER, or imgsearch crawl URL"
        if self.indexed < self.rows:
            return "imgsearch reindex"
        return "imgsearch app"


def read_status(paths: IndexPaths) -> Status:
    """The state of the directory; one that is not there is an empty one.

    Raises:
        ImgSearchError: a part is damaged; the message says which.
    """
    counts = _counts(paths)
    folder = current_model(paths)
    model = read_card(folder).digest
    text_model = read_card(paths.text.model).digest if (paths.text.model / CARD_NAME).exists() else ""
    return Status(
        root=paths.root,
        images=counts.images,
        removed=counts.removed,
        near_duplicates=counts.near_duplicates,
        coded=_coded(paths, model),
        indexed=_indexed(paths, model),
        model=model,
        shipped=folder == SHIPPED,
        text_model=text_model,
        words_coded=_coded(paths.text, text_model),
        index_bytes=sum(file.stat().st_size for file in paths.root.rglob("*") if file.is_file()),
        preview_bytes=counts.preview_bytes,
        crawl=_crawl(paths),
    )


def _counts(paths: IndexPaths) -> CorpusCounts:
    if not paths.corpus_database.exists():
        return CorpusCounts(rows=0, images=0, removed=0, preview_bytes=0, bytes_on_disk=0)
    with Corpus.open(paths) as corpus:
        return corpus.counts()


def _coded(paths: IndexPaths, model: str) -> int:
    try:
        info = read_codes_info(paths.codes)
    except IndexMissingError:
        return 0
    return info.rows if info.model == model else 0


def _indexed(paths: IndexPaths, model: str) -> int:
    try:
        info = read_index_info(paths.search)
    except IndexMissingError:
        return 0
    return info.rows if info.model == model else 0


def _crawl(paths: IndexPaths) -> dict[str, int]:
    if not paths.crawl_database.exists():
        return dict(NO_CRAWL)
    with Frontier.open(paths.crawl_database) as frontier:
        return frontier.counts()
