"""Advice after a failure: what to type, for each `Hint` of the library."""

from imgsearch.errors import Hint

ADVICE = {
    Hint.ADD_IMAGES: "First: imgsearch add FOLDER, or imgsearch crawl URL",
    Hint.DESCRIBE_IMAGES: "Crawl pages, whose alt texts are kept, or add folders with --labels-from-folders.",
    Hint.LABEL_IMAGES: "Label images by their folders (imgsearch add PATH --labels-from-folders) or in a file "
    "(imgsearch finetune --labels labels.csv).",
    Hint.REINDEX: "Run: imgsearch reindex",
    Hint.REINDEX_FULL: "Run: imgsearch reindex --full",
    Hint.TRAIN: "Run: imgsearch train",
    Hint.TRAIN_FROM_SCRATCH: "Run: imgsearch train --from scratch",
    Hint.TRAIN_TEXT: "Run: imgsearch train --text",
    Hint.UNPOOL_WITHOUT_SWITCHES: "Use --unpool repeat, or take switches all the same with --force. "
    "What they do, shows: imgsearch lab unpool",
    Hint.USE_CPU: "Compute on the CPU: --device cpu",
    Hint.FREE_SPACE: "Free space, or name another index directory: --index DIR",
    Hint.OTHER_INDEX: "Name another index directory: --index DIR",
    Hint.OTHER_PORT: "Name another port: --port N",
    Hint.LAB_DATA: "Name a file or folder with the data: --data PATH",
    Hint.DEMO_GALLERY: "Without internet, use the drawn gallery: imgsearch demo",
}


def with_advice(error: Exception) -> str:
    """Return the message of `error`, followed by the command that resolves it where the error carries a hint."""
    message, hint = str(error), getattr(error, "hint", None)
    return f"{message} {ADVICE[hint]}" if hint is not None else message
