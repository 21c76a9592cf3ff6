"""`afterword.toml`: every mistake names its line, and the old file stays in force while there is one."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import bounds
from bot.errors import Misconfigured
from bot.policy import build_severity_policies, require_sections, watch_config
from bot.settings import load
from bot.settings.config_file import read
from bot.toml import find_line

GOOD = """\
# Who writes what.
[policy.default]
due = { mitigate = "7d", prevent = "30d" }
also = ["lead"]

[policy.sev1]
remind_after = [12, 24]
weeks = 2
also = ["opener", "#incidents", "@ana"]
rest_hours = "none"

[policy.sev3]
postmortem = "optional"
due.mitigate = "2w"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "afterword.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes_in(folder: Path, text: str) -> list[str]:
    with pytest.raises(Misconfigured) as refused:
        require_sections(None, read(write(folder, text)))
    return str(refused.value).splitlines()


def test_a_severity_takes_what_it_leaves_out_from_the_default(tmp_path: Path) -> None:
    policies = build_severity_policies(read(write(tmp_path, GOOD)))
    first, second, third = (policies.find(number) for number in (1, 2, 3))
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.also == ("opener", "#incidents", "@ana")
    assert (first.after_resolution, first.weeks) == ((timedelta(hours=12), timedelta(hours=24)), 2)
    assert (first.rest_hours, second.rest_hours) == ((), None)
    assert second.also == ("lead",)
    assert dict(third.due) == {"mitigate": timedelta(weeks=2), "prevent": timedelta(days=30)}


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        (
            "[policy.sev1]\nremind_afer = [24]\n",
            ["line 2: remind_afer isn't known in [policy.sev1]. Did you mean remind_after?"],
        ),
        ("\n[policy.sev5]\nweeks = 1\n", ["line 2: sev5 isn't known in [policy]. Did you mean sev4?"]),
        ("[polcy.sev1]\n", ["line 1: polcy isn't known in the file. Did you mean policy?"]),
        (
            '[policy.sev1]\n\npostmortem = "requred"\n',
            ['line 3: policy.sev1.postmortem can\'t be \'requred\': write "required", "optional" or "none".'],
        ),
        (
            '[policy.sev1]\nweeks = 60\n[policy.sev2]\ndue = { mitigat = "7d" }\n',
            [
                "line 2: policy.sev1.weeks can't be '60': write a number of weeks, 0 to 52.",
                "line 4: mitigat isn't known in [policy.sev2.due]. Did you mean mitigate?",
            ],
        ),
        (
            '[policy.sev1]\nsections = [\n  "sumary",\n]\n',
            ["line 2: sumary isn't a section. Did you mean summary?"],
        ),
        (
            '[policy.sev1.due]\nprevent = "soon"\n',
            ['line 2: policy.sev1.due.prevent can\'t be \'soon\': write days or weeks, as in "7d" or "2w".'],
        ),
        (
            '[policy.sev1]\nalso = ["the boss"]\n',
            ["line 2: policy.sev1.also can't be \"['the boss']\": write who else hears"],
        ),
        ('[policy.sev1]\nowner = "someone"\n', ["line 2: policy.sev1.owner can't be 'someone': write \"lead\""]),
        ('[policy.sev1]\nrest_hours = "25-8"\n', ["line 2: policy.sev1.rest_hours can't be '25-8': write two hours"]),
        ('[policy.sev1]\nremind_after = "24"\n', ["line 2: policy.sev1.remind_after can't be '24': write hours"]),
        ("[policy.sev1]\nremind_after = []\n", ["line 2: policy.sev1.remind_after can't be '[]': write hours"]),
        (
            '[policy.sev1]\nrest_days = ["funday"]\n',
            ["line 2: policy.sev1.rest_days can't be \"['funday']\": write days"],
        ),
        ("policy = 3\n", ["line 1: policy can't be '3': write a table here, with its keys below its heading."]),
        (
            "[policy]\nsev1 = 3\n",
            ["line 2: policy.sev1 can't be '3': write a table here, with its keys below its heading."],
        ),
        ("[policy.sev1]\nweeks = \n", ["line 2: this isn't TOML (invalid value)."]),
        ('[policy.sev1]\nowner = "lead\n', ["line 2: this isn't TOML (illegal character '\\n')."]),
        ("[policy.sev1\n", ["line 1: this isn't TOML (expected ']' at the end of a table declaration)."]),
    ],
)
def test_a_mistake_names_its_line_and_the_remedy(tmp_path: Path, text: str, mistakes: list[str]) -> None:
    found = mistakes_in(tmp_path, text)
    assert len(found) == len(mistakes)
    for sentence, expected in zip(found, mistakes, strict=True):
        assert sentence.startswith(f"afterword.toml, {expected}")


def test_a_file_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "afterword.toml"
    with pytest.raises(Misconfigured, match="which can't be read"):
        read(path)
    path.write_bytes(b"[policy.sev1]\n# caf\xe9\n")
    with pytest.raises(Misconfigured, match="line 2: this isn't UTF-8 text"):
        read(path)
    path.write_bytes(b"#" * (bounds.CONFIG_FILE + 1))
    with pytest.raises(Misconfigured, match="more than 100,000 bytes"):
        read(path)
    path.write_bytes(b"a = " + b"[" * 90_000)
    with pytest.raises(Misconfigured, match="afterword"):
        read(path)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_a_sentence_with_a_line(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = write(tmp_path_factory.mktemp("any"), text.encode("utf-8", "replace").decode())
    try:
        build_severity_policies(read(path))
    except Misconfigured as refused:
        assert all(" line " in line for line in str(refused).splitlines())  # noqa: PT017 (most texts are refused)


def test_a_line_is_found_below_headings_of_lists_too() -> None:
    text = '[[rule]]\nform = "a"\n\n[[rule]]\nform = "b"\n'
    assert find_line(text, ("rule", 1, "form")) == 5
    assert find_line(text, ("rule", 0, "other")) == 1


def test_a_changed_file_counts_and_a_broken_one_leaves_the_old_in_force(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    watched = watch_config(load({"AFTERWORD_CONFIG": str(path)}, env_file=None))
    first = watched.current
    assert not watched.reload()
    write(tmp_path, GOOD.replace("weeks", "week"))
    assert watched.reload()
    assert watched.current is first
    assert watched.trouble.startswith("The policy before it stays in force. afterword.toml, line 8: week isn't known")
    assert not watched.reload(), "the same mistake is no news"
    write(tmp_path, GOOD.replace("weeks = 2", "weeks = 5"))
    assert watched.reload()
    assert watched.trouble == ""
    policy = build_severity_policies(watched.current).find(1)
    assert policy is not None
    assert policy.weeks == 5


def test_without_the_setting_there_is_no_policy(tmp_path: Path) -> None:
    watched = watch_config(load({}, env_file=None))
    assert not watched.reload()
    assert build_severity_policies(watched.current).policies == ()
    path = write(tmp_path, "# nothing yet\n")
    assert build_severity_policies(read(path)).find(1) is None


def test_a_section_of_a_form_of_the_team_may_be_required(tmp_path: Path) -> None:
    config = read(write(tmp_path, '[policy.sev1]\nsections = ["costs"]\n'))
    with pytest.raises(Misconfigured, match="line 2: costs isn't a section"):
        require_sections(tmp_path, config)
    forms = tmp_path / "forms"
    forms.mkdir()
    (forms / "own.toml").write_text("[summary]\n\n[costs]\n", encoding="utf-8")
    require_sections(forms, config)
