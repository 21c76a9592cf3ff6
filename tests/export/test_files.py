"""Files and later changes of captured messages in every export, however hostile their names."""

import base64
import hashlib
import json
from dataclasses import replace

import pytest

from bot.domain.records import IMAGES, Attachment, AttachmentState, Case
from bot.export import Exporter
from tests.support.export import export_text
from tests.support.export.cases import at, case, entry, render

EXPORTER = Exporter()
NAME = '"><script>alert(1)</script>.png'


def file(**changes: object) -> Attachment:
    made = Attachment(1, 1, NAME, "image/png", 3, "https://files.slack.com/a", AttachmentState.STORED, "", b"abc")
    return replace(made, **changes)  # type: ignore[arg-type]


def with_files(*files: Attachment, change: str = "") -> Case:
    return replace(case(entries=(entry(1, at(14, 5), source_change=change), entry(2, at(14, 6)))), attachments=files)


def test_a_picture_is_part_of_the_page_and_loads_nothing() -> None:
    page = render(with_files(file()), "html")
    assert page.count("<img") == 1
    assert '<img src="data:image/png;base64,YWJj" alt="&#34;&gt;&lt;script&gt;' in page
    assert "<script" not in page
    assert "img-src data:" in page
    assert "files.slack.com" not in page


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/pdf", "", '"><img src=x>'])
def test_nothing_but_an_image_is_shown_as_one(kind: str) -> None:
    page = render(with_files(file(media_type=kind)), "html")
    assert kind not in IMAGES
    assert "<img" not in page
    assert 'href="data:application/octet-stream;base64,YWJj"' in page


def test_what_is_not_kept_is_named_with_the_reason() -> None:
    about = with_files(
        file(state=AttachmentState.REFUSED, note="it is larger than 10 MB", content=b""),
        file(id=2, state=AttachmentState.WANTED),
    )
    page, markdown = render(about, "html"), render(about, "markdown")
    assert "<img" not in page
    for text in (page, markdown):
        assert "not kept: it is larger than 10 MB" in text
        assert "not kept: it is not fetched yet" in text


def test_markdown_names_each_file_below_its_entry() -> None:
    markdown = render(with_files(file(name="graph *1*.png"), file(id=2, name="b\nc.txt")), "markdown")
    assert "(#1)\n  - File graph \\*1\\*.png, 3 B — in the HTML and JSON exports\n  - File b c.txt, 3 B" in markdown
    assert "exports\n- **14:06**" in markdown


def test_json_carries_the_file_whole() -> None:
    first, second = json.loads(render(with_files(file(), file(id=2, entry_id=9)), "json"))["timeline"]
    assert first["files"] == [
        {
            "name": NAME,
            "type": "image/png",
            "size": 3,
            "sha256": hashlib.sha256(b"abc").hexdigest(),
            "not_kept": None,
            "content": base64.b64encode(b"abc").decode(),
        }
    ]
    assert second["files"] == []


@pytest.mark.parametrize("change", ["edited", "deleted"])
def test_what_became_of_the_message_is_said_beside_its_entry(change: str) -> None:
    about = with_files(change=change)
    assert f"(#1; its message was {change} later)" in export_text.visible_text(
        export_text.page(render(about, "html").encode())
    )
    assert f"(#1; its message was {change} later)" in render(about, "markdown")
    assert [line["message_since"] for line in json.loads(render(about, "json"))["timeline"]] == [change, None]
