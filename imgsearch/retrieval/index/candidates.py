"""What faiss proposes: the seam through which every index asks it.

Knows faiss's searches and their limits; must not know what the vectors mean. faiss proposes a few candidates more than
were asked for, with rounding and with -1 where it has none; the index that asked settles which of them are the answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from imgsearch.retrieval.index.exact import LeftOut, Rows

SPARE = 16  # candidates fetched beyond k, so that ties at the end are seen
MOST_FETCHED = 2048  # faiss's GPU search returns no more; beyond it rows are left out by a selector, on the CPU
QUERY_BLOCK = 1024  # queries answered between two reports of progress

Candidates = tuple[NDArray[Any], Rows]  # (nq, m) approximate distances as faiss has them, and rows, -1 for none


def propose(index: Any, queries: NDArray[Any], k: int, left_out: LeftOut) -> Candidates:
    """faiss's nearest, enough of them that k + SPARE are left when the rows left out are dropped."""
    fetched = k + SPARE + 1 + left_out.n_flags
    parameters = None
    if left_out.n_flags and fetched > MOST_FETCHED:
        fetched -= left_out.n_flags
        bits = np.packbits(~left_out.flags, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type] # the stubs lack the Python constructors
        parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg] # likewise
    with threads_for(len(queries)):
        distances, rows = index.search(queries, min(fetched, len(left_out.flags)), params=parameters)
    return distances, rows


@contextmanager
def threads_for(n_queries: int) -> Iterator[None]:
    """faiss gives each thread queries of its own: more threads than queries only wait for each other.

    On two busy cores one query took 4 ms so, and 40 ms with an idle second thread. The number is the calling thread's.
    """
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(max(1, min(n_queries, threads)))
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
