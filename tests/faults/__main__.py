"""Writes docs/reliability.md."""

from tests.faults.catalog import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
