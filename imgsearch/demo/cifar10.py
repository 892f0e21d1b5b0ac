"""CIFAR-10 for the demo: downloaded by torchvision and stored as one zip archive of labelled images.

Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
"""

import zipfile
from pathlib import Path

import numpy as np

from imgsearch.corpus.decoding.images import encode_png
from imgsearch.errors import DemoError, Hint
from imgsearch.paths import replacing
from imgsearch.progress import Progress, silent


def cifar10_archive(folder: Path, *, on_progress: Progress = silent) -> Path:
    """Return `folder/cifar10.zip`, created if needed: the 50,000 training images as PNG in folders named by class.

    Raises:
        DemoError: the download failed, most likely because there is no internet.
    """
    archive = folder / "cifar10.zip"
    if archive.exists():
        return archive
    images, labels = _download(folder / "download")
    with replacing(archive) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as members:
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            members.writestr(f"{label}/{number:05d}.png", encode_png(image))
            if number % 500 == 0:
                on_progress(number, len(labels))
    return archive


def _download(folder: Path) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], list[str]]:
    """Return the images, (50000, 32, 32, 3) uint8, and the class name of each."""
    from torchvision.datasets import CIFAR10  # imports torch, which is slow

    try:
        dataset = CIFAR10(root=str(folder), train=True, download=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: every mirror or digest failed
        raise DemoError(f"CIFAR-10 could not be downloaded ({error}).", hint=Hint.DEMO_GALLERY) from error
    return np.asarray(dataset.data, dtype=np.uint8), [dataset.classes[target] for target in dataset.targets]
