"""People who are mentioned on a page of Confluence: which accounts they are, and their names in their place."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from xml.etree.ElementTree import Element

AC, RI = "urn:afterword:ac", "urn:afterword:ri"
"""The namespaces of a page that was read."""
PERSON = f"{{{RI}}}user"

_ACCOUNT_ID, _USERNAME, _USERKEY = (f"{{{RI}}}{name}" for name in ("account-id", "username", "userkey"))
_SOMEONE = "someone"
"""A person whose name Confluence does not tell: an account id is no name."""


def account_in(person: Element) -> str:
    """The account that a mention is of."""
    return next(filter(None, (person.get(name) for name in (_ACCOUNT_ID, _USERNAME, _USERKEY))), "")


def mentioned(element: Element) -> Iterator[str]:
    """The account ids of the people who are mentioned in an element; Data Center's names are none."""
    return (person.get(_ACCOUNT_ID, "") for person in element.iter(PERSON) if person.get(_ACCOUNT_ID))


def with_names(block: Element, names: Mapping[str, str]) -> Element:
    """The same block with the names of people where they were mentioned; `names` are those of accounts."""
    if next(block.iter(PERSON), None) is None:
        return block
    block = deepcopy(block)
    for link in block.iter(f"{{{AC}}}link"):
        person = link.find(PERSON)
        if person is None:
            continue
        link.text = names.get(person.get(_ACCOUNT_ID, "")) or person.get(_USERNAME) or _SOMEONE
        for child in list(link):
            link.remove(child)
    return block
