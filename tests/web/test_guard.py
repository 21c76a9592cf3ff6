"""Nothing gets past the guard that is not whole, fresh, signed and well-formed; and nothing makes it fall over."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SettableClock
from bot.web.slack_endpoint import DeniedError, Guard

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
SECRET = "sign" + "ing"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json; charset=utf-8"

clock = SettableClock(NOW)
guard = Guard(SECRET, clock)


def sign_headers(raw: bytes, kind: str = FORM, *, secret: str = SECRET, at: datetime = NOW) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    return {"content-type": kind, "x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}


def outcome_of(headers: dict[str, str], raw: bytes) -> int:
    try:
        guard.admit(headers, raw)
    except DeniedError as denied:
        return denied.status
    return 200


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"))))
def test_a_form_comes_out_as_it_went_in(form: dict[str, str]) -> None:
    sent = {**form, "command": "/timeline"}
    raw = urlencode(sent).encode()
    assert guard.admit(sign_headers(raw), raw) == sent


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.text(), max_size=3)))
def test_an_event_and_an_interaction_come_out_as_they_went_in(body: dict[str, object]) -> None:
    raw = json.dumps(body).encode()
    assert guard.admit(sign_headers(raw, JSON), raw) == body
    raw = b"payload=" + quote(json.dumps(body)).encode()
    assert guard.admit(sign_headers(raw), raw) == body


@pytest.mark.parametrize("text", ["rolled back the bad payload", "payload=", "payload", "a&payload={}"])
def test_the_word_payload_is_a_word_like_any_other(text: str) -> None:
    sent = {"command": "/timeline", "text": text, "channel_name": "inc-payload-api"}
    raw = urlencode(sent).encode()
    assert guard.admit(sign_headers(raw), raw) == sent


def test_a_field_named_payload_cannot_turn_a_command_into_an_interaction() -> None:
    raw = b"command=%2Ftimeline&text=x&payload=%7B%7D"
    assert guard.admit(sign_headers(raw), raw)["command"] == "/timeline"


def test_an_empty_field_is_kept() -> None:
    raw = b"command=%2Ftimeline&text="
    assert guard.admit(sign_headers(raw), raw) == {"command": "/timeline", "text": ""}


@pytest.mark.parametrize(
    "wrong",
    [
        {"x-slack-signature": "v0=" + "0" * 64},
        {"x-slack-signature": ""},
        {"x-slack-signature": "v0=é"},
        {"x-slack-signature": "v0=" + "é" * 64},
        {"x-slack-signature": "v1=" + "0" * 64},
        {"x-slack-request-timestamp": ""},
        {"x-slack-request-timestamp": "abc"},
        {"x-slack-request-timestamp": "1e9"},
        {"x-slack-request-timestamp": "-5"},
        {"x-slack-request-timestamp": "１７９５４４２７００"},
        {"x-slack-request-timestamp": "9" * 5000},
        {"x-slack-request-timestamp": " 1795442700"},
        {"x-slack-request-timestamp": "1795442700\n"},
    ],
    ids=repr,
)
def test_what_is_not_signed_as_slack_signs_is_unauthorized(wrong: dict[str, str]) -> None:
    raw = b"command=%2Ftimeline"
    assert outcome_of(sign_headers(raw) | wrong, raw) == 401


@pytest.mark.parametrize("missing", ["x-slack-signature", "x-slack-request-timestamp"])
def test_a_missing_header_is_unauthorized(missing: str) -> None:
    headers = sign_headers(b"x=1")
    del headers[missing]
    assert outcome_of(headers, b"x=1") == 401


def test_another_secret_and_another_body_are_unauthorized() -> None:
    assert outcome_of(sign_headers(b"x=1", secret="another"), b"x=1") == 401
    assert outcome_of(sign_headers(b"x=1"), b"x=2") == 401


@pytest.mark.parametrize(("seconds", "is_fresh"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_signature_stands_for_five_minutes_by_the_clock_given(seconds: int, is_fresh: bool) -> None:
    headers = sign_headers(b"x=1", at=NOW + timedelta(seconds=seconds))
    if is_fresh:
        assert guard.admit(headers, b"x=1") == {"x": "1"}
    else:
        assert outcome_of(headers, b"x=1") == 401


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (JSON, b""),
        (JSON, b"{"),
        (JSON, b"[]"),
        (JSON, b"null"),
        (JSON, b"[" * 20_000),
        (JSON, b'{"a":' * 20_000),
        (JSON, b"9" * 5_000),
        (JSON, b'{"a": "\xff"}'),
        (FORM, b"payload="),
        (FORM, b"payload=not+json"),
        (FORM, b"payload=[]"),
        (FORM, b"payload=null"),
        (FORM, b"payload=" + b"[" * 20_000),
        (FORM, b"a=1&" * 101),
        (FORM, b"\xff=\xfe"),
        ("text/plain", b"{}"),
        ("", b"{}"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_malformed_is_a_bad_request_even_when_signed(kind: str, raw: bytes) -> None:
    assert outcome_of(sign_headers(raw, kind), raw) == 400


@given(st.binary(max_size=200), st.sampled_from([FORM, JSON, "", "a/b;;="]))
def test_whatever_comes_signed_is_either_read_or_a_bad_request(raw: bytes, kind: str) -> None:
    assert outcome_of(sign_headers(raw, kind), raw) in (200, 400)


@given(st.binary(max_size=50), st.text(max_size=20), st.text(max_size=80))
def test_whatever_is_not_signed_is_denied(raw: bytes, stamp: str, signature: str) -> None:
    headers = {"content-type": FORM, "x-slack-request-timestamp": stamp, "x-slack-signature": signature}
    assert outcome_of(headers, raw) == 401


def test_an_empty_secret_is_no_secret() -> None:
    with pytest.raises(ValueError, match="signing_secret"):
        Guard(" ", clock)
