"""Whatever people do to a page: only what is ours and untouched is rewritten, and nothing of theirs is missing."""

import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.outline import define_outline, give_outline
from bot.domain.records import Case
from bot.domain.sections import SECTIONS
from bot.export import Exporter
from bot.export.confluence.merge import (
    FreshPage,
    PageSnapshot,
    RegionChange,
    StructureLostError,
    find_touched,
    join_snapshots,
    merge,
    read_back,
    snapshot_found,
    snapshot_written,
)
from bot.export.confluence.regions import SplitPage, exceeds_markdown, render_markdown, split_page
from bot.integrations.confluence.client import check_storage
from tests.support.export.cases import FULL, NOW

EXPORTER = Exporter()
SLUGS = [section.slug for section in SECTIONS]
LAYOUT = (
    '<ac:layout><ac:layout-section ac:type="single"><ac:layout-cell>{}</ac:layout-cell></ac:layout-section></ac:layout>'
)


def fresh(case: Case) -> FreshPage:
    document = postmortem_rules.compile_document(case, NOW)
    body, _ = EXPORTER.write_confluence_page(document)
    facts = {region.id: (region.facts, region.seen) for region in EXPORTER.compile_draft(document).facts(document)}
    return FreshPage(split_page(body), facts)


@cache
def before() -> FreshPage:
    return fresh(FULL)


@cache
def after() -> FreshPage:
    """The same once the record has changed: another title, another text of two sections, an entry less."""
    sections = {
        slug: replace(text, text=f"{text.text} And more of it.") if slug in ("leadup", "impact") else text
        for slug, text in FULL.sections.items()
    }
    return fresh(replace(FULL, sections=sections, entries=FULL.entries[:-1]))


def storage(page: SplitPage) -> str:
    return page.text.decode()


def read_own(page: SplitPage, id_: str) -> str:
    return render_markdown(page.parts[id_].own)


def pieces(page: SplitPage) -> tuple[str, dict[str, str]]:
    """What stands before the regions, and each region's own storage."""
    text, parts = page.text, page.parts
    starts = {id_: part.own[0].start for id_, part in parts.items()}
    head = text[: min(starts.values())].decode()
    return head, {id_: text[part.own[0].start : part.whole[-1].end].decode() for id_, part in parts.items()}


EDITS = st.lists(
    st.tuples(st.sampled_from(["write", "add", "remove", "move"]), st.sampled_from(SLUGS)), max_size=6, unique=True
)


def edit_page(edits: list[tuple[str, str]]) -> tuple[str, list[str], set[str], set[str]]:
    """The page after people were at it: its body, what they wrote, and the regions they wrote in and took off."""
    head, regions = pieces(before().page)
    typed: list[str] = []
    written, removed = set[str](), set[str]()
    order = list(regions)
    for number, (what, id_) in enumerate(edits):
        if id_ in removed:
            continue
        theirs = f"theirs{number}"
        if what == "write" and "<h2>Added" not in regions[id_]:
            regions[id_] += f"<p>They said <u>{theirs}</u>&nbsp;&hellip;</p>"
            written.add(id_)
        elif what == "add":
            regions[id_] += f"<h2>Added</h2><p>{theirs}</p>"
        elif what == "move":
            order.insert(0, order.pop(order.index(id_)))
        elif what == "remove" and theirs and len(removed) < 5 and not any(w in regions[id_] for w in typed):
            order.remove(id_)
            removed.add(id_)
        if what in ("write", "add") and theirs in regions[id_]:
            typed.append(theirs)
    return head + "".join(regions[id_] for id_ in order), typed, written, removed


@given(EDITS, st.booleans(), st.sampled_from([RegionChange.LEAVE, RegionChange.WAIT]))
@settings(deadline=None, max_examples=60)
def test_only_untouched_regions_are_rewritten_and_all_that_people_wrote_stays(
    edits: list[tuple[str, str]], is_laid_out: bool, deed: RegionChange
) -> None:
    body, typed, written, removed = edit_page(edits)
    page = split_page(LAYOUT.format(body) if is_laid_out else body)
    record = snapshot_written(before())
    found = find_touched(page, after(), record)
    assert set(found) == written
    merged = merge(page, after(), record, dict.fromkeys(found, deed), ())
    check_storage(merged.body)
    assert set(merged.gone) == removed
    assert all(merged.body.count(theirs) == 1 for theirs in typed)
    again = split_page(merged.body)
    assert list(again.parts) == list(page.parts)
    for id_ in again.parts:
        wanted = read_own(page, id_) if id_ in written else read_own(after().page, id_)
        assert read_own(again, id_) == wanted
    assert set(find_touched(again, after(), merged.record)) == (written if deed is RegionChange.WAIT else set())
    once_more = merge(again, after(), merged.record, dict.fromkeys(written, deed), ())
    assert not once_more.is_changed
    assert once_more.body == merged.body


