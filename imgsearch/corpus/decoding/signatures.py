"""What bytes look like by their beginning, said for people. Decodes nothing and knows no reader of images."""

_SIGNATURES = {  # the first bytes of what people take for images, and of images that lost their rest
    b"\xff\xd8\xff": "a JPEG that cannot be read: its header is damaged or of a rare kind",
    b"\x89PNG\r\n": "a PNG that cannot be read: its header is damaged or of a rare kind",
    b"GIF8": "a GIF that cannot be read: its header is damaged or of a rare kind",
    b"BM": "a BMP that cannot be read: its header is damaged or of a rare kind",
    b"II*\0": "a TIFF that cannot be read: its header is damaged or of a rare kind",
    b"MM\0*": "a TIFF that cannot be read: its header is damaged or of a rare kind",
    b"RIFF": "not an image: neither WebP nor another format that is taken, or a damaged WebP",
    b"%PDF": "not an image: it looks like a PDF document",
    b"%!PS": "not an image: it looks like a PostScript drawing",
    b"8BPS": "not an image that is taken: it looks like a Photoshop file; save it as PNG or JPEG",
    b"PK\3\4": "not an image: it looks like a zip archive",
    b"\0\0\1\0": "not an image that is taken: it looks like an icon (ICO)",
    b"\0\0\0\x0cjP": "not an image that is taken: it looks like JPEG 2000; save it as PNG or JPEG",
}


def reason_to_refuse(data: bytes) -> str:
    """Why these bytes are refused, when no reader of ours recognises them."""
    for signature, reason in _SIGNATURES.items():
        if data.startswith(signature):
            return reason
    if data[4:8] == b"ftyp":
        brand = data[8:12].decode("ascii", "replace")
        kind = {"avif": "a damaged AVIF", "heic": "HEIC; save it as JPEG", "mif1": "HEIF; save it as JPEG"}
        return f"not an image that is taken: it looks like {kind.get(brand, 'a video')}"
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "not an image that is taken: it looks like an SVG drawing"
    if start.startswith((b"<!doctype html", b"<html")) or (start.startswith(b"<") and b"<html" in start):
        return "not an image: it looks like a web page (HTML)"
    if b"\0" not in start and "".join(start.decode("utf-8", "ignore").split()).isprintable():
        return "not an image: it looks like text"
    return "not an image: no format that is taken begins like this"
