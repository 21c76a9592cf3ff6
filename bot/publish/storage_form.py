"""Confluence's storage form, looked at before it is sent: Confluence's own complaint about it helps nobody.

The form is XHTML with the prefixes `ac:` and `ri:` and HTML's named entities, after Atlassian's page "Confluence
Storage Format".
"""

from html import entities
from xml.parsers import expat
from xml.sax.saxutils import escape

from bot.publish.failures import PublishError

LARGEST = 5_000_000
"""Confluence takes no more bytes."""

_OWN = {"lt", "gt", "amp", "quot", "apos"}
_NAMES = "".join(f'<!ENTITY {name} "&#{code};">' for name, code in entities.name2codepoint.items() if name not in _OWN)
_BEFORE = (
    f'<!DOCTYPE page [{_NAMES}]><page xmlns:ac="http://www.atlassian.com/schema/confluence/4/ac/" '
    'xmlns:ri="http://www.atlassian.com/schema/confluence/4/ri/">\n'
)


def check_storage(body: str, system: str = "Confluence") -> None:
    """Raise PublishError where a body would be refused: it is too large, or not well-formed."""
    if len(body.encode("utf-8", "replace")) > LARGEST:
        raise PublishError(
            system,
            f"{system} takes pages of at most 5 MB, and this one is larger. Shorten its longest sections, or attach "
            "the export as a file.",
            is_permanent=True,
        )
    parser = expat.ParserCreate(namespace_separator=" ")
    try:
        parser.Parse(f"{_BEFORE}{body}</page>".encode("utf-8", "surrogatepass"), True)  # noqa: FBT003 - its own form
    except expat.ExpatError as error:
        line, column = error.lineno - 1, error.offset + 1  # ours is the line before the first
        words = expat.ErrorString(error.code)
        raise PublishError(
            system,
            f"{system} would refuse the page: it is not well-formed at line {line}, column {column} ({words}). "
            "Look at the template of the page.",
            is_permanent=True,
        ) from None


def marked(body: str, mark: str) -> str:
    """The body with an invisible anchor by which it is known again, where it does not hold that mark yet."""
    if mark in body:
        return body
    name = f'<ac:parameter ac:name="">{escape(mark)}</ac:parameter>'
    return f'{body}<p><ac:structured-macro ac:name="anchor">{name}</ac:structured-macro></p>'
