"""Advice after a failure: what to type, for each `Hint` of the library."""

from imgsearch.errors import Hint

ADVICE = {
    Hint.ADD_IMAGES: "First: imgsearch add FOLDER, or imgsearch crawl URL",
    Hint.REINDEX: "Run: imgsearch reindex",
    Hint.REINDEX_FULL: "Run: imgsearch reindex --full",
    Hint.TRAIN: "Run: imgsearch train",
    Hint.TRAIN_FROM_SCRATCH: "Run: imgsearch train --from scratch",
    Hint.TRAIN_TEXT: "Run: imgsearch train --text",
    Hint.UNPOOL_WITHOUT_SWITCHES: "Use --unpool repeat, or take switches all the same with --force. "
    "What they do, shows: imgsearch lab unpool",
    Hint.OTHER_INDEX: "Free space, or name another index directory: --index DIR",
    Hint.OTHER_PORT: "Name another port: --port N",
}


def with_advice(error: Exception) -> str:
    """Return the message of `error`, followed by the command that resolves it where the error carries a hint."""
    message, hint = str(error), getattr(error, "hint", None)
    return f"{message} {ADVICE[hint]}" if hint is not None else message
