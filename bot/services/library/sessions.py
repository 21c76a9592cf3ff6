"""Sessions of the library: signed values that a browser keeps, and the marks by which each counts only once."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from bot.domain.readers import Reader, SignInOutcome
from bot.services.context import Services
from bot.services.library import readers as readers_service
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.history import sign_ins as sign_ins_store

SESSION_LIFE = timedelta(hours=12)
"""Then Slack is asked again who it is: one click. Whether they may still read is asked at each page."""

SIGN_IN_LIFE = timedelta(minutes=10)
"""From the first click to the return from Slack."""

KEEP = timedelta(days=90)
"""How long the audit says who signed in."""

PRUNE_EVERY = timedelta(hours=1)
SKEW = timedelta(minutes=1)
LONGEST = 4_000
"""Characters of a signed value; a browser keeps no longer cookie."""

START = "/library"
_BELOW = re.compile(r"/library(?:[/?][^\\\x00-\x20\x7f]*)?")


def find_destination(wanted: str) -> str:
    """Where a person goes once they are in: what they wanted if it is a page of the library, else its start."""
    is_ours = len(wanted) <= LONGEST // 2 and _BELOW.fullmatch(wanted) and not wanted.startswith("/library/sign-")
    return wanted if is_ours else START


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that began in this browser: `state` and `nonce` come back from Slack, `wanted` is the page then."""

    state: str
    nonce: str
    wanted: str
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A person who signed in."""

    reader: Reader
    key: str
    began_at: datetime


class Signatures:
    """Signs and reads what a browser keeps. The first key signs; what one of the others signed still counts."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = list(reversed(keys))  # itsdangerous signs with the last

    def _serializer(self, kind: str) -> URLSafeSerializer:
        # Another salt for each kind: no value can stand in the place of another kind's.
        signer = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeSerializer(self._keys, salt=f"afterword.library.{kind}", signer_kwargs=signer)

    def _write(self, kind: str, *parts: Any) -> str:
        return str(self._serializer(kind).dumps(list(parts)))

    def _read(self, kind: str, text: str, shape: Sequence[type]) -> list[Any] | None:
        if not 0 < len(text) <= LONGEST:
            return None
        try:
            parts = self._serializer(kind).loads(text)
        except BadData:
            return None
        fits = isinstance(parts, list) and [type(part) for part in parts] == list(shape)
        return parts if fits else None

    def begin(self, wanted: str, now: datetime) -> tuple[Attempt, str]:
        """A new sign-in, and the signed value for the browser that began it."""
        attempt = Attempt(secrets.token_urlsafe(24), secrets.token_urlsafe(24), find_destination(wanted), now)
        return attempt, self._write("attempt", attempt.state, attempt.nonce, attempt.wanted, int(now.timestamp()))

    def read_attempt(self, text: str, now: datetime) -> Attempt | None:
        """The sign-in that this browser began; None if it is forged or too old."""
        parts = self._read("attempt", text, (str, str, str, int))
        if parts is None or (began_at := _find_start(parts[3], now, SIGN_IN_LIFE)) is None:
            return None
        return Attempt(parts[0], parts[1], find_destination(parts[2]), began_at)

    def write_session(self, reader: Reader, now: datetime) -> str:
        """A session that begins now."""
        return self._write("session", reader.team, reader.user, secrets.token_urlsafe(18), int(now.timestamp()))

    def read_session(self, text: str, now: datetime) -> Session | None:
        """A session; None if it is forged, foreign or too old."""
        parts = self._read("session", text, (str, str, str, int))
        if parts is None or (began_at := _find_start(parts[3], now, SESSION_LIFE)) is None:
            return None
        return Session(Reader(parts[0], parts[1]), parts[2], began_at)

    def write_form_token(self, session: Session) -> str:
        """What proves that a form is on our page."""
        return self._write("form", session.key)

    def fits_form(self, session: Session, token: str) -> bool:
        """Whether a form came from a page of this session."""
        return self._read("form", token, (str,)) == [session.key]

    def write_feed_key(self, reader: Reader) -> str:
        """The key in the address of a person's feed: a feed reader has no cookies."""
        return self._write("feed", reader.team, reader.user)

    def read_feed_key(self, text: str) -> Reader | None:
        """Whose feed it is."""
        parts = self._read("feed", text, (str, str))
        return Reader(parts[0], parts[1]) if parts else None


def _find_start(seconds: int, now: datetime, life: timedelta) -> datetime | None:
    """When it began; None if it has ended, or would begin later than now."""
    age = now.timestamp() - seconds
    if not -SKEW.total_seconds() <= age < life.total_seconds():
        return None
    return now - timedelta(seconds=age)


async def spend_attempt(services: Services, attempt: Attempt, now: datetime) -> bool:
    """Use a sign-in up. False if its state was used before."""
    key, expires_at = f"state {_digest(attempt.state)}", now + SIGN_IN_LIFE + SKEW
    return await services.store.write(lambda tx: sign_ins_store.spend(tx, key, expires_at))


async def admit(services: Services, reader: Reader, now: datetime) -> str:
    """Note in the audit that a person comes in, or is refused; why they are refused, or empty."""
    objection = await readers_service.find_objection(services, reader)
    outcome = SignInOutcome.REFUSED if objection else SignInOutcome.ADMITTED

    def unit(tx: Transaction) -> None:
        sign_ins_store.add(tx, reader, outcome, objection, now)

    await services.store.write(unit)
    return objection


async def find_reader(services: Services, session: Session) -> Reader | None:
    """The person of a session, unless it was signed out or they may read no more. Fails closed."""
    key = _ended_key(session)
    if await services.store.read(lambda tx: sign_ins_store.is_spent(tx, key)):
        return None
    return session.reader if await readers_service.may_read(services, session.reader) else None


async def end(services: Services, session: Session) -> None:
    """Sign a session out, on every replica: a copy of its cookie counts no more either."""
    key, expires_at = _ended_key(session), session.began_at + SESSION_LIFE + SKEW
    await services.store.write(lambda tx: sign_ins_store.spend(tx, key, expires_at))


def _ended_key(session: Session) -> str:
    return f"session {_digest(session.key)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class SignInPruner:
    """Deletes old lines of the audit, and marks that no one needs any more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._due: datetime | None = None

    async def prune_if_due(self, now: datetime) -> None:
        """Prune once an hour."""
        if self._due is None or not now < self._due <= now + PRUNE_EVERY:
            await self._store.write(lambda tx: sign_ins_store.prune(tx, now, now - KEEP))
            self._due = now + PRUNE_EVERY
