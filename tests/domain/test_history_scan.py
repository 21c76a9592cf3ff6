"""Which messages speak for themselves."""

import pytest

from bot.domain.similarity import ProposalReason, find_reason, has_graph_link


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
    assert has_graph_link(text)


@pytest.mark.parametrize(
    "text",
    ["grafana is down", "<https://example.com/handbook>", "look at graph.png", "<https://example.com/?q=grafana>", ""],
)
def test_other_words_and_addresses_are_not(text: str) -> None:
    assert not has_graph_link(text)


def test_what_somebody_marked_counts_most_and_a_link_least() -> None:
    link = "<https://grafana.example.com/d/1>"
    assert find_reason(link, is_marked=True, has_time=True, has_image=True) is ProposalReason.MARKED
    assert find_reason(link, is_marked=False, has_time=True, has_image=True) is ProposalReason.TIME
    assert find_reason("", is_marked=False, has_time=False, has_image=True) is ProposalReason.GRAPH
    assert find_reason(link, is_marked=False, has_time=False, has_image=False) is ProposalReason.GRAPH
    assert find_reason("good morning", is_marked=False, has_time=False, has_image=False) is None
