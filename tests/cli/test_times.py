"""`afterword when`: how a line's time would be read, for people and for programs."""

import json
import os
import select
import subprocess
import sys
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import main
from bot.cli import times as times_commands
from tests.support.command_line import invoke, run
from tests.support.timeouts import PATIENT

NOW = ("--now", "2026-11-23T13:06:00Z", "--zone", "Europe/Berlin")
AT = {"now": "2026-11-23T13:06:00Z", "zone": "Europe/Berlin"}
KEYS = {"utc", "end_utc", "approximate", "text", "question", "offer"}


def stream_lines(typed: bytes) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of `when -`, and the objects that it prints."""
    result = invoke("when", "-", typed=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("line", "utc", "text"),
    [
        ("14:05 failed over", "2026-11-23T13:05:00Z", "failed over"),
        ("-10m rolled back", "2026-11-23T12:56:00Z", "rolled back"),
        ("-1h30m rolled back", "2026-11-23T11:36:00Z", "rolled back"),
        ("- only a dash", None, "- only a dash"),
        ("-h is text", None, "-h is text"),
    ],
)
def test_when_reads_a_line_even_where_it_begins_with_a_minus(line: str, utc: str | None, text: str) -> None:
    read = json.loads(run("when", line, *NOW))
    assert (read["utc"], read["text"]) == (utc, text)
    assert set(read) == {"utc", "end_utc", "approximate", "text", "question", "offer"}


def test_when_reads_json_lines_and_prints_a_line_for_each() -> None:
    asked = {"text": "~13:30-13:45 errors", "now": "2026-11-23T13:06:00Z", "zone": "Europe/Berlin"}
    lines = run("when", "-", typed="\n".join([json.dumps(asked)] * 2)).splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0]) == {
        "utc": "2026-11-23T12:30:00Z",
        "end_utc": "2026-11-23T12:45:00Z",
        "approximate": True,
        "text": "errors",
        "question": None,
        "offer": None,
    }


def test_when_asks_rather_than_guesses() -> None:
    assert json.loads(run("when", "05/04 10:00 x", *NOW))["question"] == [
        "2026-04-05T08:00:00Z",
        "2026-05-04T08:00:00Z",
    ]
    assert json.loads(run("when", "25:00 x", *NOW))["question"] == []


def test_when_tells_what_a_receipt_would_offer() -> None:
    read = json.loads(run("when", "ping was lost on ovh3 at 13:31", *NOW))
    assert (read["utc"], read["text"], read["question"]) == (None, "ping was lost on ovh3 at 13:31", None)
    assert read["offer"] == ["2026-11-23T12:31:00Z"]


def test_when_offers_nothing_for_a_line_that_names_no_clock() -> None:
    assert json.loads(run("when", "2 of 3 nodes rolled back", *NOW))["offer"] is None


def test_the_language_is_an_option_and_a_field_of_a_line() -> None:
    assert json.loads(run("when", "14:05 failed over", *NOW, "--language", "de-DE"))["utc"] == "2026-11-23T13:05:00Z"
    code, lines = stream_lines(json.dumps({"text": "14:05 failed over", **AT, "language": "de-DE"}).encode())
    assert (code, lines[0]["utc"]) == (0, "2026-11-23T13:05:00Z")


def test_what_a_line_leaves_out_is_as_the_options_say() -> None:
    result = CliRunner().invoke(
        main, ["when", "-", *NOW], input='{"text": "14:05 x"}\n\n{"text": "15:05 y", "zone": "UTC"}', obj=PATIENT
    )
    assert [json.loads(line)["utc"] for line in result.stdout.splitlines()] == [
        "2026-11-23T13:05:00Z",
        "2026-11-22T15:05:00Z",
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"14:05 failed over", "isn't JSON"),
        (b'["14:05 failed over"]', "JSON object"),
        (b'{"now": "2026-11-23T13:06:00Z"}', '"text"'),
        (b'{"text": 5}', '"text"'),
        (b'{"text": "14:05 x", "now": "soon"}', "isn't an ISO time"),
        (b'{"text": "14:05 x", "now": 5}', '"now"'),
        (b'{"text": "14:05 x", "zone": "Mars/Phobos"}', "isn't an IANA zone"),
        (b'{"text": "14:05 x", "zone": "Europe"}', "isn't an IANA zone"),
        (b'{"text": "14:05 x", "zone": ["UTC"]}', '"zone"'),
        (b'{"text": "14:05 x", "language": 5}', '"language"'),
        (b'{"text": "\xff 14:05"}', "UTF-8"),
        (b"[" * 100_000, "nested"),
        (b'{"text": "' + b"x" * times_commands.LONGEST_LINE + b'"}', "longer"),
    ],
)
def test_a_line_that_is_none_is_told_so_and_the_next_one_read(line: bytes, error: str) -> None:
    good = json.dumps({"text": "14:05 failed over", **AT}).encode()
    code, lines = stream_lines(b"\n".join([good, line, good]))
    assert code == 1
    assert [set(one) for one in lines] == [KEYS, {"error"}, KEYS]
    assert error in lines[1]["error"]


@given(st.lists(st.one_of(st.binary(max_size=60), st.just(b'{"text": "14:05 x"}')), max_size=8))
def test_every_line_gets_one_line_whatever_it_holds(lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b"").replace(b"\r", b"") for line in lines]
    code, found = stream_lines(b"\n".join(lines))
    assert len(found) == sum(1 for line in lines if line.strip())
    assert (code == 1) == any("error" in one for one in found)


def test_text_that_no_file_can_hold_is_printed_as_escapes() -> None:
    code, lines = stream_lines(b'{"text": "\\ud800 \\u00fc is half"}')
    assert (code, lines[0]["text"]) == (0, "\ud800 ü is half")


def test_each_line_is_answered_before_the_next_is_written() -> None:
    """A program that keeps it running waits for each answer."""
    command = [str(Path(sys.executable).with_name("afterword")), "when", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for number in range(3):
            running.stdin.write(json.dumps({"text": f"14:05 step {number}", **AT}).encode() + b"\n")
            ready, _, _ = select.select([running.stdout], [], [], 60)
            assert ready
            assert json.loads(os.read(running.stdout.fileno(), 65_536))["text"] == f"step {number}"
        running.stdin.close()
        assert running.wait(60) == 0


def test_memory_does_not_grow_with_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times_commands, "_print_json", lambda answer: None)
    line = json.dumps({"text": "14:05 failed over " + "x" * 2_000, **AT}).encode() + b"\n"

    def peak(count: int) -> int:
        lines = BytesIO(line * count)
        tracemalloc.start()
        assert times_commands._answer_lines(lines, {"now": None, "zone": "UTC", "language": "en"}) == 0
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)  # caches fill
    assert peak(400) < peak(20) + 200_000


def test_a_line_without_an_end_is_not_held_in_memory() -> None:
    tracemalloc.start()
    endless = BytesIO(b"x" * (20 * times_commands.LONGEST_LINE))
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    (line,) = times_commands._read_lines(endless)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert len(line) == times_commands.LONGEST_LINE + 1
    assert peak < 5 * times_commands.LONGEST_LINE


def test_without_a_line_to_read_it_says_how() -> None:
    result = invoke("when")
    assert result.exit_code == 2
    assert "Give the line to read" in result.output
