"""Exact search among codes, and its index on disk.

Results are sorted by (distance, row). faiss proposes candidates, whose distances have float32 rounding; they are
computed again without it. Where rounding could hide a nearer row beyond the candidates (more equal distances than were
fetched), the query is compared with every row.
"""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from imgsearch.errors import Hint, IndexDirectoryError, IndexMissingError
from imgsearch.paths import replacing
from imgsearch.progress import Progress, silent
from imgsearch.records import write_record
from imgsearch.retrieval.index.candidates import MOST_FETCHED, QUERY_BLOCK, SPARE, Candidates, propose
from imgsearch.retrieval.index.exact import Exclusions, Neighbours, Rows, blocks, nearest
from imgsearch.retrieval.index.index_info import COSINE, INFO_FILE, METRICS, IndexInfo, read_index_info

CODE_BLOCK = 65_536  # codes handled at once outside faiss


class CodeIndex:
    """Exact search among codes, by cosine distance (1 - cosine) or Euclidean distance.

    Cosine is searched as the Euclidean distance of normalised codes: 1 - cos(a, b) = |a - b|^2 / 2, which is exactly 0
    for a code and itself. A code of all zeros has no direction; its distance from every other is 0.5.
    """

    def __init__(self, flat: Any, info: IndexInfo, gpu: int | None = None) -> None:
        """Wrap a faiss `IndexFlatL2` of prepared codes; `build` and `load` make one."""
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
        """Number of codes, those of removed rows included."""
        return int(self._flat.ntotal)

    @property
    def model(self) -> str:
        """Digest of the model that made the codes."""
        return self.info.model

    @property
    def metric(self) -> str:
        """Either "cosine" or "l2"."""
        return self.info.metric

    @classmethod
    def build(
        cls, codes: NDArray[np.floating], metric: str, model: str = "", *, on_progress: Progress = silent
    ) -> "CodeIndex":
        """Build an index of codes (n, d) of any float type, read in blocks (they may be a memory map)."""
        if metric not in METRICS:
            raise ValueError(f"metric {metric!r} is none of {', '.join(METRICS)}")
        n, d = codes.shape
        flat = faiss.IndexFlatL2(d)
        for start, stop in blocks(n, CODE_BLOCK, on_progress):
            flat.add(_prepared(codes[start:stop], metric))
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(flat, IndexInfo(model, n, metric, "exact", f"code-{model[:12]}-{n}.faiss", made_at))

    def save(self, folder: Path) -> IndexInfo:
        """Write into `folder` (`IndexPaths.search`); readers see the old index or the new one, never a part.

        The caller holds the lock of the folder (`paths.exclusive`).

        Raises:
            IndexDirectoryError: the folder is full or read-only.
        """
        with replacing(folder / self.info.file) as temporary:
            _write_flat(self._flat, temporary)
        write_record(folder / INFO_FILE, self.info)
        return self.info

    @classmethod
    def load(cls, folder: Path, *, gpu: int | None = None) -> "CodeIndex":
        """Read the index in `folder`; it is searched on GPU number `gpu` where faiss has one, else on the CPU.

        Raises:
            IndexMissingError: there is none, or it is damaged.
        """
        info = read_index_info(folder)
        try:
            flat = _read_flat(folder, info)
        except FileNotFoundError:
            # A build replaced the index between the two reads; the new description names a complete file.
            info = read_index_info(folder)
            try:
                flat = _read_flat(folder, info)
            except FileNotFoundError as error:
                raise IndexMissingError(f"{folder / info.file} is missing.", hint=Hint.REINDEX) from error
        return cls(flat, info, gpu)

    @property
    def codes_in_memory(self) -> NDArray[np.float32]:
        """(n, d) all codes as they are indexed, not a copy: writing to it changes the index."""
        return self._codes

    def codes(self, rows: Rows) -> NDArray[np.float32]:
        """(m, d) codes of indexed rows as they are indexed: of length 1 where the metric is cosine."""
        return self._codes[rows]

    def search(
        self,
        queries: NDArray[np.floating],
        k: int,
        *,
        exclude: Rows | None = None,
        self_rows: Rows | None = None,
        on_progress: Progress = silent,
    ) -> list[Neighbours]:
        """Return the k nearest of each query code (nq, d); fewer where the index holds fewer.

        Args:
            exclude: rows that no result may hold.
            self_rows: (nq,) the query's own row, which its result leaves out; -1 for none.
            on_progress: called with the number of queries that were searched.
        """
        exclusions = Exclusions.of(self.rows, len(queries), exclude, self_rows)
        answers: list[Neighbours] = []
        for start, stop in blocks(len(queries), QUERY_BLOCK, on_progress):
            block = _prepared(queries[start:stop], self.metric)
            rest = exclusions.block(start, stop)
            proposed = self._propose(block, k, rest)
            answers += [self._settle(block, number, proposed, k, rest) for number in range(len(block))]
        return answers

    def _propose(self, queries: NDArray[np.float32], k: int, exclusions: Exclusions) -> Candidates:
        if self.rows == 0:
            return np.empty((len(queries), 0), dtype=np.float32), np.empty((len(queries), 0), dtype=np.int64)
        if self._on_gpu is None or k + SPARE + 1 + exclusions.n_excluded > MOST_FETCHED:
            return propose(self._flat, queries, k, exclusions)
        with self._gpu_lock:
            return propose(self._on_gpu, queries, k, exclusions)

    def _settle(
        self, queries: NDArray[np.float32], number: int, proposed: Candidates, k: int, exclusions: Exclusions
    ) -> Neighbours:
        """Keep k of one query's candidates, or compare with every row where the candidates do not suffice."""
        query = queries[number]
        candidates = exclusions.kept(proposed[1][number], number)
        rows, squared = nearest(candidates, self._squared(query, candidates), k)
        if len(candidates) < exclusions.available(number):
            # Rounding of faiss's |x|^2 + |y|^2 - 2xy in float32, measured at 7e-7 of |x|^2 + |y|^2 and less.
            rounding = 3e-6 * (float(query @ query) + self._largest)
            if len(rows) < k or squared[-1] >= proposed[0][number][-1] - rounding:
                everything = exclusions.kept(np.arange(self.rows), number)
                rows, squared = nearest(everything, self._squared(query, everything), k)
        distances = squared / 2 if self.metric == COSINE else np.sqrt(squared)
        return Neighbours(rows, distances.astype(np.float32, copy=False))

    def _squared(self, query: NDArray[np.float32], rows: Rows) -> NDArray[np.float32]:
        """(m,) squared distances, from differences: equal codes get equal values, the same code exactly 0."""
        squared = np.empty(len(rows), dtype=np.float32)
        for start, stop in blocks(len(rows), CODE_BLOCK):
            difference = self._codes[rows[start:stop]] - query
            squared[start:stop] = np.einsum("ij,ij->i", difference, difference)
        return squared


