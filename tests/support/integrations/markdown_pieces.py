"""Pieces of Markdown that make trouble together."""

from hypothesis import strategies as st

WORDS = ("word", "two", "words", "ü", "INC")
"""The words in the pieces, which must never get lost."""

PIECES = st.sampled_from(
    [
        *("# ", "- ", "1. ", "> ", "- [ ] ", "| a | b |\n|---|---|\n", "```\n", "    ", "---\n", "\n", "\n\n", "  \n"),
        *("**", "*", "_", "`", "~~", "[", "](https://a.example)", "](javascript:x)", "![", "<b>", "</b>", "<div>"),
        *("<https://b.example>", "<!--", "-->", "\\", "|", "&lt;", "word ", "two words", "ü ", "\ufdd0", "INC-7", " "),
    ]
)
