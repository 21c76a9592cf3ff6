"""What a file is, its bytes say."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.records import IMAGES, LARGEST, LARGEST_IN_ALL, describe_too_large, detect_media_type, format_size


@pytest.mark.parametrize(
    ("content", "claim", "found"),
    [
        (b"\x89PNG\r\n\x1a\n....", "text/plain", "image/png"),
        (b"\xff\xd8\xff\xe0....", "", "image/jpeg"),
        (b"GIF89a....", "image/png", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "image/webp", ""),
        (b"%PDF-1.7\n\xff", "image/png", "application/pdf"),
        (b"PK\x03\x04\x14\x00\xff", "", "application/zip"),
        ("a,ü\n".encode(), "text/csv", "text/csv"),
        (b'{"a": 1}', "application/json", "application/json"),
        (b"line\r\n\ttabbed\x1b[31m", "text/x-log", "text/plain"),
        (b"", "image/png", "text/plain"),
        (b"<svg onload='alert(1)'/>", "image/svg+xml", "text/plain"),
        (b"\n <!DOCTYPE html><p>Sign in", "text/plain", ""),
        (b"\x7fELF\x02", "text/plain", ""),
        (b"a\x00b", "text/plain", ""),
        (b"\xff\xfe", "image/jpeg", ""),
    ],
)
def test_a_file_is_what_its_first_bytes_are(content: bytes, claim: str, found: str) -> None:
    assert detect_media_type(content, claim) == found


@given(some.binary(max_size=64), some.sampled_from([*IMAGES, "text/html", "image/svg+xml"]))
def test_no_name_makes_an_image_of_other_bytes(content: bytes, claim: str) -> None:
    if detect_media_type(content, claim) in IMAGES:
        assert content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF"))


def test_one_file_and_all_of_an_incident_have_a_size_that_is_kept() -> None:
    assert describe_too_large(LARGEST, 0) == ""
    assert describe_too_large(LARGEST + 1, 0) == "it is larger than 10 MB"
    assert describe_too_large(1, LARGEST_IN_ALL - 1) == ""
    too_many = "together, the incident's files would be larger than 100 MB"
    assert describe_too_large(2, LARGEST_IN_ALL - 1) == too_many


@pytest.mark.parametrize(("size", "written"), [(0, "0 B"), (999, "999 B"), (12_300, "12 kB"), (3_400_000, "3.4 MB")])
def test_a_size_is_written_as_people_say_it(size: int, written: str) -> None:
    assert format_size(size) == written
