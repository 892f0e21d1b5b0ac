"""The exact nearest neighbours of codes, and their index on disk. Knows no images, and of models only their digest.

Nearest first, equal distances in order of their rows, and never faiss's -1. faiss proposes candidates with float32
rounding; their distances are computed again without it and sorted by (distance, row). Where the candidates cannot be
told from what lies just beyond them (more equal distances than were fetched), the query is compared with every row.
"""

import json
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import Hint, IndexDirectoryError, IndexMissingError
from imgsearch.paths import replacing
from imgsearch.progress import Progress, silent
from imgsearch.retrieval.index.candidates import MOST_FETCHED, QUERY_BLOCK, SPARE, Candidates, propose
from imgsearch.retrieval.index.exact import LeftOut, Neighbours, Rows, blocks, nearest
from imgsearch.retrieval.index.index_info import COSINE, INFO_FILE, METRICS, IndexInfo, read_index_info

CODE_BLOCK = 65_536  # codes handled at once outside faiss


class CodeIndex:
    """Exact search among codes, by cosine distance (1 - cosine) or Euclidean distance.

    Cosine is searched as the Euclidean distance of normalised codes: 1 - cos(a, b) = |a - b|^2 / 2, which is exactly 0
    for a code and itself. A code of all zeros has no direction; it lies at 0.5 from every other.
    """

    def __init__(self, flat: Any, info: IndexInfo, gpu: int | None = None) -> None:
        """Wrap a faiss `IndexFlatL2` of codes that are prepared already; `build` and `load` make one."""
        self.info = info
        self._flat = flat
        stored = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d) if flat.ntotal else np.empty(0, np.float32)
        self._codes: NDArray[np.float32] = stored.reshape(-1, flat.d)  # (n, d), a view of faiss's memory
        self._largest = float(np.einsum("ij,ij->i", self._codes, self._codes).max(initial=0.0))
        self._on_gpu: Any = None
        self._gpu_lock = threading.Lock()  # faiss's GPU resources serve one thread at a time
        if gpu is not None and faiss.get_num_gpus() > gpu:
            self._gpu_resources = faiss.StandardGpuResources()
            self._on_gpu = faiss.index_cpu_to_gpu(self._gpu_resources, gpu, flat)

    @property
    def rows(self) -> int:
        return int(self._flat.ntotal)

    @property
    def model(self) -> str:
        return self.info.model

    @property
    def metric(self) -> str:
        return self.info.metric

    @classmethod
    def build(
        cls, codes: NDArray[np.floating], metric: str, model: str = "", *, on_progress: Progress = silent
    ) -> "CodeIndex":
        """An index of codes (n, d), any float type, read in blocks (they may be a memory map)."""
        if metric not in METRICS:
            raise ValueError(f"metric {metric!r} is none of {', '.join(METRICS)}")
        n, d = codes.shape
        flat = faiss.IndexFlatL2(d)
        for start, stop in blocks(n, CODE_BLOCK, on_progress):
            flat.add(_prepared(codes[start:stop], metric))
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(flat, IndexInfo(model, n, metric, "exact", f"code-{model[:12]}-{n}.faiss", made_at))

    def save(self, folder: Path) -> IndexInfo:
        """Write into `folder` (`IndexPaths.search`): a reader sees the old index or the new one, never half of one.

        The caller holds the folder for itself (`paths.exclusive`).

        Raises:
            IndexDirectoryError: the folder is full or read-only.
        """
        with replacing(folder / self.info.file) as temporary:
            _write_flat(self._flat, temporary)
        with replacing(folder / INFO_FILE) as temporary:
            temporary.write_text(json.dumps(asdict(self.info), indent=2) + "\n", encoding="utf-8")
        return self.info

    @classmethod
    def load(cls, folder: Path, *, gpu: int | None = None) -> "CodeIndex":
        """The index in `folder`; searched on that GPU where faiss sees it, else on the CPU.

        Raises:
            IndexMissingError: there is none, or it is damaged.
        """
        info = read_index_info(folder)
        try:
            flat = _read_flat(folder, info)
        except FileNotFoundError:
            # A build replaced the index between our two reads; its json names a file that is whole.
            info = read_index_info(folder)
            try:
                flat = _read_flat(folder, info)
            except FileNotFoundError as error:
                raise IndexMissingError(f"{folder / info.file} is missing.", hint=Hint.REINDEX) from error
        return cls(flat, info, gpu)

    @property
    def codes_in_memory(self) -> NDArray[np.float32]:
        """(n, d) all codes as they are indexed; writing to it changes the index."""
        return self._codes

    def codes(self, rows: Rows) -> NDArray[np.float32]:
        """(m, d) the codes of indexed rows, as they are indexed (normalised for cosine)."""
        return self._codes[rows]

    def search(
        self,
        queries: NDArray[np.floating],
        k: int,
        *,
        without: Rows | None = None,
        itself: Rows | None = None,
        on_progress: Progress = silent,
    ) -> list[Neighbours]:
        """The k nearest of each query code (nq, d); fewer where the index holds fewer.

        Args:
            without: rows that no answer may hold.
            itself: (nq,) the row that asks and is left out of its own answer, -1 for none.
            on_progress: told how many of how many queries are answered.
        """
        left_out = LeftOut.of(self.rows, len(queries), without, itself)
        answers: list[Neighbours] = []
        for start, stop in blocks(len(queries), QUERY_BLOCK, on_progress):
            block = _prepared(queries[start:stop], self.metric)
            rest = left_out.block(start, stop)
            proposed = self._propose(block, k, rest)
            answers += [self._settle(block, number, proposed, k, rest) for number in range(len(block))]
        return answers

    def _propose(self, queries: NDArray[np.float32], k: int, left_out: LeftOut) -> Candidates:
        if self.rows == 0:
            return np.empty((len(queries), 0), dtype=np.float32), np.empty((len(queries), 0), dtype=np.int64)
        if self._on_gpu is None or k + SPARE + 1 + left_out.n_flags > MOST_FETCHED:
            return propose(self._flat, queries, k, left_out)
        with self._gpu_lock:
            return propose(self._on_gpu, queries, k, left_out)

    def _settle(
        self, queries: NDArray[np.float32], number: int, proposed: Candidates, k: int, left_out: LeftOut
    ) -> Neighbours:
        """Score one query's candidates again and keep k, or compare with every row where they do not suffice."""
        query = queries[number]
        candidates = left_out.kept(proposed[1][number], number)
        rows, squared = nearest(candidates, self._squared(query, candidates), k)
        if len(candidates) < left_out.available(number):
            # Rounding of faiss's |x|^2 + |y|^2 - 2xy in float32, measured at 7e-7 of |x|^2 + |y|^2 and less.
            rounding = 3e-6 * (float(query @ query) + self._largest)
            if len(rows) < k or squared[-1] >= proposed[0][number][-1] - rounding:
                everything = left_out.kept(np.arange(self.rows), number)
                rows, squared = nearest(everything, self._squared(query, everything), k)
        distances = squared / 2 if self.metric == COSINE else np.sqrt(squared)
        return Neighbours(rows, distances.astype(np.float32, copy=False))

    def _squared(self, query: NDArray[np.float32], rows: Rows) -> NDArray[np.float32]:
        """(m,) squared distances from differences: equal codes give equal values, the same code exactly 0."""
        squared = np.empty(len(rows), dtype=np.float32)
        for start, stop in blocks(len(rows), CODE_BLOCK):
            difference = self._codes[rows[start:stop]] - query
            squared[start:stop] = np.einsum("ij,ij->i", difference, difference)
        return squared


