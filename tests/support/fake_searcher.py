"""A fake searcher with drawn images and known neighbours, for tests of the page."""

import io
from dataclasses import dataclass, field
from itertools import chain, islice, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imgsearch.corpus.records import Entry
from imgsearch.errors import UnknownRowError
from imgsearch.retrieval.search.methods import BINARY, CODE, METHODS, PIXEL, SEARCH_BY
from imgsearch.retrieval.search.result import ENCODE, SearchResult, join_hits
from tests.support.entries import make_entry

GRADES = ("same", "close", "weak")  # of the first hits of each list


@dataclass
class FakeSearcher:
    """Code neighbours are the nearest row numbers; by pixels two rows of three are further away, by bits one of two.

    The first hit of each list is graded "same", the second "close" and the third "weak".
    """

    images: NDArray[np.uint8]  # (n, 32, 32, 3) thumbnails
    pictures: list[bytes]
    alt: dict[int, str] = field(default_factory=dict)
    url: dict[int, str] = field(default_factory=dict)
    rows_not_indexed: int = 0
    stale: bool = False
    no_good_match: bool = False
    asked: list[tuple[Any, int]] = field(default_factory=list)  # (query, k) of every search
    near_duplicate_of: dict[int, int] = field(default_factory=dict)
    model: str = "0123456789abcdef" * 4
    network_kind: str = "conv"
    code_size: int = 256
    metric: str = "cosine"
    asked_by: list[str] = field(default_factory=list)  # and by which methods
    decoded: list[NDArray[np.floating]] = field(default_factory=list)  # every code (d,) that was decoded

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
    def rows(self) -> int:
        return self.n_images

    def is_stale(self) -> bool:
        return self.stale

    def random_row(self) -> int:
        return 5

    def entry(self, row: int) -> Entry:
        if not 0 <= row < self.n_images:
            raise UnknownRowError(f"there is no row {row}")
        return make_entry(
            row,
            url=self.url.get(row, f"https://pictures.example/discs/{row}.jpg"),
            alt=self.alt.get(row, f"disc {row} of many"),
            near_duplicate_of=self.near_duplicate_of.get(row),
        )

    def picture(self, row: int) -> bytes:
        return self.pictures[row]

    def query_thumbnail(self, query: Any) -> NDArray[np.uint8]:
        if isinstance(query, int):
            query = self.images[self.entry(query).row]
        thumbnail: NDArray[np.uint8] = query
        return thumbnail

    def reconstruct(self, thumbnail: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return (thumbnail // 2 + 60).astype(np.uint8)

    def thumbnails(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.asarray(self.images[rows])

    def findable_rows(self) -> NDArray[np.int64]:
        return np.arange(self.n_images)

    def encode(self, thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 48) the means of 4x4 squares, 0..1."""
        squares = thumbnails.reshape(len(thumbnails), 4, 8, 4, 8, 3).mean(axis=(2, 4)) / 255
        return np.asarray(squares.reshape(len(thumbnails), -1), np.float32)

    def stored_codes(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.encode(self.images[rows])

    def decode(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        self.decoded.extend(np.asarray(codes))
        squares = np.clip(codes * 255, 0, 255).astype(np.uint8).reshape(len(codes), 4, 4, 3)
        return np.asarray(squares.repeat(8, axis=1).repeat(8, axis=2))

    def search(self, query: Any, *, k: int = 10, by: str = "both") -> SearchResult:
        self.asked.append((query, k))
        self.asked_by.append(by)
        own = self.entry(query).row if isinstance(query, int) else None
        rows = np.arange(self.n_images)
        apart = np.abs(rows - (own or 0)) / self.n_images
        distances = {
            CODE: apart,
            PIXEL: apart * (1 + rows % 3),
            BINARY: np.round(256 * apart * (1 + rows % 2)),
        }
        methods = tuple(METHODS[name] for name in SEARCH_BY[by])
        found = {method.name: self._nearest(distances[method.name], k, own) for method in methods}
        grades = {name: self._grades(len(near)) for name, near in found.items()}
        seconds = {ENCODE: 0.0041, CODE: 0.0003, PIXEL: 0.0012, BINARY: 0.0002}
        query_name = "image" if own is None else f"row:{own}"
        return SearchResult(query_name, k, self.model, methods, join_hits(methods, found, grades), seconds)

    def _nearest(self, distances: NDArray[np.floating[Any]], k: int, own: int | None) -> list[tuple[Entry, float]]:
        rows = [int(row) for row in np.argsort(distances, kind="stable") if row != own][:k]
        return [(self.entry(row), float(distances[row])) for row in rows]

    def _grades(self, n: int) -> list[str]:
        return list(islice(repeat("weak") if self.no_good_match else chain(GRADES, repeat("")), n))
