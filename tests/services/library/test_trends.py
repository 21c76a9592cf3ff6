"""The page of numbers where there is very much, and where there is nothing."""

from dataclasses import replace

from bot.domain.numbers import Group, Grouping, Selection, count_up, divide, read_period
from bot.services.library.numbers import Comparison
from bot.services.library.pages import Site
from bot.services.library.trends import LISTED, MOST_PARTS, draw_trends, parse_query
from tests.support.twenty_incidents import COUNTED, NOW

CHOSEN = Selection(read_period("2026-09..2026-11", NOW))
SITE = Site(trends="/library/trends")


def draw(query: dict[str, str], count: int) -> str:
    """The page of so many incidents, each with a service of its own and the service `checkout`."""
    two = COUNTED[0].to_counted()
    every = [
        replace(two, incident=replace(two.incident, id=number, number=number), services=("checkout", f"shard-{number}"))
        for number in range(1, count + 1)
    ]
    asked = parse_query({"period": "2026-09..2026-11", **query}, NOW)
    groups = (Group("all", CHOSEN, count_up(every, NOW)), *divide(every, CHOSEN, asked.by, NOW))
    return draw_trends(SITE, asked, Comparison(groups, is_cut=False), NOW)


def test_of_very_many_services_the_most_frequent_are_shown_and_the_rest_is_in_the_csv() -> None:
    page = draw({"by": "service"}, 300)
    assert f"The {MOST_PARTS} most frequent are shown; {301 - MOST_PARTS} more are in the" in page
    assert page.count('<tr><th scope="row" dir="auto">checkout</th>') == 4  # and thrice in the table of times
    assert page.count("<text") < 1_500
    assert "The chart shows 12 of 60" in page


def test_of_very_many_incidents_behind_a_figure_the_latest_are_listed() -> None:
    page = draw({"show": "all"}, 300)
    assert page.count('<span class="key">') == LISTED
    assert "INC-300" in page
    assert f"And {300 - LISTED} more." in page


def test_of_nothing_there_is_a_sentence() -> None:
    page = draw({}, 0)
    assert "No incident that you can see was resolved: Sep to Nov 2026. Choose another period." in page
    assert "<svg" not in page


def test_an_address_is_written_as_it_is_read() -> None:
    query = parse_query({"period": "2026-q3", "severity": "sev2", "service": " Check  out ", "by": "tag"}, NOW)
    assert query.by is Grouping.TAG
    assert query.address(SITE, show="later") == (
        "/library/trends?period=2026-q3&severity=2&service=Check+out&by=tag&show=later#behind"
    )
    assert parse_query({"period": "9999", "by": "person", "show": "people", "severity": "0"}, NOW) == parse_query(
        {}, NOW
    )
