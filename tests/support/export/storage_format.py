"""Pages of Confluence read the way Confluence would: as XML, with its namespaces declared and nothing else."""

from collections.abc import Iterator

from lxml import etree

AC, RI = "http://atlassian.com/content", "http://atlassian.com/resource/identifier"


def page(storage: str) -> etree._Element:
    """The page as an XML parser sees it; it raises at the first error, and knows no entity of HTML."""
    wrapped = f'<page xmlns:ac="{AC}" xmlns:ri="{RI}">{storage}</page>'
    return etree.fromstring(wrapped.encode(), etree.XMLParser(resolve_entities=False, huge_tree=True))


def tags(element: etree._Element) -> list[str]:
    """The name of every element below, with the prefix that Confluence writes."""
    return [str(found.tag).replace(f"{{{AC}}}", "ac:").replace(f"{{{RI}}}", "ri:") for found in element.iter()][1:]


def visible(element: etree._Element) -> str:
    """What is read on the page, every run of white space as one space: a break is a space, parameters are titles."""
    return " ".join("".join(_visible_text(element)).split())


def macros(element: etree._Element, name: str) -> list[etree._Element]:
    """The macros of that name."""
    return [found for found in element.iter(f"{{{AC}}}structured-macro") if found.get(f"{{{AC}}}name") == name]


def anchors(element: etree._Element) -> list[str]:
    """The names of the anchors, in order."""
    return ["".join(str(text) for text in found.itertext()) for found in macros(element, "anchor")]


def _visible_text(element: etree._Element) -> Iterator[str]:
    if element.tag in ("br", "td", "th", "p", "li", "h2"):
        yield " "
    if element.get(f"{{{AC}}}name") == "anchor":
        yield element.tail or ""
        return
    yield element.get("datetime", "")
    yield element.text or ""
    for child in element:
        yield from _visible_text(child)
    yield element.tail or ""
