"""The words in the pictures that are nobody's own; what the pictures say as sentences stands in `alternatives`."""

PHASES = "Phases"
SEVERITY = "Severity"
ENTRIES = "Entries"
RANGES = "Ranges"

DETECT = "Detect"
RESPOND = "Respond"
RECOVER = "Recover"
RESPOND_AND_RECOVER = "Respond and recover"

QUIET = "Nothing is recorded for {length}, {when}"
CUT = "Left out: {length} in which nothing is recorded, {when}"
ROOT = "{number} · Root cause"

NOTE_QUIET = "Grey: nothing is recorded for more than 30 min."
NOTE_APPROXIMATE = "Hollow, dashed or ~: the time is approximate."
NOTE_CUT = "Jagged: the axis is cut for the length told; the rest keeps one scale."
NOTE_COLUMNS = "Each column counts the entries of {length}; the highest holds {most:,}."
NOTE_RANGES = "Ranges that are not drawn for want of room: {count:,}."
NOTE_WHYS = "Not drawn for want of room: {count:,} more."


def entries(count: int) -> str:
    """`1 entry`, `1,200 entries`."""
    return f"{count:,} {'entry' if count == 1 else 'entries'}"
