"""A page is looked at before Confluence sees it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.integrations.confluence.client import LARGEST, add_mark, check_storage
from bot.integrations.http import IntegrationError

MACRO = (
    '<ac:structured-macro ac:name="status"><ac:parameter ac:name="title">SEV1</ac:parameter></ac:structured-macro>'
    '<ac:link><ri:user ri:account-id="1"/></ac:link><ac:plain-text-body><![CDATA[a < b]]></ac:plain-text-body>'
)


@pytest.mark.parametrize("body", ["", "text", "<p>a&nbsp;b &mdash; &euro; &amp; &#8364; 😀</p>", MACRO, "<br/>"])
def test_what_confluence_takes_passes(body: str) -> None:
    check_storage(body)


@pytest.mark.parametrize(
    "body",
    [
        *("<p>a", "a<br>b", "<p>a & b</p>", "a < b", "</p>", "</page><page>", "<p a=1/>", "&nosuch;", "<x:y/>", "\x00"),
        *("<!DOCTYPE a [<!ENTITY b 'c'>]><p>&b;</p>", "<?xml version='1.0'?><p/>", "\ud800", "]]>"),
    ],
)
def test_what_confluence_refuses_is_told_before(body: str) -> None:
    with pytest.raises(IntegrationError) as caught:
        check_storage(body)
    assert caught.value.is_permanent
    assert not caught.value.may_have_happened


def test_the_place_of_the_fault_is_told() -> None:
    with pytest.raises(IntegrationError, match=r"line 2, column 8 \(mismatched tag\)"):
        check_storage("<p>fine</p>\n<p>no</b>")


def test_a_page_beyond_the_limit_is_told_by_its_bytes() -> None:
    check_storage("<p>" + "a" * 4_000_000 + "</p>")
    with pytest.raises(IntegrationError, match="up to 5 MB"):
        check_storage("<p>" + "ü" * (LARGEST // 2) + "</p>")


@given(st.text(alphabet="<>&\"'/ab ![]-;?", max_size=40))
def test_no_text_breaks_the_check(body: str) -> None:
    try:
        check_storage(body)
    except IntegrationError as error:
        assert re.search(r"line \d+, column \d+", str(error))  # noqa: PT017


def test_a_mark_is_put_in_once_and_stays_well_formed() -> None:
    once = add_mark("<p>a</p>", "afterword-T1-inc-7")
    check_storage(once)
    assert once.count("afterword-T1-inc-7") == 1
    assert add_mark(once, "afterword-T1-inc-7") == once
    check_storage(add_mark("", "a<b&c"))