def _prepared(codes: NDArray[np.floating], metric: str) -> NDArray[np.float32]:
    """(n, d) codes as indexed, float32; for cosine each is divided by its length, unless that is 1 already."""
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
        raise IndexDirectoryError(message, hint=Hint.FREE_SPACE) from error


def _read_flat(folder: Path, info: IndexInfo) -> Any:
    """Read the faiss file that `info` names and check it against `info`. Raises FileNotFoundError where it is gone."""
    path = folder / info.file
    size = path.stat().st_size
    try:
        if size < info.rows * 4:  # faiss trusts the sizes in the file and would read beyond the end of a truncated one
            raise RuntimeError(f"it has {size} bytes for {info.rows} rows")
        flat = faiss.read_index(str(path))
    except (RuntimeError, MemoryError) as error:
        path.stat()  # gone in the meantime?
        raise IndexMissingError(f"{path} is damaged: {_reason(error)}.", hint=Hint.REINDEX) from error
    if not isinstance(flat, faiss.IndexFlat) or flat.ntotal != info.rows:
        raise IndexMissingError(f"{path} is not the index that {INFO_FILE} describes.", hint=Hint.REINDEX)
    return flat


def _reason(error: Exception) -> str:
    """The last clause of faiss's message; the others name its functions and source lines."""
    lines = str(error).strip().splitlines()
    return lines[-1].rsplit(": ", 1)[-1].rstrip(".") if lines else type(error).__name__
