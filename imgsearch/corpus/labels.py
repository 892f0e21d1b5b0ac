"""Labels as numbers, from the corpus or from a CSV file.

The file has a header with the columns `label` and `row` or `url`; others are ignored. Images that are not in the corpus
are counted and listed, since a file is often older or newer than the corpus; contradictory labels are refused.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.store import Corpus
from imgsearch.errors import CorpusError, Hint

SHOWN = 3  # unknown images that a note lists


@dataclass(frozen=True)
class Labels:
    """The label of each row, as a number."""

    names: list[str]  # the distinct labels, sorted
    numbers: NDArray[np.int64]  # (n,) index into `names`; -1: no label, or a removed image
    notes: list[str] = field(default_factory=list)  # sentences about what was ignored

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows with a label, ascending."""
        return np.flatnonzero(self.numbers >= 0)

    def texts(self) -> list[str]:
        """Return one label per row, "" where there is none."""
        return ["" if number < 0 else self.names[number] for number in self.numbers.tolist()]

    def without(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers (n,) with -1 for these rows."""
        numbers = self.numbers.copy()
        numbers[rows] = -1
        return numbers

    def held_out(self, share: float, seed: int) -> NDArray[np.int64]:
        """Return a random share of the rows of each label, ascending; none of a label with one image."""
        rng, drawn = np.random.default_rng(seed), []
        for number in range(len(self.names)):
            members = rng.permutation(np.flatnonzero(self.numbers == number))
            drawn.append(members[: min(max(1, round(share * len(members))), len(members) - 1)])
        return np.sort(np.concatenate(drawn))


def own_labels(corpus: Corpus) -> Labels:
    """Return the labels stored in the corpus, usually from folders.

    Raises:
        CorpusError: of fewer than two kinds; the message says how to label.
    """
    texts, live = corpus.labels(), set(corpus.live_rows().tolist())
    return _numbered({row: text for row, text in enumerate(texts) if text and row in live}, len(texts), [])


def read_labels(path: Path, corpus: Corpus) -> Labels:
    """Return the labels of a CSV file.

    Raises:
        CorpusError: it cannot be read, lacks a column, gives one image two labels, or has fewer than two kinds.
    """
    live = set(corpus.live_rows().tolist())
    found: dict[int, str] = {}
    strangers, blank = [], 0
    for line, name, label, rows in _lines(path, corpus):
        known = [row for row in rows if row in live]
        if not label:
            blank += 1
        elif not known:
            strangers.append(name)
        for row in known if label else []:
            if found.setdefault(row, label) != label:
                raise CorpusError(
                    f"{path}, line {line}: {name} is {label!r} here and {found[row]!r} before. An image has one label."
                )
    notes = []
    if strangers:
        shown = ", ".join(strangers[:SHOWN]) + (", …" if len(strangers) > SHOWN else "")
        notes.append(f"{len(strangers):,} of {path.name} are not in the corpus and were passed over: {shown}")
    if blank:
        notes.append(f"{blank:,} lines of {path.name} have no label and were passed over.")
    return _numbered(found, len(corpus), notes)


def _lines(path: Path, corpus: Corpus) -> Iterator[tuple[int, str, str, list[int]]]:
    """Yield the number of each line, its row or URL, its label, and the rows meant."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, strict=True)
            columns = {(column or "").strip().lower(): column for column in lines.fieldnames or []}
            key = next((name for name in ("row", "url") if name in columns), None)
            if key is None or "label" not in columns:
                raise CorpusError(
                    f"{path} needs a first line with the columns row,label or url,label; it has "
                    f"{', '.join(columns) or 'none'}."
                )
            rows_of = _rows_of_number if key == "row" else corpus.rows_of_url
            for values in lines:
                name, label = ((values.get(columns[column]) or "").strip() for column in (key, "label"))
                if name or label:
                    yield lines.line_num, name, label, rows_of(name)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read as a CSV file: {error}") from error


def _rows_of_number(text: str) -> list[int]:
    return [int(text)] if text.isascii() and text.isdecimal() and len(text) < 16 else []


def _numbered(found: dict[int, str], n: int, notes: list[str]) -> Labels:
    names = sorted(set(found.values()))
    numbers = np.full(n, -1, dtype=np.int64)
    places = {name: place for place, name in enumerate(names)}
    for row, label in found.items():
        numbers[row] = places[label]
    kept = [name for name, count in Counter(found.values()).items() if count > 1]
    if len(kept) < 2:
        have = f"only {kept[0]!r} has" if kept else "none has"
        also = " ".join(["", *notes])
        raise CorpusError(f"at least two labels need two images each, and {have}.{also}", hint=Hint.LABEL_IMAGES)
    return Labels(names, numbers, notes)
