"""Entries of a corpus without a corpus."""

from imgsearch.corpus.records import NOT_KNOWN, Entry, Provenance


def make_entry(
    row: int,
    *,
    url: str = "",
    alt: str = "",
    label: str = "",
    provenance: Provenance = NOT_KNOWN,
    near_duplicate_of: int | None = None,
) -> Entry:
    """Return the entry of a 160x160 image that was found at `url`."""
    return Entry(
        row=row,
        digest=f"{row:064x}",
        url=url,
        page_url="",
        alt=alt,
        label=label,
        width=160,
        height=160,
        n_bytes=1000,
        preview_bytes=100,
        added_at=0.0,
        removed=False,
        provenance=provenance,
        near_duplicate_of=near_duplicate_of,
    )
