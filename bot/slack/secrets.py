"""How the warning about a credential looks in Slack."""

import json
from collections.abc import Iterable, Sequence

from bot.incident.records import Incident
from bot.incident.secrets import Noun, Redacted, Span, Subject
from bot.incident.sections import BY_SLUG
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.words import words

QUOTED = 2_000
MOST_NAMED = 5
"""Files that a warning names; *Redact with files* drops the others as well."""


def warning(spans: Iterable[Span], value: str, files: Sequence[str] = ()) -> list[Block]:
    """For the author alone, below the receipt: what it looks like, [Redact] and [It is harmless].

    `value` is what the buttons carry to find the entry again. `files` are the names of those that hang on it: they can
    be let go of in the same press.
    """
    kinds = list(dict.fromkeys(span.kind for span in spans))
    named = [shortened(name, 80) for name in files[:MOST_NAMED]]
    said = words.secrets.warning(kinds=kinds, files=named, more=len(files) - len(named))
    row = [blocks.button("Redact", "secret_redact", value, style="danger")]
    if files:
        row.append(blocks.button("Redact with files", "secret_redact_files", value, style="danger"))
    row.append(blocks.button("It is harmless", "secret_harmless", value))
    return [blocks.section(said), blocks.actions(*row)]


def warning_alone(spans: Iterable[Span], subject: Subject, incident: Incident, files: Sequence[str] = ()) -> Message:
    """The warning as a message of its own, which names what it is about."""
    said = words.secrets.warned_of(what=_name(subject), key=incident.key, title=incident.title)
    return blocks.message(said, [blocks.section(said), *warning(spans, ref(subject, incident), files)])


def ref(subject: Subject, incident: Incident) -> str:
    """What a button carries to find again what it is about."""
    return json.dumps({"incident": incident.id, "noun": str(subject.noun), "which": subject.which})


def subject_in(value: dict[str, object]) -> Subject:
    """What a button is about; those below an entry carry its number as every button of an entry does."""
    if "noun" in value:
        return Subject(Noun(str(value["noun"])), str(value["which"]))
    return Subject(Noun.ENTRY, str(value["entry"]))


def _name(subject: Subject) -> str:
    which = BY_SLUG[subject.which].title if subject.noun is Noun.SECTION else subject.which
    return str(words.secrets.name(noun=str(subject.noun), which=which))


def redacted(subject: Subject, done: Redacted, files: tuple[str, ...]) -> Message:
    """It is out of the record, with all that held it as well, and with these files of it."""
    others = [_name(other) for other in done.subjects if other != subject]
    elsewhere = [words.secrets.elsewhere(title=BY_SLUG[slug].title, key=key) for key, slug in done.elsewhere]
    return blocks.whisper(
        words.secrets.redacted(
            what=_capital(_name(subject)), others=[*others, *elsewhere], files=files, still_in=done.still_in
        )
    )


def left(subject: Subject, text: str) -> Message:
    """It is harmless, and stands as it was written."""
    return blocks.whisper(words.secrets.left(what=_capital(_name(subject)), text=shortened(text, QUOTED)))


def nothing_in(subject: Subject, *, was_redacted: bool) -> str:
    """The sentence for what holds no credential, or none any more."""
    state = "is redacted already" if was_redacted else "holds nothing that looks like a credential"
    return f"{_capital(_name(subject))} {state}."


def no_such(subject: Subject, incident: Incident) -> str:
    """The sentence for what the incident does not have."""
    return f"{incident.key} has no {_name(subject).removeprefix('the ')}."


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def forgotten() -> Message:
    """What a repeated delivery is answered whose first answer quoted a credential."""
    return blocks.whisper(words.secrets.forgotten())
