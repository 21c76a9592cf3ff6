"""What looks like a credential, and what only seems to."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.secrets import MASK, REDACTED, find_credentials, list_values, mask_credentials, redact, redact_values

# Built from pieces, so that no file holds anything that a scanner of repositories would stop at.
A_TOKEN = {
    "an AWS key": "AKIA" + "ABCDEFGHIJKLMNOP",
    "a Slack token": "xoxb-" + "1234567890-abcdefABCDEF",
    "a GitHub token": "ghp_" + "aB3" * 12,
    "a GitLab token": "glpat-" + "aB3dE" * 4,
    "a Stripe key": "sk_" + "live_" + "aB3dE" * 4,
    "a Google key": "AIza" + "aB3dE" * 7,
    "an AI provider's key": "sk-" + "proj-" + "aB3dE" * 6,
    "a signed token (JWT)": "eyJ" + "hbGciOiJI.eyJ" + "zdWIiOiIx.abc-_d",
    "a SendGrid key": "SG." + "aB3dE" * 4 + "." + "aB3dE" * 8,
    "a package registry's token": "npm_" + "aB3" * 12,
    "a Vault token": "hvs." + "aB3dE" * 5,
    "a cloud provider's token": "dop_" + "v1_" + "ab12" * 16,
    "an Atlassian token": "ATATT3" + "aB3dE" * 12,
    "a Grafana token": "glsa_" + "aB3dE" * 8,
    "a service's token": "lin_" + "api_" + "aB3dE" * 8,
    "a Telegram bot's token": "123456789:" + "AA" + "aB3" * 11,
    "a Slack webhook": "https://hooks.slack.com/" + "services/T01/B01/" + "aB3dE" * 5,
    "a signed link": "https://a.example/x?sv=1&" + "sig=" + "aB3%2F" * 6,
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "aB3d" * 16 + "\n-----END RSA " + "PRIVATE KEY-----",
}
NAMED = [
    ("password: ", "hunter" + "2"),
    ("DB_PASS=", "s3cr" + "3t!"),
    ('{"password": "', "correct" + "horse1"),
    ("the password is ", "Tr0ub" + "ador&3"),
    ("password=", "correct" + "horse"),
    ("psql postgres://app:", "s3" + "cret"),
    ("mysqldump --password ", "hunter" + "22"),
    ("curl -s -u ana:", "hunter" + "22"),
    ("Authorization: Bearer ", "abcDEF1234567890" + "ghij"),
    ("token=", "abc1" + "2345xyz"),
    ("client_secret: '", "ab12" + "cd34ef56"),
    ("api key: ", "9f8e7" + "d6c5b4a"),
]
HARMLESS = """503s from 10.0.0.1:5432
token expired at 14:05
password: reset for all users
password=incorrect in the log
the token is valid until 14:05
reverted commit 3f786850e387550fdab836ed7e6dc881de23001b
request 550e8400-e29b-41d4-a716-446655440000 failed
secret: projects/foo/secrets/bar-2
secretName: payments-db-v2
asia-southeast1 node failing
bearer authentication-middleware broke
http://host:8080/path@x answers
tokens: 15000000 used
password is rotated
i-0abcd1234efgh5678 stopped
ip-10-0-0-1.eu-west-1.compute.internal
key INC-7
read secret/prod/db
token_id: 12ab34cd56
pass: 14/15 tests
passing: node-1234abcd
TOKEN=$TOKEN was empty
password: <see the vault>
mail ana@example.com
10:05 sha256:ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34ab12cd34
U024BE7LH in C0123456789 at 1700000000.123456
https://grafana.example/d/abc123?from=1700000000&to=now
the secret is out: we deploy at 15:00
token bucket: 30/min""".splitlines()


@pytest.mark.parametrize("kind", A_TOKEN)
def test_an_issued_token_is_found_in_the_middle_of_words(kind: str) -> None:
    text = f"14:05 pushed {A_TOKEN[kind]} by mistake"
    (span,) = find_credentials(text)
    assert span.kind == kind
    assert redact(text).startswith("14:05 pushed ")
    assert redact(text).endswith(f"{REDACTED} by mistake")


@pytest.mark.parametrize(("name", "secret"), NAMED)
def test_what_is_given_to_a_name_that_says_so_is_found(name: str, secret: str) -> None:
    end = "@db:5432/x" if "://" in name else " and more"
    text = f"leaked: {name}{secret}{end}"
    assert list_values(text) == {secret}
    assert redact(text) == f"leaked: {name}{REDACTED}{end}"
    assert mask_credentials(text) == f"leaked: {name}{MASK}{end}"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_people_write_in_incidents_is_no_credential(text: str) -> None:
    assert find_credentials(text) == ()
    assert mask_credentials(text) is text


def test_several_are_found_in_order_and_never_overlap() -> None:
    text = f"token={A_TOKEN['a GitHub token']} and {A_TOKEN['an AWS key']}"
    first, second = find_credentials(text)
    assert first.end <= second.start
    assert redact(text) == f"token={REDACTED} and {REDACTED}"


def test_a_known_credential_is_taken_out_where_nothing_marks_it() -> None:
    secret = "hunter" + "2"
    assert redact_values(f"{secret} again, {secret}", {secret}) == f"{REDACTED} again, {REDACTED}"


def test_a_key_without_its_end_is_found_and_a_mention_of_keys_is_not() -> None:
    head = "-----BEGIN " + "PRIVATE KEY-----"
    assert redact(f"{head}\n{'aB3d' * 16}\n") == REDACTED
    assert find_credentials(f"the file begins with {head} as it should") == ()


_PIECES = st.sampled_from(
    [
        *A_TOKEN.values(),
        *(name + secret for name, secret in NAMED),
        *HARMLESS,
        " ",
        "\n",
        "=",
        ":",
        "'",
        "é",
        "://",
        "@",
    ]
)


@given(st.lists(_PIECES | st.text(max_size=20), max_size=8).map("".join))
def test_a_redacted_text_holds_no_credential_any_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    spans = find_credentials(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))


@given(st.lists(_PIECES | st.text(max_size=20), max_size=8).map("".join))
def test_the_values_of_a_text_are_all_that_must_go_from_it_and_from_what_quotes_it(text: str) -> None:
    known = list_values(text)
    assert find_credentials(redact_values(redact_values(text, known), known)) == ()
    assert bool(known) is bool(find_credentials(text))


_HOSTILE = [
    "password=",
    "password_id=",
    "password is ",
    "xoxb-",
    "eyJaaaaaa",
    "eyJaaaaaa.",
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "://a:",
    "--a-",
    "curl -u ",
    "curl a:",
    "token" * 3,
    "bearer aB3",
    "glpat-" + "a" * 19 + " ",
    "-----BEGIN ",
    "a" * 40 + "=",
    "ghp_",
]


def _seconds(work: Callable[[], object]) -> float:
    """Of this thread's own work: what else the machine does meanwhile does not count."""
    best = float("inf")
    for _ in range(3):
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
    return best


@pytest.mark.parametrize("piece", _HOSTILE)
def test_the_time_grows_with_the_length_and_not_with_its_square(piece: str) -> None:
    short, long = (piece * (length // len(piece)) for length in (5_000, 40_000))
    # Eight times the text: eight times as long, and 64 times where each character were looked at from each.
    assert (
        _seconds(lambda: find_credentials("key " + long))
        < 30 * _seconds(lambda: find_credentials("key " + short)) + 0.002
    )
