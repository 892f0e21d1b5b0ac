"""Which model an index directory uses: its own, or the one that comes with the package. Knows folders only."""

from pathlib import Path

from imgsearch.autoencoder.card import CARD_NAME
from imgsearch.paths import IndexPaths

SHIPPED = Path(__file__).with_name("shipped")  # trained on photographs of many kinds; its card says how


def current_model(paths: IndexPaths) -> Path:
    """The folder of the checkpoint that encodes, searches and is fine-tuned: `paths.model` once there is one."""
    return paths.model if (paths.model / CARD_NAME).exists() else SHIPPED
