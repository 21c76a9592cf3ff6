"""Search for past incidents, decisions about similar ones, and the audit."""

import sqlalchemy as sa
from alembic import op

from storage.database.statements import FlagType, UtcDateTime

# ruff: noqa: S608 (no statement here contains a value from outside)


revision = "0003"
down_revision = "0002"

_TEXTS = ("title", "cause", "told", "whys", "actions")


def upgrade() -> None:
    """Add the three tables and collect the words of existing incidents. Triggers keep them up to date from now on."""
    _recall()
    _likeness()
    _audit()
    is_sqlite = op.get_context().dialect.name == "sqlite"
    join = "group_concat(text, char(10))" if is_sqlite else "string_agg(text, chr(10))"
    op.execute(
        f"INSERT INTO recall (incident_id, {', '.join(_TEXTS)}) SELECT id, title, "
        + ", ".join(_select_texts(join, "incident.id").values())
        + " FROM incident"
    )
    if is_sqlite:
        _index_on_sqlite()
        _add_triggers_on_sqlite(join)
    else:
        _index_on_postgresql()
        _add_triggers_on_postgresql(join)


def _recall() -> None:
    op.create_table(
        "recall",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_recall_incident_id_incident"),
        sa.PrimaryKeyConstraint("incident_id", name="pk_recall"),
        sqlite_strict=True,
    )


def _likeness() -> None:
    op.create_table(
        "likeness",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("is_same", FlagType(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_likeness_incident_id_incident"),
        sa.ForeignKeyConstraint(["other_id"], ["incident.id"], name="fk_likeness_other_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_likeness"),
        sa.UniqueConstraint("incident_id", "other_id", name="uq_likeness_incident_id_other_id"),
        sqlite_strict=True,
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_audit_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_incident_id", "audit", ["incident_id"])
    refusal = "audit is append-only"
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
    )


def _select_texts(join: str, of: str) -> dict[str, str]:
    """The expression of each text except the title; `of` is the incident's row."""
    latest = (
        f"SELECT text FROM section AS saved WHERE incident_id = {of} AND version = (SELECT max(version) "
        "FROM section AS newer WHERE newer.incident_id = saved.incident_id AND newer.section = saved.section)"
    )
    whys = f"SELECT text FROM why WHERE incident_id = {of} AND NOT struck"
    parts = {
        "cause": f"{latest} AND section = 'root_cause' UNION ALL {whys} AND is_root",
        "told": f"{latest} AND section NOT IN ('root_cause', 'recurrence', 'backlog_check')",
        "whys": whys,
        "actions": f"SELECT text FROM action WHERE incident_id = {of}",
    }
    return {name: f"coalesce((SELECT {join} FROM ({part}) AS parts), '')" for name, part in parts.items()}


def _index_on_sqlite() -> None:
    # The index has no copy of the words (content=), so a trigger says which ones to remove.
    columns = ", ".join(_TEXTS)
    op.execute(
        f"CREATE VIRTUAL TABLE recall_words USING fts5({columns}, content='recall', content_rowid='incident_id', "
        "tokenize='porter unicode61 remove_diacritics 2')"
    )
    op.execute("INSERT INTO recall_words (recall_words) VALUES ('rebuild')")
    came = f"INSERT INTO recall_words (rowid, {columns}) VALUES (NEW.incident_id, {_of('NEW')});"
    went = (
        f"INSERT INTO recall_words (recall_words, rowid, {columns}) VALUES ('delete', OLD.incident_id, {_of('OLD')});"
    )
    op.execute(f"CREATE TRIGGER recall_came AFTER INSERT ON recall BEGIN {came} END")
    op.execute(f"CREATE TRIGGER recall_changed AFTER UPDATE ON recall BEGIN {went} {came} END")
    op.execute(f"CREATE TRIGGER recall_went AFTER DELETE ON recall BEGIN {went} END")


def _of(row: str) -> str:
    return ", ".join(f"{row}.{name}" for name in _TEXTS)


def _update_texts(join: str) -> str:
    texts = ", ".join(f"{name} = {select}" for name, select in _select_texts(join, "NEW.incident_id").items())
    return f"UPDATE recall SET {texts} WHERE incident_id = NEW.incident_id;"


_BEGIN = (
    "INSERT INTO recall (incident_id, title, cause, told, whys, actions) VALUES (NEW.id, NEW.title, '', '', '', '');"
)
_RETITLE = "UPDATE recall SET title = NEW.title WHERE incident_id = NEW.id;"
_OCCASIONS = {
    "section": ("INSERT",),
    "why": ("INSERT", "UPDATE OF text, is_root, struck"),
    "action": ("INSERT", "UPDATE OF text"),
}


def _add_triggers_on_sqlite(join: str) -> None:
    op.execute(f"CREATE TRIGGER incident_recalled_insert AFTER INSERT ON incident BEGIN {_BEGIN} END")
    op.execute(
        "CREATE TRIGGER incident_recalled_update AFTER UPDATE OF title ON incident WHEN NEW.title <> OLD.title "
        f"BEGIN {_RETITLE} END"
    )
    for table, occasions in _OCCASIONS.items():
        for occasion in occasions:
            name = f"{table}_recalled_{occasion.split()[0].lower()}"
            op.execute(f"CREATE TRIGGER {name} AFTER {occasion} ON {table} BEGIN {_update_texts(join)} END")


def _index_on_postgresql() -> None:
    # A tsvector holds a megabyte at most, so that only the beginning of a very long text is found.
    weights = {"title": "B", "cause": "A", "told": "C", "whys": "B", "actions": "D"}
    words = " || ".join(
        f"setweight(to_tsvector('english'::regconfig, left({name}, 40000)), '{weight}')"
        for name, weight in weights.items()
    )
    op.execute(f"ALTER TABLE recall ADD COLUMN recall_words tsvector GENERATED ALWAYS AS ({words}) STORED")
    # Written rarely: with fastupdate every search would also read through what waits to go into the index.
    op.execute("CREATE INDEX recall_words_index ON recall USING gin (recall_words) WITH (fastupdate = off)")


def _add_triggers_on_postgresql(join: str) -> None:
    for name, body in (("begin", _BEGIN), ("retitle", _RETITLE), ("gather", _update_texts(join))):
        op.execute(
            f"CREATE FUNCTION recall_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
        )
    begun = {
        "INSERT ON incident FOR EACH ROW": "begin",
        "UPDATE OF title ON incident FOR EACH ROW WHEN (NEW.title <> OLD.title)": "retitle",
    }
    gathered = {
        f"{' OR '.join(occasions)} ON {table} FOR EACH ROW": "gather" for table, occasions in _OCCASIONS.items()
    }
    for occasion, name in (begun | gathered).items():
        table = occasion.split(" ON ")[1].split()[0]
        op.execute(f"CREATE TRIGGER {table}_recalled_{name} AFTER {occasion} EXECUTE FUNCTION recall_{name}()")