def _prepared(codes: NDArray[np.floating], metric: str) -> NDArray[np.float32]:
    """(n, d) float32 as indexed: for cosine each code is divided by its length, unless that was done before."""
    plain = np.ascontiguousarray(codes, dtype=np.float32)
    if metric != COSINE:
        return plain
    lengths = np.sqrt(np.einsum("ij,ij->i", plain, plain))[:, None]
    longer_or_shorter = (lengths > 0) & (np.abs(lengths - 1) > 1e-6)
    normalised: NDArray[np.float32] = np.divide(plain, lengths, out=plain.copy(), where=longer_or_shorter)
    return normalised


def _write_flat(flat: Any, path: Path) -> None:
    try:
        faiss.write_index(flat, str(path))
    except RuntimeError as error:
        message = f"cannot write the index to {path.parent}: {_reason(error)}."
        raise IndexDirectoryError(message, hint=Hint.OTHER_INDEX) from error


def _read_flat(folder: Path, info: IndexInfo) -> Any:
    """The faiss file that `info` names, checked against it. Raises FileNotFoundError where it is gone."""
    path = folder / info.file
    size = path.stat().st_size
    try:
        if size < info.rows * 4:  # faiss believes the sizes in the file: a stump must not reach it
            raise RuntimeError(f"it has {size} bytes for {info.rows} rows")
        flat = faiss.read_index(str(path))
    except (RuntimeError, MemoryError) as error:
        path.stat()  # gone in the meantime?
        raise IndexMissingError(f"{path} is damaged: {_reason(error)}.", hint=Hint.REINDEX) from error
    if not isinstance(flat, faiss.IndexFlat) or flat.ntotal != info.rows:
        raise IndexMissingError(f"{path} is not the index that {INFO_FILE} describes.", hint=Hint.REINDEX)
    return flat


def _reason(error: Exception) -> str:
    """The last clause of faiss's message, which otherwise names functions and source lines of its own."""
    lines = str(error).strip().splitlines()
    return lines[-1].rsplit(": ", 1)[-1].rstrip(".") if lines else type(error).__name__
