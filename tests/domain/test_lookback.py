"""Which messages speak for themselves."""

import pytest

from bot.domain.similarity import Reason, links_to_a_graph, reason


@pytest.mark.parametrize(
    "text",
    [
        "see <https://grafana.example.com/d/abc?from=1|the graph>",
        "<https://app.datadoghq.com/monitors/1>",
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home",
        "<https://one.newrelic.com/launcher>",
        "<https://ui.honeycomb.io/team/datasets>",
        "<http://metrics.example.com/dashboards/7>",
        "<https://files.example.com/p99.PNG?size=2>",
    ],
)
def test_addresses_of_dashboards_and_pictures_are_known(text: str) -> None:
    assert links_to_a_graph(text)


@pytest.mark.parametrize(
    "text",
    ["grafana is down", "<https://example.com/handbook>", "look at graph.png", "<https://example.com/?q=grafana>", ""],
)
def test_other_words_and_addresses_are_not(text: str) -> None:
    assert not links_to_a_graph(text)


def test_what_somebody_marked_counts_most_and_a_link_least() -> None:
    link = "<https://grafana.example.com/d/1>"
    assert reason(link, is_marked=True, has_time=True, has_image=True) is Reason.MARKED
    assert reason(link, is_marked=False, has_time=True, has_image=True) is Reason.TIME
    assert reason("", is_marked=False, has_time=False, has_image=True) is Reason.GRAPH
    assert reason(link, is_marked=False, has_time=False, has_image=False) is Reason.GRAPH
    assert reason("good morning", is_marked=False, has_time=False, has_image=False) is None
