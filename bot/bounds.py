"""How long what people and systems send may be. Each bound is applied before anything reads the field.

What is longer is refused with a sentence, and given back or left where it is; nothing is ever cut in silence. The table
in docs/operating.md says the same, and a test holds the two alike.
"""

from typing import NamedTuple

TEXT = 40_000
"""Characters of a command, a message or a text to record. Slack itself cuts a message there."""
FIELD = 3_000
"""Characters of one field of a Slack form. Slack itself takes no more."""
FIELDS = 20
"""Fields that one text may take: the longest text that is admitted, and one field more to go on in."""
TITLE = 300
PASTE = 9_000
"""Characters that one paste may have: what the three fields of its form hold."""
BODY = 1_000_000
"""Bytes of a request of Slack's or of a webhook: before its signature is checked, anyone can send one."""
BODY_LEVELS = 64
"""How deep a request of Slack's may be nested; Slack's nest some 15 deep."""
HOOK_LEVELS = 20
"""How deep a webhook may be nested; documented ones are at most six deep."""
ANSWER = 12_000_000
"""Bytes of another system's answer."""
DRAFT = 3_000_000
"""Characters of a whole draft or canvas that comes back: three times a timeline of ten thousand entries."""
DRAFT_FILE = 20_000_000
"""Bytes of a draft's file."""
RECORD_FILE = 256 * 1024**2
"""Bytes of a JSON file. The files of an incident may have 100 MB, and Base64 takes a third more."""
RECORD_TEXT = 100_000
"""Characters of one text in a JSON file."""
TEMPLATE = 1_000_000
"""Bytes of one of a team's own templates or style sheets."""
TEMPLATES = 1_000
"""Files and folders of a team's template folder."""
ZONE = 64
"""Characters of a zone's name: the longest has 32, and a path of thousands of parts is read by recursion."""
SETTING = 100_000
"""Characters of one setting."""
CONFIG_FILE = 100_000
"""Bytes of the file that AFTERWORD_CONFIG names."""


class Bound(NamedTuple):
    """The bound of one kind of field, and what becomes of what is longer."""

    field: str
    most: int
    unit: str
    beyond: str


_BACK = "refused; the text is given back"
_LEFT = "refused; the message stays in Slack"
_OPEN = "refused at the field; the form stays open with the text"
_BAD_REQUEST = "answered with an HTTP error; the sender still has it"
_FILE = "refused; the file stays as it is"

BOUNDS = (
    Bound("Slash command", TEXT, "characters", _BACK),
    Bound("Message to the bot: DM, mention, reply", TEXT, "characters", _LEFT),
    Bound("Message that is recorded: menu, reaction, scan of a channel", TEXT, "characters", _LEFT),
    Bound("Field of a form", FIELD, "characters", _OPEN),
    Bound("Text in several fields of a form", TEXT, "characters", _OPEN),
    Bound("Title of an incident", TITLE, "characters", _BACK),
    Bound("Paste", PASTE, "characters", _OPEN),
    Bound("Request of Slack's, webhook", BODY, "bytes", _BAD_REQUEST),
    Bound("Nesting of a request of Slack's", BODY_LEVELS, "levels", _BAD_REQUEST),
    Bound("Nesting of a webhook", HOOK_LEVELS, "levels", _BAD_REQUEST),
    Bound("Answer of Jira, Confluence, Statuspage or JSM", ANSWER, "bytes", "reported as an error; nothing is changed"),
    Bound("Draft or canvas that comes back", DRAFT, "characters", "refused; it stays where it is"),
    Bound("File for `afterword import --draft`", DRAFT_FILE, "bytes", _FILE),
    Bound("File for `afterword import`", RECORD_FILE, "bytes", _FILE),
    Bound("Text in a file for `afterword import`", RECORD_TEXT, "characters", _FILE),
    Bound("File in the template folder", TEMPLATE, "bytes", "left out; the export says so"),
    Bound("Files in the template folder", TEMPLATES, "files", "left out; the export says so"),
    Bound("Name of a time zone", ZONE, "characters", "no zone; UTC counts"),
    Bound("Setting", SETTING, "characters", "the program doesn't start, and says which"),
    Bound(
        "File that AFTERWORD_CONFIG names", CONFIG_FILE, "bytes", "the program doesn't start, or goes on by the old one"
    ),
)
"""Every bound that a sender can meet."""
