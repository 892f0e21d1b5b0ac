"""What is written of each image of a corpus: alt texts of every place where it was found, and its label.

Knows the tables of the corpus; must not know what is made of the words.
"""

from imgsearch.corpus.store import Corpus

_ALTS = "SELECT row, alt FROM source JOIN image USING (row) WHERE alt != '' AND NOT removed ORDER BY row, source.rowid"
_LABELS = "SELECT row, label FROM image WHERE label != '' AND NOT removed"


def row_texts(corpus: Corpus, *, with_labels: bool = True) -> list[str]:
    """One text per row, "" where nothing is written of the image or it was removed.

    A text that stands in several places counts once; each stands in a line of its own.
    """
    lines: list[dict[str, None]] = [{} for _ in range(len(corpus))]
    for statement in (_ALTS, _LABELS) if with_labels else (_ALTS,):
        for row, text in corpus.database.select(statement):
            if row < len(lines):  # a writer may have added rows since they were counted
                lines[row].setdefault(text)
    return ["\n".join(texts) for texts in lines]
