"""Takedowns as the corpus remembers them: what must not be fetched again, and the rows that each removed.

Which addresses a takedown covers is told by whoever calls: the rules belong to the crawler, of which nothing is known
here.
"""

from collections.abc import Callable, Iterable

from imgsearch.corpus.store import Corpus

Covers = Callable[[str], bool]  # whether an address is covered


def remembered_takedowns(corpus: Corpus) -> list[tuple[str, str]]:
    """(kind, value) of every takedown that holds, the oldest first."""
    return [(kind, value) for kind, value in corpus.database.select("SELECT kind, value FROM takedown ORDER BY number")]


def covered_rows(corpus: Corpus, covers: Covers, contains: str) -> list[int]:
    """The rows that are not removed and that a takedown covers.

    A row goes where its image lies at a covered address, wherever else it was found; and where all pages that show it
    are covered.

    Args:
        covers: tells whether it covers an address.
        contains: a text that is part of every address that it covers, whatever the case; to look at few.
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
    """Remember a takedown and remove `rows` for it, in one transaction; how many were not removed before."""
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
    """Undo a takedown: what it removed comes back, but for what was erased; how many rows. None: there was none."""
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
