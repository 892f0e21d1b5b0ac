"""Add image bytes, from a crawl or from files, to the corpus, with a verdict and a reason for each image."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgsearch.corpus.decoding.images import DEFAULT_LIMITS, DecodedImage, ImageLimits
from imgsearch.corpus.decoding.pool import decoders
from imgsearch.corpus.folders import folder_name, found_files
from imgsearch.corpus.near_duplicates import NearDuplicates, perceptual_hashes
from imgsearch.corpus.reasons import FileUnreadable, ImageRefused, Reason, ReasonCode, summary
from imgsearch.corpus.records import NOT_KNOWN, Provenance
from imgsearch.corpus.store import Corpus, Entry, NewImage, Source
from imgsearch.errors import IngestError
from imgsearch.progress import Progress, silent

BATCH_IMAGES, BATCH_BYTES = 512, 64_000_000  # held in memory at once and committed together
SHOWN_PROBLEMS = 20


class Verdict(StrEnum):
    """Verdict on an image."""

    KEPT = "kept"  # it is stored
    DUPLICATE = "duplicate"  # the same bytes were stored before
    SKIPPED = "skipped"  # refused: not an image, too large, removed earlier
    FAILED = "failed"  # could not be read


class Outcome(NamedTuple):
    """A verdict and its reason; `row` where the image is in the corpus."""

    verdict: Verdict
    reason: Reason | None = None
    row: int | None = None


@dataclass(frozen=True)
class FoundImage:
    """Encoded image bytes and where they were found."""

    url: str
    data: bytes
    page_url: str = ""
    alt: str = ""
    provenance: Provenance = NOT_KNOWN


class Intake:
    """Decodes images and appends those to a corpus that it does not hold yet."""

    def __init__(
        self,
        corpus: Corpus,
        *,
        with_previews: bool = True,
        labels_from_folders: bool = False,
        limits: ImageLimits = DEFAULT_LIMITS,
    ) -> None:
        self.limits = limits
        self._corpus = corpus
        self._with_previews = with_previews
        self._labels_from_folders = labels_from_folders
        self._near_duplicates: NearDuplicates | None = None  # read from the corpus with the first image
        self._appending = threading.Lock()  # near-duplicates refer to rows before these are stored

    def keep(self, images: Sequence[FoundImage], *, found_again: Verdict = Verdict.KEPT) -> list[Outcome]:
        """Add `images` in one commit and return one outcome each, in their order. Durable when it returns.

        `found_again` is the verdict for bytes that are stored from the same URL. A crawl fetches a URL once, so an
        earlier verdict was lost before it reached the frontier, and the image is KEPT; a folder that is added a second
        time gives a DUPLICATE.
        """
        digests = [sha256(image.data).hexdigest() for image in images]
        stored = self._corpus.find_digests(digests)
        fresh: dict[str, int] = {}  # digest → its first position in this batch
        for place, digest in enumerate(digests):
            if digest not in stored:
                fresh.setdefault(digest, place)
        decoded = dict(zip(fresh, self._decode([images[place] for place in fresh.values()]), strict=True))
        new = [
            self._new_image(digest, images[fresh[digest]], image)
            for digest, image in decoded.items()
            if isinstance(image, DecodedImage)
        ]
        rows = dict(zip((image.digest for image in new), self._append(new), strict=True))

        outcomes: list[Outcome] = []
        elsewhere: list[tuple[int, Source]] = []
        for place, (digest, image) in enumerate(zip(digests, images, strict=True)):
            refusal = decoded.get(digest)
            if isinstance(refusal, ImageRefused):
                outcomes.append(Outcome(Verdict.SKIPPED, refusal.reason))
            elif fresh.get(digest) == place:
                outcomes.append(Outcome(Verdict.KEPT, row=rows[digest]))
            else:
                entry = stored.get(digest) or self._corpus.entry(rows[digest])
                outcomes.append(self._known(image, entry, found_again))
                if not entry.removed and image.url != entry.url:
                    elsewhere.append((entry.row, Source(image.url, image.page_url, image.alt, image.provenance)))
        self._corpus.add_sources(elsewhere)
        return outcomes

    def _decode(self, images: Sequence[FoundImage]) -> list[DecodedImage | ImageRefused]:
        return decoders().images([image.data for image in images], self.limits, with_previews=self._with_previews)

    def _append(self, new: Sequence[NewImage]) -> list[int]:
        """Store new images, each marked if it is a near-duplicate of an earlier one."""
        if not new:
            return []
        with self._appending:
            if self._near_duplicates is None:
                self._near_duplicates = _stored_originals(self._corpus)
            thumbnails = np.stack([image.thumbnail for image in new])  # (n, 32, 32, 3)
            hashes = perceptual_hashes(thumbnails)  # (n,)
            try:
                originals = self._near_duplicates.add(
                    hashes, thumbnails, len(self._corpus), lambda rows: self._corpus.thumbnails()[rows]
                )
                return self._corpus.append(
                    [
                        replace(image, perceptual_hash=one, near_duplicate_of=original)
                        for image, one, original in zip(new, hashes.tolist(), originals, strict=True)
                    ]
                )
            except BaseException:  # no later image may refer to what was not stored
                self._near_duplicates = None
                raise

    def _new_image(self, digest: str, image: FoundImage, decoded: DecodedImage) -> NewImage:
        return NewImage(
            digest=digest,
            thumbnail=decoded.thumbnail,
            preview=decoded.preview,
            width=decoded.width,
            height=decoded.height,
            n_bytes=len(image.data),
            url=image.url,
            page_url=image.page_url,
            alt=image.alt,
            label=folder_name(image.url) if self._labels_from_folders else "",
            provenance=image.provenance,
        )

    def _known(self, image: FoundImage, entry: Entry, found_again: Verdict) -> Outcome:
        row = entry.row
        if entry.removed:
            code = ReasonCode.ERASED_EARLIER if entry.erased else ReasonCode.REMOVED_EARLIER
            return Outcome(Verdict.SKIPPED, Reason(code, str(row)), row)
        if image.url == entry.url or image.url in {source.url for source in self._corpus.sources(row)}:
            reason = None if found_again is Verdict.KEPT else Reason(ReasonCode.ALREADY_STORED, str(row))
            return Outcome(found_again, reason, row)
        return Outcome(Verdict.DUPLICATE, Reason(ReasonCode.SAME_BYTES, str(row)), row)


def _stored_originals(corpus: Corpus) -> NearDuplicates:
    """The stored originals to compare new images with; images stored without a hash get theirs first."""
    missing = corpus.rows_without_hash()
    for start in range(0, len(missing), BATCH_IMAGES):
        rows = missing[start : start + BATCH_IMAGES]
        corpus.add_hashes(rows, perceptual_hashes(corpus.thumbnails()[rows]))
    rows, hashes = corpus.perceptual_originals()
    return NearDuplicates(hashes, rows)


# ---------------------------------------------------------------------------------------------------------------------
# Folders and archives


class _NotRead(NamedTuple):
    """A file without bytes to decode."""

    url: str
    verdict: Verdict
    reason: Reason


@dataclass(frozen=True)
class AddReport:
    """Verdicts and reasons of one call of `add_paths`."""

    counts: dict[str, int]  # verdict → number of images, for every verdict
    reasons: dict[str, int]  # summary of a reason → number of images
    problems: list[tuple[str, Reason]]  # (URL, reason) of the first images that were skipped or failed
    recovered: str = ""  # a sentence, if an interrupted write was rolled back before


def add_paths(
    intake: Intake,
    paths: Sequence[Path],
    *,
    on_progress: Progress = silent,
    stop: Callable[[], bool] | None = None,
) -> AddReport:
    """Add every image in folders, zip archives and files, recognised by content, not by name.

    `stop` is polled between batches; images added before it returned True stay.

    Raises:
        IngestError: a path is missing or an archive damaged; nothing was added.
    """
    counts = Counter({verdict.value: 0 for verdict in Verdict})
    reasons: Counter[str] = Counter()
    problems: list[tuple[str, Reason]] = []
    for batch in _batches(paths, intake.limits, on_progress):
        read = [image for image in batch if isinstance(image, FoundImage)]
        kept = zip((image.url for image in read), intake.keep(read, found_again=Verdict.DUPLICATE), strict=True)
        not_read = ((one.url, Outcome(one.verdict, one.reason)) for one in batch if isinstance(one, _NotRead))
        for url, outcome in chain(kept, not_read):
            counts[outcome.verdict.value] += 1
            if outcome.reason:
                reasons[summary(outcome.reason)] += 1
                if outcome.verdict in (Verdict.SKIPPED, Verdict.FAILED) and len(problems) < SHOWN_PROBLEMS:
                    problems.append((url, outcome.reason))
        if stop and stop():
            break
    return AddReport(counts=dict(counts), reasons=dict(reasons), problems=problems)


@dataclass(frozen=True)
class LabelledImages:
    """Images with labels, as queries of an evaluation."""

    thumbnails: NDArray[np.uint8]  # (n, 32, 32, 3)
    labels: list[str]  # n, "" where an image is in no folder
    problems: list[tuple[str, Reason]]  # (URL, reason) of every file that is not an image


def read_labelled_images(path: Path, *, on_progress: Progress = silent) -> LabelledImages:
    """Read the images of a folder or zip archive; the label of each is the name of its folder.

    Raises:
        IngestError: the path is missing, its archive is damaged, or there is no image in it.
    """
    thumbnails: list[NDArray[np.uint8]] = []
    labels: list[str] = []
    problems: list[tuple[str, Reason]] = []
    for batch in _batches([path], DEFAULT_LIMITS, on_progress):
        read = [image for image in batch if isinstance(image, FoundImage)]
        problems += [(one.url, one.reason) for one in batch if isinstance(one, _NotRead)]
        decoded = decoders().images([image.data for image in read], with_previews=False)
        for image, result in zip(read, decoded, strict=True):
            if isinstance(result, ImageRefused):
                problems.append((image.url, result.reason))
            else:
                thumbnails.append(result.thumbnail)
                labels.append(folder_name(image.url))
    if not thumbnails:
        raise IngestError(f"there is no image in {path}.")
    return LabelledImages(np.stack(thumbnails), labels, problems)


def _batches(
    paths: Sequence[Path], limits: ImageLimits, on_progress: Progress
) -> Iterator[list[FoundImage | _NotRead]]:
    """Read files in batches that fit into memory; report progress when a batch has been consumed."""
    with found_files(paths) as (total, files):
        batch: list[FoundImage | _NotRead] = []
        n_bytes = done = 0
        for file in files:
            try:
                image = FoundImage(file.url, file.read(limits))
            except ImageRefused as refusal:
                batch.append(_NotRead(file.url, Verdict.SKIPPED, refusal.reason))
            except FileUnreadable as failure:
                batch.append(_NotRead(file.url, Verdict.FAILED, failure.reason))
            else:
                batch.append(image)
                n_bytes += len(image.data)
            if len(batch) == BATCH_IMAGES or n_bytes > BATCH_BYTES:
                yield batch
                done += len(batch)
                on_progress(done, total)
                batch, n_bytes = [], 0
        yield batch
        on_progress(total, total)
