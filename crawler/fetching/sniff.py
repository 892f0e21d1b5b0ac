"""Recognise a body by its first bytes: image, page, or neither; the Content-Type of servers is often wrong. Pure."""

from enum import StrEnum

_HEAD = 1024


class Kind(StrEnum):
    """The kind of a body."""

    IMAGE = "image"
    PAGE = "page"
    OTHER = "other"


_IMAGE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_ISO_IMAGE_BRANDS = (b"avif", b"avis", b"mif1", b"heic", b"heix")
_PAGE_MARKS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<a ", b"<img", b"<meta", b"<div", b"<p>")


def sniff(body: bytes, content_type: str = "") -> Kind:
    """Return the kind of `body` (or of its first kilobyte); the Content-Type decides only where the bytes do not.

    SVG is not an image here: it is a drawing program in text.
    """
    head = body[:_HEAD]
    if _starts_as_image(head):
        return Kind.IMAGE
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n\f").lower()
    stated = content_type.partition(";")[0].strip().lower()
    if text.startswith((b"<svg", b"%pdf", b"pk\x03\x04")) or stated == "image/svg+xml":
        return Kind.OTHER
    if any(mark in text for mark in _PAGE_MARKS) or stated in ("text/html", "application/xhtml+xml"):
        return Kind.PAGE
    return Kind.IMAGE if stated.startswith("image/") else Kind.OTHER


def _starts_as_image(head: bytes) -> bool:
    return (
        head.startswith(_IMAGE_STARTS)
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and head[8:12] in _ISO_IMAGE_BRANDS)
        or (head[:2] == b"BM" and len(head) > 26 and head[6:10] == b"\0\0\0\0")
    )
