"""Services and tags as people type them: several in a line, taken away again, renamed; and when two names are one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import facets as facets_rules
from bot.domain.facets import LONGEST, MOST, FacetChange, FacetKind, fold
from bot.errors import Refused

SERVICE, TAG = FacetKind.SERVICE, FacetKind.TAG


@pytest.mark.parametrize(
    ("line", "added", "removed"),
    [
        ("checkout", ("checkout",), ()),
        ("checkout, payments", ("checkout", "payments"), ()),
        ("checkout,payments;search", ("checkout", "payments", "search"), ()),
        ("-checkout", (), ("checkout",)),
        ("– checkout", (), ("checkout",)),
        ("—checkout, +payments", ("payments",), ("checkout",)),
        ("payments -checkout", ("payments",), ("checkout",)),
        ("checkout-api, eu-west-1", ("checkout-api", "eu-west-1"), ()),
        ("#database #pool", ("database", "pool"), ()),
        ('"Payment Gateway", `search`', ("Payment Gateway", "search"), ()),
        ("Payment  Gateway", ("Payment Gateway",), ()),
        ("Checkout, checkout, CHECKOUT", ("Checkout",), ()),
        ("checkout, , payments,", ("checkout", "payments"), ()),
        ("checkout, -checkout", (), ("checkout",)),
        ("a\nb", ("a", "b"), ()),
        ("C++", ("C++",), ()),
        ("поиск, 検索", ("поиск", "検索"), ()),
    ],
)
def test_a_line_names_what_to_add_and_what_to_take_away(
    line: str, added: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    assert facets_rules.parse(line, SERVICE) == FacetChange(added, removed)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "Which service? Try `/incident service checkout, payments`"),
        (" , ,", "Which service?"),
        ("-", "Which service?"),
        ("***", "needs a name with letters or digits"),
        ("x" * (LONGEST + 1), "can have 40 characters; this one has 41"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "looks like a credential"),
    ],
)
def test_what_is_no_name_is_refused(line: str, says: str) -> None:
    with pytest.raises(Refused, match=says.replace("?", r"\?").replace("*", r"\*")):
        facets_rules.parse(line, SERVICE)


@pytest.mark.parametrize("other", ["CHECKOUT", " checkout ", "Checkout", "ｃheckout"])
def test_two_spellings_are_one_name(other: str) -> None:
    assert fold(other) == fold("checkout")


@pytest.mark.parametrize("other", ["check-out", "checkout api", "checkout_", "chéckout"])
def test_two_names_stay_two(other: str) -> None:
    assert fold(other) != fold("checkout")


def test_case_is_folded_in_every_script() -> None:
    assert fold("STRASSE") == fold("straße")
    assert fold("ПОИСК") == fold("поиск")


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(st.text(max_size=200))
def test_whatever_is_typed_gives_names_that_can_be_stored_and_typed_again(line: str) -> None:
    try:
        change = facets_rules.parse(line, TAG)
    except Refused:
        return
    names = (*change.added, *change.removed)
    assert names
    assert len({fold(name) for name in names}) == len(names)
    for name in names:
        assert 0 < len(name) <= LONGEST
        assert "\n" not in name
        assert facets_rules.parse(name, TAG) == FacetChange((name,), ())


@pytest.mark.parametrize(
    "line",
    ["checkout = checkout-api", "checkout=checkout-api", "checkout -> checkout-api", "checkout → checkout-api",
     "checkout to checkout-api", "checkout into checkout-api", '"checkout" = "checkout-api"'],
)  # fmt: skip
def test_a_name_is_exchanged_for_another(line: str) -> None:
    assert facets_rules.parse_renaming(line, SERVICE) == ("checkout", "checkout-api")


@pytest.mark.parametrize("line", ["checkout", "checkout =", "= api", "checkout = checkout", "a = " + "x" * 41])
def test_half_a_renaming_is_refused(line: str) -> None:
    with pytest.raises(Refused):
        facets_rules.parse_renaming(line, SERVICE)


def test_another_case_is_a_renaming_too() -> None:
    assert facets_rules.parse_renaming("checkout = Checkout", SERVICE) == ("checkout", "Checkout")


def test_an_incident_has_ten_of_each_kind_at_most() -> None:
    names = [f"s{number}" for number in range(MOST)]
    facets_rules.require_room([*names, "S1"], SERVICE)
    with pytest.raises(Refused, match="can have 10 services; that would be 11"):
        facets_rules.require_room([*names, "one more"], SERVICE)


def test_a_misspelled_name_leads_to_the_one_meant() -> None:
    assert facets_rules.find_like("chekout", ["Checkout", "search"]) == "Checkout"
    assert facets_rules.find_like("zzz", ["Checkout", "search"]) == ""