@given(EDITS)
@settings(deadline=None, max_examples=30)
def test_bytes_between_the_regions_are_as_they_were(edits: list[tuple[str, str]]) -> None:
    body, _, _, _ = edit_page(edits)
    page = split_page(body)
    merged = merge(page, before(), snapshot_written(before()), {}, ())
    assert (merged.body, merged.is_changed) == (storage(page), False)


def test_what_was_taken_off_comes_back_to_its_place() -> None:
    head, regions = pieces(before().page)
    for gone in ("summary", "fault", "actions"):
        page = split_page(head + "".join(text for id_, text in regions.items() if id_ != gone))
        merged = merge(page, after(), snapshot_written(before()), {}, [gone])
        assert list(split_page(merged.body).parts) == SLUGS
        assert gone in merged.record.regions


def test_the_head_follows_the_record_and_a_note_above_it_stays() -> None:
    page = split_page(f"<p>Read this first.</p>{storage(before().page)}")
    retitled = fresh(replace(FULL, incident=replace(FULL.incident, severity=1)))
    merged = merge(page, retitled, snapshot_written(before()), {}, ())
    assert merged.body.startswith("<p>Read this first.</p><ac:structured-macro")
    assert "SEV1" in merged.body
    later = FreshPage(
        split_page(storage(before().page).replace("2026-11-29 12:00 UTC", "2026-11-30 12:00 UTC")), before().facts
    )
    assert not merge(split_page(storage(before().page)), later, snapshot_written(before()), {}, ()).is_changed


def test_a_head_that_people_changed_stays_theirs() -> None:
    page = split_page(storage(before().page).replace("Incident lead", "Lead of it"))
    retitled = fresh(replace(FULL, incident=replace(FULL.incident, severity=1)))
    assert "Lead of it" in merge(page, retitled, snapshot_written(before()), {}, ()).body


WAY_BACK = '<p>From <a href="https://chat.example">INC-7 in Slack</a>.</p>'
OLD_HEAD = (
    f'{WAY_BACK}<ac:structured-macro ac:name="info">'
    "<ac:rich-text-body><table><tbody><tr><th>INC-7</th></tr></tbody></table><p>Compiled on 2026-11-20 12:00 UTC.</p>"
    '</ac:rich-text-body></ac:structured-macro><ac:structured-macro ac:name="toc" />'
)


def of_another_make() -> FreshPage:
    """The page as an earlier version wrote its head."""
    _, regions = pieces(before().page)
    return FreshPage(split_page(OLD_HEAD + "".join(regions.values())), before().facts)


def of_this_make() -> FreshPage:
    return FreshPage(split_page(WAY_BACK + storage(before().page)), before().facts)


def test_a_head_of_another_make_that_nobody_touched_is_replaced_as_a_whole() -> None:
    page, fresh = of_another_make(), of_this_make()
    merged = merge(split_page(f"<p>Read this.</p>{storage(page.page)}"), fresh, snapshot_written(page), {}, ())
    head, _ = pieces(fresh.page)
    assert merged.body.replace("\n", "").startswith(f"<p>Read this.</p>{head}<h2>".replace("\n", ""))
    assert not merge(split_page(merged.body), fresh, merged.record, {}, ()).is_changed


def test_a_head_of_another_make_that_people_changed_stays_theirs() -> None:
    page = of_another_make()
    theirs = storage(page.page).replace("<th>INC-7</th>", "<th>INC-7, the pool</th>")
    merged = merge(split_page(theirs), of_this_make(), snapshot_written(page), {}, ())
    assert merged.body.startswith(OLD_HEAD.replace("<th>INC-7</th>", "<th>INC-7, the pool</th>"))


@pytest.mark.parametrize("page", ["<p>All new.</p>", "", "<h2>Another matter</h2>"])
def test_a_page_without_any_region_is_lost(page: str) -> None:
    with pytest.raises(StructureLostError):
        merge(split_page(page), after(), snapshot_written(before()), {}, ())


def test_text_that_stands_in_no_block_is_not_thrown_away() -> None:
    page = split_page(storage(before().page).replace("client library.</p>", "client library.</p> loose words <p>x</p>"))
    (found,) = find_touched(page, after(), snapshot_written(before())).items()
    assert (found[0], found[1].holds_more) == ("leadup", True)


