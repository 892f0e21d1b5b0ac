"""Advice on the page after a failure: for each `Hint` of the library a sentence, and the commands that follow it."""

from dataclasses import dataclass

from imgsearch.errors import Hint


@dataclass(frozen=True)
class Advice:
    """A sentence for visitors, and commands for the person who runs the page."""

    sentence: str
    commands: tuple[str, ...] = ()  # without "imgsearch" and the index directory


ADVICE = {
    Hint.ADD_IMAGES: Advice("Images are added and indexed by these commands:", ("add FOLDER", "reindex")),
    Hint.DESCRIBE_IMAGES: Advice(
        "Search by words needs texts: a crawl keeps alt texts, and folders can label their images:",
        ("crawl URL", "add FOLDER --labels-from-folders"),
    ),
    Hint.LABEL_IMAGES: Advice(
        "Images are labelled by the folders that they are added from:", ("add FOLDER --labels-from-folders", "reindex")
    ),
    Hint.ADD_AND_REINDEX: Advice("Images are added and indexed by these commands:", ("add FOLDER", "reindex")),
    Hint.INDEX_LABELLED_IMAGES: Advice(
        "Images are labelled by the folders that they are added from:", ("add FOLDER --labels-from-folders", "reindex")
    ),
    Hint.OTHER_QUERIES: Advice(
        "Labelled images that are not in the corpus can be searched with:", ("evaluate --queries FOLDER",)
    ),
    Hint.REINDEX: Advice("The index is brought up to date by this command:", ("reindex",)),
    Hint.REINDEX_FULL: Advice("The index is built again by this command:", ("reindex --full",)),
    Hint.TRAIN: Advice("A model is trained and used by these commands:", ("train", "reindex")),
    Hint.TRAIN_FROM_SCRATCH: Advice("A new model is trained by these commands:", ("train --from scratch", "reindex")),
    Hint.TRAIN_TEXT: Advice("Search by words needs a model of its own:", ("train --text", "reindex")),
    Hint.UNPOOL_WITHOUT_SWITCHES: Advice("Another way of unpooling is needed:", ("train --unpool repeat",)),
    Hint.USE_CPU: Advice("It can be computed on the CPU instead, when the command is started again."),
    Hint.FREE_SPACE: Advice("The disk of the index directory is full: free space on it."),
    Hint.OTHER_INDEX: Advice("Start the page again over another index directory."),
    Hint.OTHER_PORT: Advice("Start the page again on another port."),
    Hint.RESTORE_ROW: Advice("A removed image is restored by this command:", ("remove --undo row:N",)),
    Hint.LAB_DATA: Advice("The experiment needs a data set, which is given to the command line."),
    Hint.DEMO_GALLERY: Advice("The demo draws a gallery of its own where there is no internet:", ("demo",)),
}


def advice(error: Exception) -> Advice | None:
    """Return the advice for the hint of `error`, None where it carries none."""
    hint = getattr(error, "hint", None)
    return ADVICE[hint] if isinstance(hint, Hint) else None
