"""Names that were typed and not picked from Slack's list: to Slack they are words, and nobody is told by them."""

import re

_NAME = re.compile(r"(?<!\S)@(?!here\b|channel\b|everyone\b)\w[\w.'’-]*")


def unpicked_in(text: str) -> str:
    """The first `@name` among words in which Slack's own mentions are taken out; empty where there is none."""
    match = _NAME.search(text)
    return match[0].rstrip(".'’") if match else ""


def unpicked(name: str) -> str:
    """The sentence for such a name."""
    return f"I do not know who {name[:60]} is. Pick the name from Slack's list as you type @."
