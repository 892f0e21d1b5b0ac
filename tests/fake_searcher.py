"""A searcher with hand-made pictures and neighbours: what the page needs, without a model or an index."""

import io
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imgsearch.errors import UnknownRowError


@dataclass
class FakeSearcher:
    """Code neighbours are the nearest rows by number; to pixels, two rows of three seem further away."""

    thumbnails: NDArray[np.uint8]  # (n, 32, 32, 3)
    pictures: list[bytes]
    alt: dict[int, str] = field(default_factory=dict)
    url: dict[int, str] = field(default_factory=dict)
    rows_not_indexed: int = 0
    stale: bool = False
    asked: list[tuple[Any, int]] = field(default_factory=list)  # (query, k) of every search

    @classmethod
    def drawn(cls, n: int, *, side: int = 160) -> "FakeSearcher":
        """`n` coloured discs."""
        generator = np.random.default_rng(7)
        thumbnails, pictures = [], []
        for _ in range(n):
            colours = [tuple(int(value) for value in generator.integers(30, 226, 3)) for _ in range(2)]
            image = Image.new("RGB", (side, side), colours[0])
            x, y, radius = (float(value) for value in generator.uniform(0.25, 0.6, 3) * side)
            ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colours[1])
            encoded = io.BytesIO()
            image.save(encoded, "JPEG")
            pictures.append(encoded.getvalue())
            thumbnails.append(np.asarray(image.resize((32, 32))))
        return cls(np.stack(thumbnails), pictures)

    @property
    def n_images(self) -> int:
        return len(self.pictures)

    @property
    def card(self) -> Any:
        return SimpleNamespace(network={"kind": "conv"}, digest="0123456789abcdef" * 4, code_size=256, metric="cosine")

    def is_stale(self) -> bool:
        return self.stale

    def random_row(self) -> int:
        return 5

    def entry(self, row: int) -> Any:
        if not 0 <= row < self.n_images:
            raise UnknownRowError(f"there is no row {row}")
        return SimpleNamespace(
            row=row,
            url=self.url.get(row, f"https://pictures.example/discs/{row}.jpg"),
            page_url="",
            alt=self.alt.get(row, f"disc {row} of many"),
            label="",
            width=160,
            height=160,
        )

    def picture(self, row: int) -> bytes:
        return self.pictures[row]

    def query_thumbnail(self, query: Any) -> NDArray[np.uint8]:
        thumbnail: NDArray[np.uint8] = self.thumbnails[query] if isinstance(query, int) else query
        return thumbnail

    def reconstruct(self, thumbnail: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return (thumbnail // 2 + 60).astype(np.uint8)

    def search(self, query: Any, *, k: int = 10, by: str = "both") -> Any:
        self.asked.append((query, k))
        own = query if isinstance(query, int) else None
        rows = np.arange(self.n_images)
        apart = np.abs(rows - (own or 0)) / self.n_images
        code = self._hits(apart, k, own)
        pixel = self._hits(apart * (1 + rows % 3), k, own)
        ranks = {"code": {hit.row: hit.rank for hit in code}, "pixel": {hit.row: hit.rank for hit in pixel}}
        code = [replace(hit, other_rank=ranks["pixel"].get(hit.row)) for hit in code]
        pixel = [replace(hit, other_rank=ranks["code"].get(hit.row)) for hit in pixel]
        overlap = sum(hit.other_rank is not None for hit in code)
        return SimpleNamespace(
            query="image" if own is None else f"row:{own}",
            k=k,
            model=self.card.digest,
            code=tuple(code),
            pixel=tuple(pixel),
            overlap=overlap,
            encode_seconds=0.0041,
            code_seconds=0.0003,
            pixel_seconds=0.0012,
        )

    def _hits(self, distances: NDArray[np.floating[Any]], k: int, own: int | None) -> list["FakeHit"]:
        rows = [int(row) for row in np.argsort(distances, kind="stable") if row != own][:k]
        entries = [self.entry(row) for row in rows]
        return [
            FakeHit(rank, entry.row, float(distances[entry.row]), entry.url, entry.page_url, entry.alt, entry.label)
            for rank, entry in enumerate(entries, start=1)
        ]


@dataclass(frozen=True)
class FakeHit:
    """As `retrieval.search.Hit`."""

    rank: int
    row: int
    distance: float
    url: str
    page_url: str
    alt: str
    label: str
    other_rank: int | None = None
