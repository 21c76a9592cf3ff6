"""Lengths as the vendors count them: in UTF-16 units, as Java does, in which an emoji counts twice."""


def units(text: str) -> int:
    """How long a text is."""
    return len(text.encode("utf-16-le")) // 2


def fitted(text: str, most: int) -> str:
    """The text for a place that holds `most` units: cut with an ellipsis that says so."""
    if units(text) <= most:
        return text
    return text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore").rstrip() + "…"
