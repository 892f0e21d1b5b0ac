"""Read what an index directory holds and how fresh it is; loads neither torch nor faiss and changes nothing."""

from dataclasses import dataclass
from pathlib import Path

from crawler.frontier.frontier import Frontier
from imgsearch.autoencoder.card import CARD_NAME, SHIPPED, current_model, read_card
from imgsearch.autoencoder.codes import read_codes_info
from imgsearch.corpus.store import Corpus, CorpusCounts
from imgsearch.errors import IndexMissingError
from imgsearch.paths import IndexPaths, index_paths
from imgsearch.retrieval.index.index_info import read_index_info

NO_CRAWL = {"kept": 0, "duplicate": 0, "skipped": 0, "failed": 0, "queued": 0}


@dataclass(frozen=True)
class Status:
    """The state of one index directory. Rows count removed images too; `images` does not."""

    root: Path
    images: int
    removed: int
    near_duplicates: int  # images that are recompressed or resized copies of earlier ones
    coded: int  # rows with a code of the current model
    indexed: int  # rows in an index made by the current model
    model: str  # digest
    shipped: bool  # whether it is the model that comes with the package
    text_model: str  # digest of the text model, "" where none was trained
    words_coded: int  # rows whose words have a code of the text model
    index_bytes: int  # size of the whole directory
    preview_bytes: int
    crawl: dict[str, int]  # outcome → number of image URLs

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


def read_status(index: IndexPaths | Path | str | None = None) -> Status:
    """Read the state of an index directory; a missing directory counts as an empty one.

    Raises:
        ImgSearchError: a part is damaged; the message names it.
    """
    paths = index_paths(index)
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
