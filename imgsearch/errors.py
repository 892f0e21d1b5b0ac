"""All failures that a user can resolve, as one tree of exceptions. Imports nothing of the package.

ImgSearchError
├── ImageError          bytes that are not an acceptable image; the message is the reason
├── DecoderError        the process that decodes images cannot be started
├── IndexDirectoryError the index directory cannot be read or written (read-only, full, in use)
├── CorpusError         the corpus is missing, empty or damaged
│   └── UnknownRowError a row or URL that the corpus does not hold
├── IngestError         a folder, zip archive or file that cannot be read
├── ModelError          there is no model, it is damaged, or training cannot start
├── DeviceError         the requested device does not exist
├── IndexMissingError   nothing is indexed yet
├── IndexMismatchError  the index was made by another model or of another corpus
├── QueryError          the parameters of a search are invalid
├── LabError            an experiment does not exist or has no data to run on
├── EvaluationError     the labels do not allow a measurement
├── FetchError          no page, image or query could be fetched
├── AppError            the search page cannot start (port in use)
└── DemoError           the demo cannot start (other images, no data)

The message says what is wrong in full sentences and is shown unchanged. It names no command and no option, because a
Python caller or a visitor of the page may read it. What resolves the failure is a `Hint`, which the command line and
the page translate into advice. Errors of other libraries are mapped where they arise, with `raise ... from`.
"""

from enum import StrEnum


class Hint(StrEnum):
    """A remedy for a failure; `cli/advice.py` and `web/advice.py` hold a sentence for each."""

    ADD_IMAGES = "add_images"
    DESCRIBE_IMAGES = "describe_images"
    LABEL_IMAGES = "label_images"
    ADD_AND_REINDEX = "add_and_reindex"
    INDEX_LABELLED_IMAGES = "index_labelled_images"
    OTHER_QUERIES = "other_queries"
    REINDEX = "reindex"
    REINDEX_FULL = "reindex_full"
    TRAIN = "train"
    TRAIN_FROM_SCRATCH = "train_from_scratch"
    TRAIN_TEXT = "train_text"
    UNPOOL_WITHOUT_SWITCHES = "unpool_without_switches"
    USE_CPU = "use_cpu"
    FREE_SPACE = "free_space"
    OTHER_INDEX = "other_index"
    OTHER_PORT = "other_port"
    LAB_DATA = "lab_data"
    DEMO_GALLERY = "demo_gallery"
    RESTORE_ROW = "restore_row"


class ImgSearchError(Exception):
    """Base of every failure that a user can resolve.

    Args:
        message: what is wrong, in full sentences.
        hint: what resolves it, where that is known.
    """

    def __init__(self, message: str, *, hint: Hint | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ImageError(ImgSearchError):
    """Bytes that are not an acceptable image."""


class DecoderError(ImgSearchError):
    """The process that decodes images cannot be started."""


class IndexDirectoryError(ImgSearchError):
    """The index directory cannot be read or written."""


class CorpusError(ImgSearchError):
    """The corpus is missing, empty or damaged."""


class UnknownRowError(CorpusError):
    """A row or URL that the corpus does not hold."""


class IngestError(ImgSearchError):
    """A folder, zip archive or file that cannot be read."""


class ModelError(ImgSearchError):
    """There is no model, it is damaged, or training cannot start."""


class DeviceError(ImgSearchError):
    """The requested device does not exist."""


class IndexMissingError(ImgSearchError):
    """Nothing is indexed yet."""


class IndexMismatchError(ImgSearchError):
    """The index was made by another model or of another corpus."""


class QueryError(ImgSearchError):
    """The parameters of a search are invalid."""


class LabError(ImgSearchError):
    """An experiment does not exist or has no data to run on."""


class EvaluationError(ImgSearchError):
    """The labels do not allow a measurement."""


class FetchError(ImgSearchError):
    """No page, image or query could be fetched."""


class AppError(ImgSearchError):
    """The search page cannot start."""


class DemoError(ImgSearchError):
    """The demo cannot start."""
