"""The text of each image of a corpus: its label and the alt texts of every place where it was found."""

from imgsearch.corpus.store import Corpus

_ALTS = "SELECT row, alt FROM source JOIN image USING (row) WHERE alt != '' AND NOT removed ORDER BY row, source.rowid"
_LABELS = "SELECT row, label FROM image WHERE label != '' AND NOT removed"


def row_texts(corpus: Corpus, *, with_labels: bool = True) -> list[str]:
    """Return one text per row, "" where the image has none or was removed.

    Each distinct text is one line.
    """
    lines: list[dict[str, None]] = [{} for _ in range(len(corpus))]
    for statement in (_ALTS, _LABELS) if with_labels else (_ALTS,):
        for row, text in corpus.database.select(statement):
            if row < len(lines):  # a writer may have added rows since they were counted
                lines[row].setdefault(text)
    return ["\n".join(texts) for texts in lines]
