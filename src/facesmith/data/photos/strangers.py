"""What bytes are that are no photo."""

from __future__ import annotations

from facesmith.data.photos.crops import PhotoError

# First bytes of what is often found among photos.
STRANGERS = (
    (b"%PDF", "PDF document", "only photo formats are opened"),
    (b"%!PS", "PostScript", "only photo formats are opened"),
    (b"\xc5\xd0\xd3\xc6", "PostScript", "only photo formats are opened"),
    (b"PK\x03\x04", "archive", "a zip file inside the source; pass it by itself"),
    (b"\x1f\x8b", "archive", "a gzip file inside the source; pass it by itself"),
    (b"PAR1", "archive", "a parquet file inside the source; pass it by itself"),
    (b"\xff\xd8", "damaged", "a JPEG whose header is cut off or broken"),
    (b"\x89PNG", "damaged", "a PNG whose header is cut off or broken"),
    (b"GIF8", "damaged", "a GIF whose header is cut off or broken"),
    (b"RIFF", "damaged", "a WebP whose header is cut off or broken"),
)
PEEK_BYTES = 1024


def what_it_is(data: bytes) -> PhotoError:
    """Recognise what is often found among photos.

    Args:
        data: Bytes that no photo format reads.

    Returns:
        The reason why they are not used.
    """
    head = data[:PEEK_BYTES]
    text = head.decode("utf-8", errors="ignore").lstrip("\ufeff \t\r\n").lower()
    if text.startswith(("<!doctype html", "<html", "<head")) or "<html" in text:
        return PhotoError("web page", "HTML instead of a photo; a download quota page?")
    for magic, kind, detail in STRANGERS:
        if head.startswith(magic):
            return PhotoError(kind, detail)
    if head[257:262] == b"ustar":
        return PhotoError("archive", "a tar file inside the source; pass it by itself")
    if head[4:8] == b"ftyp":
        brand = head[8:12].decode("ascii", errors="replace")
        return PhotoError("unknown format", f"HEIC, AVIF or video ({brand}); save it as JPEG")
    if b"\0" not in head and sum(byte < 9 for byte in head) == 0 and _is_text(head):
        return PhotoError("text", f"begins with {text[:24]!r}")
    return PhotoError("unknown format", f"begins with bytes {head[:8].hex(' ')}")


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # a character cut in two by the end of the peek
    return True
