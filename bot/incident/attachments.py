"""What may be kept of a file that hung on a message: judged by its bytes, never by its name."""

import re

LARGEST = 10 * 1024 * 1024
"""Bytes of one file."""

LARGEST_IN_ALL = 100 * 1024 * 1024
"""Bytes of all files of one incident: they are exported inside one document."""

IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""The only types that an export shows as pictures. SVG is not among them: it can hold scripts."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)
"""How files of each type begin, after the types' own specifications."""

_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_PAGE = re.compile(r"\s*(?:<!doctype html|<html)", re.IGNORECASE)


def media_type(content: bytes, said: str) -> str:
    """The type of a file by its first bytes; empty where it is none that is kept.

    `said` is what its sender called it: it only chooses among the kinds of text, which are all shown the same.
    """
    for magic, found in _MAGIC:
        if content.startswith(magic):
            return found
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return _text_type(content, said)


def _text_type(content: bytes, said: str) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if _NOT_TEXT.search(text) or _PAGE.match(text):
        return ""
    return said if said in ("text/csv", "application/json") else "text/plain"


def too_large(size: int, held: int) -> str:
    """Why a file of so many bytes is not kept beside the incident's others; empty where it is."""
    if size > LARGEST:
        return f"it is larger than {LARGEST // 1024**2} MB"
    if held + size > LARGEST_IN_ALL:
        return f"the incident's files would be larger than {LARGEST_IN_ALL // 1024**2} MB together"
    return ""


def written_size(size: int) -> str:
    """`840 B`, `12 kB`, `3.4 MB`."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
