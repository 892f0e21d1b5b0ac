"""What `imgsearch reindex` builds: the index of the codes on disk. Knows whose codes they are; faiss is elsewhere."""

from imgsearch.autoencoder.card import read_card
from imgsearch.autoencoder.codes import open_codes
from imgsearch.autoencoder.current import current_model
from imgsearch.errors import IndexMismatchError
from imgsearch.paths import IndexPaths
from imgsearch.retrieval.code_index import CodeIndex
from imgsearch.retrieval.exact import Progress
from imgsearch.retrieval.info import IndexInfo, mismatch


def build_index(paths: IndexPaths, *, on_progress: Progress | None = None) -> IndexInfo:
    """Index all codes and swap the index in; readers keep the old one until they open the new.

    Raises:
        ModelError: the model is damaged.
        IndexMissingError: there are no codes.
        IndexMismatchError: the codes were made by another model.
        IndexDirectoryError: another process builds it, or the disk is full or read-only.
    """
    card = read_card(current_model(paths))
    codes, made_by = open_codes(paths.codes)
    if made_by.model != card.digest:
        raise IndexMismatchError(mismatch("codes were", made_by.model, card.digest))
    return CodeIndex.build(codes, card.metric, card.digest, on_progress=on_progress).save(paths.search)
