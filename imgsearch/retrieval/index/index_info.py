"""The description of an index on disk, `search/search.json`. Imports neither faiss nor torch."""

from dataclasses import dataclass
from pathlib import Path

from imgsearch.errors import Hint, IndexMismatchError, IndexMissingError
from imgsearch.records import read_record

COSINE, L2 = METRICS = ("cosine", "l2")
INFO_FILE = "search.json"


@dataclass(frozen=True)
class IndexInfo:
    """The model and the rows of an index. It is written last, so that it never names an incomplete file."""

    model: str  # digest of the model whose codes are indexed
    rows: int  # rows 0..rows-1 of the corpus are in the index
    metric: str  # "cosine" or "l2"
    kind: str  # "exact"
    file: str  # name of the faiss file in the same folder
    made_at: str  # ISO 8601, UTC

    def __post_init__(self) -> None:
        if self.rows < 0 or self.metric not in METRICS or not self.file or Path(self.file).name != self.file:
            raise ValueError(f"{self} describes no index")

    @property
    def binary_file(self) -> str:
        """Name of the file of binary codes in the same folder."""
        return f"binary-{self.model[:12]}-{self.rows}.safetensors"


def read_index_info(folder: Path) -> IndexInfo:
    """Read the description of the index in `folder` (`IndexPaths.search`).

    Raises:
        IndexMissingError: there is none, or it is damaged.
        IndexDirectoryError: the folder cannot be read.
    """
    path = folder / INFO_FILE
    return read_record(
        path,
        IndexInfo,
        missing=IndexMissingError(f"nothing is indexed yet in {folder}.", hint=Hint.REINDEX),
        damaged=lambda reason: IndexMissingError(f"{path} is damaged: {reason}.", hint=Hint.REINDEX),
    )


def mismatch(what: str, made_by: str, current: str) -> IndexMismatchError:
    """Return the error for `what` ("index was", "codes were") made by a model that is not the current one."""
    message = f"the {what} made by model {made_by[:8]}…, the current model is {current[:8]}…."
    return IndexMismatchError(message, hint=Hint.REINDEX)
