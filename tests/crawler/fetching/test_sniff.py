"""The first bytes decide about the kind of a body, before the Content-Type."""

import pytest

from crawler.fetching.sniff import Kind, sniff


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b"\xff\xd8\xff\xe0 jfif", "text/plain", Kind.IMAGE),
        (b"\x89PNG\r\n\x1a\n rest", "", Kind.IMAGE),
        (b"GIF89a rest", "text/html", Kind.IMAGE),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", Kind.IMAGE),
        (b"\0\0\0\x20ftypavif", "", Kind.IMAGE),
        (b"II*\0 tiff", "", Kind.IMAGE),
        (b"BM" + b"\x36\x10\0\0" + b"\0" * 30, "", Kind.IMAGE),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav", Kind.OTHER),
        (b"\n <!DOCTYPE html><html>", "image/jpeg", Kind.PAGE),
        (b"plain words", "text/html; charset=utf-8", Kind.PAGE),
        (b"<img src=a>", "", Kind.PAGE),
        (b"unknown", "image/x-new", Kind.IMAGE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "image/svg+xml", Kind.OTHER),
        (b"%PDF-1.7", "application/pdf", Kind.OTHER),
        (b"{}", "application/json", Kind.OTHER),
        (b"BM is also how a sentence may begin, some day", "text/plain", Kind.OTHER),
        (b"", "", Kind.OTHER),
    ],
)
def test_kinds(body: bytes, content_type: str, kind: Kind) -> None:
    assert sniff(body, content_type) is kind
