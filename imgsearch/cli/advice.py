"""Advice after a failure: what to type, for each `Hint` of the library and of the crawler."""

from enum import StrEnum

from crawler.errors import Hint as CrawlerHint
from crawler.reasons import Reason as CrawlerReason
from imgsearch.corpus.reasons import Reason, ReasonCode
from imgsearch.errors import Hint

ADVICE: dict[StrEnum, str] = {
    Hint.ADD_IMAGES: "Add images first: imgsearch add FOLDER, or imgsearch crawl URL",
    Hint.DESCRIBE_IMAGES: "Crawl pages, whose alt texts are kept, or add folders with --labels-from-folders.",
    Hint.LABEL_IMAGES: "Label images by their folders (imgsearch add PATH --labels-from-folders) or in a file "
    "(imgsearch finetune --labels labels.csv).",
    Hint.ADD_AND_REINDEX: "Add images (imgsearch add FOLDER), then run: imgsearch reindex",
    Hint.INDEX_LABELLED_IMAGES: "Label images by their folders (imgsearch add PATH --labels-from-folders), then run: "
    "imgsearch reindex",
    Hint.OTHER_QUERIES: "Search with labelled images that are not in the corpus: --queries PATH",
    Hint.REINDEX: "Run: imgsearch reindex",
    Hint.REINDEX_FULL: "Run: imgsearch reindex --full",
    Hint.TRAIN: "Run: imgsearch train",
    Hint.TRAIN_FROM_SCRATCH: "Run: imgsearch train --from scratch",
    Hint.TRAIN_TEXT: "Run: imgsearch train --text",
    Hint.UNPOOL_WITHOUT_SWITCHES: "Use --unpool repeat, or accept switches with --force. "
    "Their effect is shown by: imgsearch lab unpool",
    Hint.USE_CPU: "Compute on the CPU: --device cpu",
    Hint.FREE_SPACE: "Free space, or name another index directory: --index DIR",
    Hint.OTHER_INDEX: "Name another index directory: --index DIR",
    Hint.OTHER_PORT: "Name another port: --port N",
    Hint.LAB_DATA: "Name a file or folder with the data: --data PATH",
    Hint.DEMO_GALLERY: "Without internet, use the drawn gallery: imgsearch demo",
    Hint.RESTORE_ROW: "Restore it: imgsearch remove --undo row:N",
    CrawlerHint.ALLOW_PRIVATE: "Use --allow-private for addresses of this machine and its network.",
    CrawlerHint.FOLLOW_HOSTS: "Use --follow-hosts to take images and pages of other hosts.",
    CrawlerHint.INSTALL_PARQUET: "Install it with: pip install 'imgsearch[parquet]'",
}
# What can be done about an image that was not kept; {} stands for the value of its reason.
REASON_ADVICE = {ReasonCode.REMOVED_EARLIER.value: "imgsearch remove --undo row:{} brings it back"}


def with_advice(error: Exception) -> str:
    """Return the message of `error`, followed by the command that resolves it where the error carries a hint."""
    message, hint = str(error), getattr(error, "hint", None)
    return f"{message} {ADVICE[hint]}" if hint is not None else message


def reason_with_advice(reason: Reason | CrawlerReason) -> str:
    """Return the sentence of `reason`, followed by the command that changes it where there is one."""
    advice = REASON_ADVICE.get(reason.code.value)
    return f"{reason}; {advice.format(reason.detail)}" if advice is not None else str(reason)
