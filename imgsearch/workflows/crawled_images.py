"""Adapter between crawler and corpus: fetched images for the corpus, and its verdicts for the crawler."""

from collections.abc import Sequence
from typing import NamedTuple

from crawler.config import FetchedImage, Keep
from crawler.reasons import Reason, ReasonCode
from crawler.refresh import Replace
from imgsearch.corpus.ingest import FoundImage, Intake
from imgsearch.corpus.reasons import Reason as CorpusReason
from imgsearch.corpus.records import Provenance
from imgsearch.corpus.renewal import CHANGED, Renewal


class CrawlVerdict(NamedTuple):
    """A verdict of the corpus, as `crawler.config.KeepVerdict`."""

    verdict: str
    reason: Reason | None


def keep_in(intake: Intake) -> Keep:
    """Return the `keep` function of a crawl, which takes the images into the corpus."""

    def keep(images: Sequence[FetchedImage]) -> list[CrawlVerdict]:
        outcomes = intake.keep([corpus_image(image) for image in images])
        return [CrawlVerdict(outcome.verdict.value, crawl_reason(outcome.reason)) for outcome in outcomes]

    return keep


def replace_in(renewal: Renewal) -> Replace:
    """Return the `replace_images` function of a refresh, which puts each image in the place of the one before."""

    def replace(images: Sequence[FetchedImage]) -> list[CrawlVerdict]:
        verdicts = renewal.replace([corpus_image(image) for image in images])
        return [CrawlVerdict(verdict, _refresh_reason(verdict, reason)) for verdict, reason in verdicts]

    return replace


def corpus_image(image: FetchedImage) -> FoundImage:
    """Return a fetched image as the corpus takes it."""
    provenance = Provenance(
        fetched_at=image.fetched_at,
        content_type=image.content_type,
        etag=image.etag,
        last_modified=image.last_modified,
        robots=image.robots,
        licence=image.licence,
    )
    return FoundImage(image.url, image.data, image.page_url, image.alt, provenance)


def crawl_reason(reason: CorpusReason | None) -> Reason | None:
    """Return a reason of the corpus as the crawler stores it: the codes that a crawl meets have the same values."""
    return None if reason is None else Reason(ReasonCode(reason.code.value), reason.detail)


def _refresh_reason(verdict: str, reason: CorpusReason | None) -> Reason | None:
    translated = crawl_reason(reason)
    if translated is None or verdict == CHANGED:
        return translated
    return Reason.nested(ReasonCode.NEW_BYTES_REFUSED, translated)
