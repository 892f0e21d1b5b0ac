"""Case 40: uploads of visitors."""

import re
import tomllib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgsearch.corpus.decoding.images import DEFAULT_LIMITS
from imgsearch.corpus.decoding.pool import decoders
from imgsearch.corpus.ingest import FoundImage, Intake, Verdict
from imgsearch.corpus.store import Corpus
from imgsearch.errors import ImageError
from imgsearch.web import cards, query, server
from tests.support.strange_images import (
    SCRIPT,
    bombs,
    damaged,
    drawings,
    encoded,
    photograph,
    polyglots,
    samples,
)

SAMPLES = samples()


class StrangersFile:
    """A file as Streamlit's uploader returns it."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.file_id, self._data = name, name, data

    def getvalue(self) -> bytes:
        return self._data


NAMES = ("../../x", "/etc/passwd", "<script>alert(1)</script>", "a\0b.png", "\u202egnp.exe", "n" * 5_000, "'\";--.jpg")
PLACE = b"SECRET-PLACE"


def strangers_files() -> list[StrangersFile]:
    """A hundred files: bombs, polyglots, drawings, damage, sound ones with a secret, and 50 MB of nothing."""
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.5), 27: PLACE})  # GPS: where it was taken
    secret = encoded(photograph(), "JPEG", exif=exif, comment=PLACE)
    rng = np.random.default_rng(40)
    contents = [*bombs().values(), *polyglots().values(), *drawings().values(), bytes(50_000_000), b"", secret]
    contents += [damaged(sample, rng) for sample in SAMPLES.values() for _ in range(4)]
    contents += [secret + bytes([number]) for number in range(100 - len(contents))]
    assert len(contents) == 100
    return [StrangersFile(f"{n} {NAMES[n % len(NAMES)]}", data) for n, data in enumerate(contents)]


def test_case_40_a_hundred_uploads_of_strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = query.Visit()
    monkeypatch.setattr(query, "this_visit", lambda: visit)
    monkeypatch.setattr(query, "set_query", lambda _: None)
    (tmp_path / "below" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "below" / "here")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    decoders().close()  # so that new workers start with these folders
    taken: dict[str, query.ImageQuery | query.Refusal] = {}
    files = strangers_files()
    for start in range(0, 100, query.MOST_UPLOADS):
        query.take_uploads(files[start : start + query.MOST_UPLOADS])  # type: ignore[arg-type] # as much as is used
        taken |= visit.uploads
    assert [path.name for path in tmp_path.rglob("*")] == ["below", "here"]
    assert len(taken) == 100
    images = {name: upload for name, upload in taken.items() if isinstance(upload, query.ImageQuery)}
    refusals = {name: upload for name, upload in taken.items() if isinstance(upload, query.Refusal)}
    assert len(images) > 20
    assert len(refusals) > 30
    for image in images.values():
        assert PLACE not in image.picture + image.thumbnail.tobytes()
        assert SCRIPT not in image.picture
        assert not Image.open(BytesIO(image.picture)).getexif()
        assert_harmless(cards.small(image.picture, image.name, chosen=False) + cards.query_label(image.name, "x"))
    for refused in refusals.values():
        assert refused.reason
        assert_harmless(cards.notice(refused.reason, name=refused.name, refused=True))


def assert_harmless(html: str) -> None:
    assert "<script" not in html
    assert not re.search(r"[\x00-\x08\u202a-\u202e]", html)
    assert len(re.sub(r"base64,[^\"]*", "", html)) < 3_000


def test_case_40_a_reason_quotes_nothing_that_a_page_would_run() -> None:
    for data in (b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n<script>", b"II*\0<script>alert(1)</script>"):
        with pytest.raises(ImageError) as refused:
            query.image_query(data, "name")
        assert_harmless(cards.notice(str(refused.value), refused=True))


def test_case_40_uploads_are_opened_by_workers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened in this process"))
    upload = query.image_query(SAMPLES["WebP"], "x.webp")
    assert (upload.width, upload.height, upload.format) == (120, 90, "WEBP")


def test_case_40_the_server_takes_no_larger_upload_than_an_image_may_be() -> None:
    settings = tomllib.loads(server.SETTINGS.read_text(encoding="utf-8"))
    assert settings["server"]["maxUploadSize"] * 1_000_000 <= DEFAULT_LIMITS.max_bytes
    assert f"--server.maxUploadSize={settings['server']['maxUploadSize']}" in server.streamlit_command("127.0.0.1", 1)


def test_case_40_the_same_workers_serve_what_is_added(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened in this process"))
    images = [next(iter(bombs().values())), SAMPLES["GIF"], SAMPLES["AVIF"][:100]]
    outcomes = Intake(corpus).keep([FoundImage(f"file:///{n}", data) for n, data in enumerate(images)])
    assert [outcome.verdict for outcome in outcomes] == [Verdict.SKIPPED, Verdict.KEPT, Verdict.SKIPPED]