def test_either_of_two_writes_is_ours_where_nobody_knows_which_arrived() -> None:
    record = join_snapshots(snapshot_written(before()), snapshot_written(after()))
    for page in (before().page, after().page):
        assert find_touched(page, fresh(replace(FULL, sections={})), record) == {}


def test_a_page_that_nobody_but_us_has_written_has_no_edits() -> None:
    record = snapshot_found(before().page, after())
    merged = merge(before().page, after(), record, {}, ())
    assert {id_: read_own(split_page(merged.body), id_) for id_ in SLUGS} == {
        id_: read_own(after().page, id_) for id_ in SLUGS
    }


def test_a_copy_of_a_region_is_somebodys_section() -> None:
    _, regions = pieces(before().page)
    page = split_page(storage(before().page).replace(regions["impact"], regions["leadup"] + regions["impact"]))
    assert find_touched(page, before(), snapshot_written(before())) == {}
    merged = merge(page, after(), snapshot_written(before()), {}, ())
    assert merged.body.count(regions["leadup"]) == 1


@pytest.mark.parametrize(
    ("storage_", "more"),
    [
        ("<p>plain <strong>b</strong> <a href='https://a.example'>l</a></p>", False),
        ("<p><ac:image><ri:attachment ri:filename='timeline.svg' /></ac:image></p>", False),
        ("<p><ac:image><ri:attachment ri:filename='graph.png' /></ac:image></p>", True),
        ("<p><u>under</u></p>", True),
        ("<table><tbody><tr><td colspan='2'>a</td></tr></tbody></table>", True),
        ("<p><ac:link><ri:user ri:account-id='1' /></ac:link></p>", True),
        ("<ac:task-list><ac:task><ac:task-status>complete</ac:task-status></ac:task></ac:task-list>", False),
        ("<ac:structured-macro ac:name='panel'><ac:rich-text-body /></ac:structured-macro>", True),
    ],
)
def test_what_markdown_cannot_hold_is_seen(storage_: str, more: bool) -> None:
    assert exceeds_markdown(split_page(storage_).head) is more


def test_blocks_are_cut_at_their_very_bytes() -> None:
    storage_ = '<p/><div><p a="x>y" /></div><p>é&eacute;<br/></p ><pre>a</pre>'
    page = split_page(storage_)
    assert [page.text[block.start : block.end].decode() for block in page.head] == [
        "<p/>",
        '<p a="x>y" />',
        "<p>éé<br/></p >",
        "<pre>a</pre>",
    ]


def test_the_lines_that_only_a_contested_region_has_are_known_again() -> None:
    document = postmortem_rules.compile_document(FULL, NOW)
    for label in EXPORTER.compile_draft(document).labels:
        assert len(re.findall(r"\w+", read_back(label))) > 3
    assert PageSnapshot() == PageSnapshot({})


SHORT = define_outline("short", {"summary": {}, "costs": {"title": "What it cost"}, "actions": {}})[0]


def of_short_form() -> FreshPage:
    about = replace(FULL, incident=give_outline(FULL.incident, SHORT), sections={})
    made = fresh(about)
    return replace(made, titles={"What it cost": "costs", "Incident summary": "summary"})


def test_regions_that_the_form_lost_go_unless_people_wrote_in_them() -> None:
    body = storage(before().page).replace("</h2>", "</h2><p>Ours, by hand.</p>", 2)
    page, new = split_page(body), of_short_form()
    written = list(find_touched(page, before(), snapshot_written(before())))
    merged = merge(page, new, snapshot_written(before()), {}, ())
    after_merge = split_page(merged.body, new.titles)
    assert set(after_merge.parts) == {*new.page.parts, *written}
    assert merged.body.count("Ours, by hand.") == 2
    # With the 14 again they come back: no person took them off.
    again = merge(split_page(merged.body), before(), merged.record, {}, ())
    assert again.gone == ()
    assert set(split_page(again.body).parts) >= set(before().page.parts)


def test_a_section_of_its_own_is_found_by_its_heading_where_the_anchor_was_lost() -> None:
    new = of_short_form()
    body = re.sub(
        r'<ac:structured-macro ac:name="anchor"[^>]*>(?:(?!</ac:s).)*afterword-costs.*?</ac:structured-macro>',
        "",
        storage(new.page),
        flags=re.DOTALL,
    )
    assert "costs" not in split_page(body).parts
    assert "costs" in split_page(body, new.titles).parts
