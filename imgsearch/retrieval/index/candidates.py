"""Fetch candidate neighbours from faiss; shared by the three indexes.

A few more candidates than wanted are fetched. Their distances may be rounded, and a missing one is -1; the index
selects the neighbours from them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from imgsearch.retrieval.index.exact import Exclusions, Rows

SPARE = 16  # candidates fetched beyond k, so that ties at the end are noticed
MOST_FETCHED = 2048  # faiss's GPU search returns no more; beyond it rows are left out by a selector, on the CPU
QUERY_BLOCK = 1024  # queries searched between two reports of progress

Candidates = tuple[NDArray[Any], Rows]  # (nq, m) approximate distances as faiss has them, and rows, -1 for none


def propose(index: Any, queries: NDArray[Any], k: int, exclusions: Exclusions) -> Candidates:
    """Return faiss's nearest, enough that k + SPARE are left when excluded rows are dropped."""
    fetched = k + SPARE + 1 + exclusions.n_excluded
    parameters = None
    if exclusions.n_excluded and fetched > MOST_FETCHED:
        fetched -= exclusions.n_excluded
        bits = np.packbits(~exclusions.excluded, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type] # the stubs lack the Python constructors
        parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg] # likewise
    with threads_for(len(queries)):
        distances, rows = index.search(queries, min(fetched, len(exclusions.excluded)), params=parameters)
    return distances, rows


@contextmanager
def threads_for(n_queries: int) -> Iterator[None]:
    """Limit faiss to as many threads as there are queries, for the calling thread.

    faiss gives each thread queries of its own; further threads only wait. On two busy cores one query took 4 ms with
    one thread and 40 ms with an idle second one.
    """
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(max(1, min(n_queries, threads)))
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
