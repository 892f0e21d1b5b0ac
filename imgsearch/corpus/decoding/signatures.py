"""Recognise by their first bytes what refused bytes look like. Decodes nothing."""

from imgsearch.corpus.reasons import Reason, ReasonCode

_SIGNATURES = {  # of files mistaken for images, and of damaged images
    b"\xff\xd8\xff": Reason(ReasonCode.UNREADABLE_HEADER, "a JPEG"),
    b"\x89PNG\r\n": Reason(ReasonCode.UNREADABLE_HEADER, "a PNG"),
    b"GIF8": Reason(ReasonCode.UNREADABLE_HEADER, "a GIF"),
    b"BM": Reason(ReasonCode.UNREADABLE_HEADER, "a BMP"),
    b"II*\0": Reason(ReasonCode.UNREADABLE_HEADER, "a TIFF"),
    b"MM\0*": Reason(ReasonCode.UNREADABLE_HEADER, "a TIFF"),
    b"RIFF": Reason(ReasonCode.NOT_AN_IMAGE, "neither WebP nor another format that is taken, or a damaged WebP"),
    b"%PDF": Reason(ReasonCode.NOT_AN_IMAGE, "it looks like a PDF document"),
    b"%!PS": Reason(ReasonCode.NOT_AN_IMAGE, "it looks like a PostScript drawing"),
    b"8BPS": Reason(ReasonCode.UNSUPPORTED_FORMAT, "it looks like a Photoshop file; save it as PNG or JPEG"),
    b"PK\3\4": Reason(ReasonCode.NOT_AN_IMAGE, "it looks like a zip archive"),
    b"\0\0\1\0": Reason(ReasonCode.UNSUPPORTED_FORMAT, "it looks like an icon (ICO)"),
    b"\0\0\0\x0cjP": Reason(ReasonCode.UNSUPPORTED_FORMAT, "it looks like JPEG 2000; save it as PNG or JPEG"),
}


def reason_to_refuse(data: bytes) -> Reason:
    """Return why bytes are refused that no decoder recognises."""
    for signature, reason in _SIGNATURES.items():
        if data.startswith(signature):
            return reason
    if data[4:8] == b"ftyp":
        brand = data[8:12].decode("ascii", "replace")
        kind = {"avif": "a damaged AVIF", "heic": "HEIC; save it as JPEG", "mif1": "HEIF; save it as JPEG"}
        return Reason(ReasonCode.UNSUPPORTED_FORMAT, f"it looks like {kind.get(brand, 'a video')}")
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return Reason(ReasonCode.UNSUPPORTED_FORMAT, "it looks like an SVG drawing")
    if start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<") and b"<html" in start):
        return Reason(ReasonCode.NOT_AN_IMAGE, "it looks like a web page (HTML)")
    if b"\0" not in start and "".join(start.decode("utf-8", "ignore").split()).isprintable():
        return Reason(ReasonCode.NOT_AN_IMAGE, "it looks like text")
    return Reason(ReasonCode.NOT_AN_IMAGE, "no format that is taken begins like this")
