"""Document to PDF: WeasyPrint lays the HTML out on A4, in a process with limits (`bot.export.sandbox`).

A letter that no font of this machine has is drawn as a box. `PdfWriter.draw` returns those letters, so that the reader
can be warned.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec

from jinja2.sandbox import SandboxedEnvironment

from bot.domain.document import Document
from bot.export.html import HtmlWriter
from bot.export.sandbox import MEGABYTE, JobError, Limits, run_job
from bot.export.templates import NO_OVERRIDE, TemplateOverride
from bot.timeouts import Timeouts

NOT_INSTALLED = 'A PDF needs WeasyPrint: `pip install "afterword[pdf]"`.'
NO_LIBRARIES = (
    "WeasyPrint can't find Pango's libraries: `apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0`."
)

# 10,000 entries took 24 s and 0.7 GB (decision 40). The rest is room for slow machines and long texts.
_SECONDS_PER_ENTRY = 0.03
_MEMORY = 2048 * MEGABYTE
_MEMORY_PER_ENTRY = MEGABYTE // 4
_MAX_OUTPUT = 256 * MEGABYTE
"""A PDF holds the attached pictures."""

MAX_LETTERS = 10
"""How many letters of one script are named."""

_MARK = b"\n%afterword-undrawn "
"""The job appends the missing letters to the PDF, behind a mark that a PDF reader takes for a comment."""
_SCRIPTS = {
    "CJK": "Chinese or Japanese",
    "HANGUL": "Korean",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "KANGXI": "Chinese or Japanese",
    "BOPOMOFO": "Chinese",
}
_INVISIBLE = ("Cf", "Cc", "Cs", "Zs")
"""Unicode categories of characters that join, direct or separate letters."""
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


class PdfWriter:
    """Writes documents as PDF with bookmarks, links and attached pictures. The same document gives the same bytes.

    Blocks for two seconds and more (ten thousand entries: about a minute). Raises JobError; its sentence says what to
    install if that is the reason.
    """

    def __init__(self, templates: SandboxedEnvironment, override: TemplateOverride = NO_OVERRIDE) -> None:
        self._html = HtmlWriter(templates, override)

    def __call__(self, document: Document) -> bytes:
        """The PDF."""
        return self.draw(document, Timeouts().pdf)[0]

    def draw(self, document: Document, seconds: float) -> tuple[bytes, str]:
        """The PDF, and the letters that no font of this machine has.

        It may take `seconds`, and a little more for each entry.
        """
        entries = len(document.timeline)
        limits = Limits(seconds + _SECONDS_PER_ENTRY * entries, _MEMORY + _MEMORY_PER_ENTRY * entries, _MAX_OUTPUT)
        page = self._html.write_page(document, on_paper=True)
        try:
            return split_missing(run_job("pdf", page.encode(), limits))
        except JobError as error:
            raise type(error)(f"The PDF couldn't be made. {error}") from error


def explain_missing_packages() -> str:
    """Why no PDF can be made here, or "". WeasyPrint is not started, so libraries that it lacks do not show."""
    return NOT_INSTALLED if find_spec("weasyprint") is None else ""


def append_missing(pdf: bytes, letters: Iterable[int]) -> bytes:
    """The PDF, followed by the mark and those of the code points that would be visible, if only none."""
    visible = sorted({letter for letter in letters if _is_visible(letter)})
    return pdf + _MARK + " ".join(f"{letter:x}" for letter in visible).encode() + b"\n"


def split_missing(output: bytes) -> tuple[bytes, str]:
    """The inverse of `append_missing`: the PDF and the letters."""
    pdf, mark, letters = output.rpartition(_MARK)
    if not mark:
        return output, ""
    try:
        return pdf, "".join(chr(int(letter, 16)) for letter in letters.split())
    except ValueError:  # the mark occurs in the PDF itself
        return output, ""


def _is_visible(letter: int) -> bool:
    is_letter = 0 < letter < 0x110000 and letter not in _VARIATION_SELECTORS
    return is_letter and unicodedata.category(chr(letter)) not in _INVISIBLE


@dataclass(frozen=True, slots=True)
class ScriptLetters:
    """A script by its everyday name, some of its letters, and how many more there are."""

    name: str
    letters: str
    more: int = 0


def group_by_script(letters: str) -> tuple[ScriptLetters, ...]:
    """The letters by script, in the order in which the scripts first occur."""
    scripts: dict[str, str] = {}
    for letter in letters:
        name = _script_of(letter)
        scripts[name] = scripts.get(name, "") + letter
    return tuple(
        ScriptLetters(name, group[:MAX_LETTERS], max(len(group) - MAX_LETTERS, 0)) for name, group in scripts.items()
    )


def _script_of(letter: str) -> str:
    if not unicodedata.category(letter).startswith(("L", "M", "N")):
        return "symbols"
    first = unicodedata.name(letter, "other letters").partition(" ")[0]
    return _SCRIPTS.get(first, first.capitalize())


def describe_scripts(letters: str) -> str:
    """`Chinese or Japanese (数据库), Korean (부산시)`."""
    return ", ".join(
        f"{one.name} ({one.letters}{f' and {one.more} more' if one.more else ''})" for one in group_by_script(letters)
    )
