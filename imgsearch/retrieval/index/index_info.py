"""What `search/search.json` says about the index beside it. Reads no vectors, loads neither faiss nor torch."""

import json
from dataclasses import dataclass
from pathlib import Path

from imgsearch.errors import Hint, IndexMismatchError, IndexMissingError
from imgsearch.paths import directory_errors

COSINE, L2 = METRICS = ("cosine", "l2")
INFO_FILE = "search.json"


@dataclass(frozen=True)
class IndexInfo:
    """Of which model and which rows the index is made; written last, so it never names a file that is not whole."""

    model: str  # digest of the model whose codes are indexed
    rows: int  # rows 0..rows-1 of the corpus are in the index
    metric: str  # "cosine" or "l2"
    kind: str  # "exact"
    file: str  # name of the faiss file in the same folder
    made_at: str  # ISO 8601, UTC

    @property
    def binary_file(self) -> str:
        """Name of the file of binary codes, beside the other."""
        return f"binary-{self.model[:12]}-{self.rows}.safetensors"


def read_index_info(folder: Path) -> IndexInfo:
    """The index in `folder` (`IndexPaths.search`) as its json describes it.

    Raises:
        IndexMissingError: there is none, or its description is damaged.
        IndexDirectoryError: the folder cannot be read.
    """
    path = folder / INFO_FILE
    with directory_errors(path):
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise IndexMissingError(f"nothing is indexed yet in {folder}.", hint=Hint.REINDEX) from error
        except UnicodeDecodeError as error:
            raise IndexMissingError(f"{path} is damaged: it is not text.", hint=Hint.REINDEX) from error
    try:
        info = IndexInfo(**json.loads(text))
    except (TypeError, ValueError) as error:
        raise IndexMissingError(f"{path} is damaged: {error}.", hint=Hint.REINDEX) from error
    texts = (info.model, info.metric, info.kind, info.file, info.made_at)
    sound = all(isinstance(text, str) for text in texts) and isinstance(info.rows, int) and info.rows >= 0
    if not sound or info.metric not in METRICS or Path(info.file).name != info.file or not info.file:
        raise IndexMissingError(f"{path} is damaged: it says {info}.", hint=Hint.REINDEX)
    return info


def mismatch(what: str, made_by: str, current: str) -> IndexMismatchError:
    """Return the error for `what` ("index was", "codes were") made by a model that is not the current one."""
    message = f"the {what} made by model {made_by[:8]}…, the current model is {current[:8]}…."
    return IndexMismatchError(message, hint=Hint.REINDEX)
