"""Every failure that a user can mend, as one tree. Knows nothing of the rest of the package.

ImgSearchError
├── ImageError          bytes that are not an image we take: the reason is the message
├── DecoderError        the process that decodes images cannot be started
├── IndexDirectoryError the index directory cannot be read or written (read-only, full, in use)
├── CorpusError         the corpus is missing, empty or damaged
│   └── UnknownRowError a row or URL that the corpus does not hold
├── IngestError         a folder, zip or file given to `add` that cannot be read
├── ModelError          no model, a damaged one, or training that cannot start
├── DeviceError         a device that was asked for and is not there
├── IndexMissingError   nothing is indexed yet
├── IndexMismatchError  the index was made by another model
├── QueryError         a search that cannot be made as asked (how many hits, by what)
├── LabError            an experiment that is not known, or has no data to run on
├── EvaluationError     labels that do not allow a measurement
├── FetchError          pages, images or a query of which nothing could be fetched
├── AppError            the page cannot start (port in use)
└── DemoError           the demo cannot start (port in use, no data)

The message says what was wrong and is printed as it stands; it names no command and no option, since a library user
or a visitor of the page may read it. What to do about it is a `Hint`, which the command line and the page turn into
advice of their own. Outside errors are mapped where they arise, with `raise ... from`.
"""

from enum import StrEnum


class Hint(StrEnum):
    """What would mend a failure; the command line and the page say how it is done there."""

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
    """Base of every failure that a user can mend.

    Args:
        message: what was wrong, as one or more sentences.
        hint: what would mend it, where one thing would.
    """

    def __init__(self, message: str, *, hint: Hint | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ImageError(ImgSearchError):
    """Bytes that are not an image we take."""


class DecoderError(ImgSearchError):
    """The process that decodes images cannot be started."""


class IndexDirectoryError(ImgSearchError):
    """The index directory cannot be read or written."""


class CorpusError(ImgSearchError):
    """The corpus is missing, empty or damaged."""


class UnknownRowError(CorpusError):
    """A row or URL that the corpus does not hold."""


class IngestError(ImgSearchError):
    """A folder, zip or file that cannot be read."""


class ModelError(ImgSearchError):
    """No model, a damaged one, or training that cannot start."""


class DeviceError(ImgSearchError):
    """A device that was asked for and is not there."""


class IndexMissingError(ImgSearchError):
    """Nothing is indexed yet."""


class IndexMismatchError(ImgSearchError):
    """The index was made by another model."""


class QueryError(ImgSearchError):
    """A search that cannot be made as asked."""


class LabError(ImgSearchError):
    """An experiment that is not known, or has no data to run on."""


class EvaluationError(ImgSearchError):
    """Labels that do not allow a measurement."""


class FetchError(ImgSearchError):
    """Pages, images or a query of which nothing could be fetched."""


class AppError(ImgSearchError):
    """The page cannot start."""


class DemoError(ImgSearchError):
    """The demo cannot start."""
