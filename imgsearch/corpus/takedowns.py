"""Takedowns stored in the corpus: what must not be fetched again, and the rows that each takedown removed.

The caller passes a function for the addresses that a takedown covers: the corpus must not import the crawler.
"""

from collections.abc import Callable, Iterable

from imgsearch.corpus.store import Corpus

Covers = Callable[[str], bool]  # whether an address is covered


def remembered_takedowns(corpus: Corpus) -> list[tuple[str, str]]:
    """Return (kind, value) of every takedown that holds, oldest first."""
    return [(kind, value) for kind, value in corpus.database.select("SELECT kind, value FROM takedown ORDER BY number")]


def covered_rows(corpus: Corpus, covers: Covers, contains: str) -> list[int]:
    """Return the rows that a takedown covers and that are not removed yet.

    A row is covered if one of its image addresses is covered, or if all pages that show it are.

    Args:
        corpus: the corpus.
        covers: whether the takedown covers an address.
        contains: a text that is part of every covered address, in any case; narrows the search.
    """
    rows = corpus.database.select(
        "SELECT DISTINCT row FROM source JOIN image USING (row)"
        " WHERE removed = 0 AND (instr(lower(url), lower(?)) OR instr(lower(page_url), lower(?))) ORDER BY row",
        [contains, contains],
    )
    return [row for (row,) in rows if _is_covered(corpus, row, covers)]


def _is_covered(corpus: Corpus, row: int, covers: Covers) -> bool:
    sources = corpus.sources(row)
    return any(covers(source.url) for source in sources) or all(covers(source.page_url) for source in sources)


def take_down(corpus: Corpus, kind: str, value: str, rows: Iterable[int]) -> int:
    """Store a takedown and remove `rows` for it, in one transaction; return how many were not removed before."""
    wanted = [row for row in dict.fromkeys(rows) if not corpus.entry(row).removed]
    with corpus.database.transaction() as connection:
        connection.execute("INSERT OR IGNORE INTO takedown (kind, value) VALUES (?, ?)", (kind, value))
        connection.executemany(
            "INSERT OR IGNORE INTO taken_down SELECT number, ? FROM takedown WHERE kind = ? AND value = ?",
            [(row, kind, value) for row in wanted],
        )
        connection.executemany("UPDATE image SET removed = 1 WHERE row = ?", [(row,) for row in wanted])
    return len(wanted)


def lift_takedown(corpus: Corpus, kind: str, value: str) -> int | None:
    """Undo a takedown and restore its rows, except erased ones; return their number, None if there was no takedown."""
    named = "(SELECT number FROM takedown WHERE kind = ? AND value = ?)"
    with corpus.database.transaction() as connection:
        if not connection.execute(f"SELECT 1 WHERE {named} IS NOT NULL", (kind, value)).fetchone():
            return None
        n_restored = connection.execute(
            "UPDATE image SET removed = 0 WHERE removed = 1 AND row IN"
            f" (SELECT row FROM taken_down WHERE takedown = {named})",
            (kind, value),
        ).rowcount
        connection.execute(f"DELETE FROM taken_down WHERE takedown = {named}", (kind, value))
        connection.execute("DELETE FROM takedown WHERE kind = ? AND value = ?", (kind, value))
    return int(n_restored)
