"""What reaches the log: nothing that people wrote, no credential, and no forged line."""

import ast
import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import Refused
from bot.logs import JsonFormatter, TextFreeFormatter

TOKEN = "xoxb-" + "1234-abcd"


ROOT = Path(__file__).resolve().parents[1]
AS_TEXT = TextFreeFormatter("%(levelname)s %(name)s: %(message)s")


def log_line(
    message: str,
    *args: object,
    error: BaseException | None = None,
    form: TextFreeFormatter = AS_TEXT,
    created: float = 0,
) -> str:
    """The log after one line of it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(form)
    record = logging.LogRecord("bot", logging.WARNING, __file__, 1, message, args, exc_info(error))
    record.created = created
    handler.handle(record)
    return written.getvalue()


def logged_as_json(
    message: str, *args: object, error: BaseException | None = None, created: float = 0
) -> dict[str, object]:
    """The one line, read."""
    (line,) = log_line(message, *args, error=error, form=JsonFormatter(), created=created).splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def exc_info(error: BaseException | None) -> "tuple[type[BaseException], BaseException, None] | None":
    return (type(error), error, error.__traceback__) if error else None  # type: ignore[return-value]


def breaks(text: str) -> None:
    try:
        int(text)
    except ValueError as cause:
        raise KeyError(text) from cause


def broken(text: str) -> BaseException:
    """What a request broke with, with its cause."""
    with pytest.raises(KeyError) as caught:
        breaks(text)
    return caught.value


def test_a_trace_tells_where_and_of_what_kind_and_none_of_the_words() -> None:
    line = log_line("a request broke", error=broken("a canary sang"))
    assert "in broken" in line
    assert "ValueError" in line
    assert "KeyError" in line
    assert "canary sang" not in line
    assert line.index("ValueError") < line.index("KeyError")


def test_our_own_sentences_are_told() -> None:
    assert "Name a word." in log_line("refused", error=Refused("Name a word."))


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x1b[2K", "\x00"])
def test_nobody_writes_a_line_of_their_own(newline: str) -> None:
    line = log_line("a system said %s", f"no{newline}ERROR bot: all is lost")
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert line.startswith("WARNING bot: a system said no\\")


def test_no_token_is_told() -> None:
    assert TOKEN not in log_line("slack said %s", TOKEN)
    assert "hunter2" not in log_line("postgresql://bot:hunter2@db/x")


def test_a_context_that_was_suppressed_is_not_told_and_a_circle_ends() -> None:
    one, other = ValueError("1"), KeyError("2")
    one.__context__, other.__context__ = other, one
    assert log_line("broke", error=one).count("ValueError") == 1
    one.__suppress_context__ = True
    assert "KeyError" not in log_line("broke", error=one)


NOON = datetime(2026, 12, 2, 12, 0, 0, 250_000, tzinfo=UTC).timestamp()


def test_a_line_of_text_begins_with_its_time_in_utc() -> None:
    form = TextFreeFormatter("%(asctime)s %(message)s")
    assert log_line("all is well", form=form, created=NOON) == "2026-12-02 12:00:00 UTC all is well\n"


def test_a_line_of_json_names_its_event_and_what_it_is_about() -> None:
    fields = {"event": "delivery_dead", "delivery": 7, "channel": "C1", "incident": None}
    assert logged_as_json("Message %(delivery)d is given up.", fields, created=NOON) == {
        "time": "2026-12-02T12:00:00.250Z",
        "level": "warning",
        "logger": "bot",
        "event": "delivery_dead",
        "message": "Message 7 is given up.",
        "delivery": 7,
        "channel": "C1",
    }


def test_a_line_of_a_library_has_no_fields_and_no_field_replaces_what_every_line_has() -> None:
    assert logged_as_json("%s of %d", "one", 2)["event"] == "other"
    assert logged_as_json("odd", {"event": "odd", "level": "none", "message": "none"})["message"] == "odd"


def test_a_trace_in_json_is_one_field_without_anybodys_words() -> None:
    line = logged_as_json("An error.", {"event": "x"}, error=broken("a canary sang"))
    assert "KeyError" in str(line["error"])
    assert "canary sang" not in json.dumps(line)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\x85", "\u2028", "\x00"])
def test_nobody_writes_a_json_line_of_their_own_and_no_token_is_in_one(newline: str) -> None:
    fields = {"event": "x", "cause": f'no{newline}{{"level": "error"}} {TOKEN} postgresql://bot:hunter2@db/x'}
    text = log_line("A system said %(cause)s", fields, form=JsonFormatter())
    assert len(text.splitlines()) == 1
    assert json.loads(text)["level"] == "warning"
    assert TOKEN not in text
    assert "hunter2" not in text


LEVELS = ("info", "warning", "error", "exception", "critical")


def calls() -> Iterator[ast.Call]:
    """Every line of the product that an operator sees."""
    for folder in ("bot", "handlers", "storage"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                    continue
                if ast.unparse(node.func.value) == "log" and node.func.attr in LEVELS:
                    yield node


def test_every_line_that_an_operator_sees_is_a_sentence_with_an_event() -> None:
    seen = list(calls())
    assert len(seen) > 60
    for call in seen:
        shown = ast.unparse(call)
        assert len(call.args) == 2, shown
        sentence, fields = call.args
        if not isinstance(fields, ast.Dict):  # made before, for several lines
            assert "about" in ast.unparse(fields), shown
            continue
        names = [key.value for key in fields.keys if isinstance(key, ast.Constant)]
        assert names[0] == "event", shown
        assert re.fullmatch("[a-z][a-z0-9_]+", ast.literal_eval(fields.values[0])), shown
        if isinstance(sentence, ast.Constant):
            text = str(sentence.value)
            assert set(re.findall(r"%\((\w+)\)", text)) <= set(names), shown
            assert re.match(r"[A-Z]|%\(", text), shown
            assert text.endswith((".", "`", "%(cause)s", "%(sentence)s")), shown
