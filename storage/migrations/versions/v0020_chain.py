"""A chain over the history: each row's salted hash, linked to the one before in its incident.

Triggers append to it, whoever inserts. What is already there is chained here, so it is vouched for from now on only.
Also the exemption: a transaction that holds one may change or delete history, to forget a person or a whole incident.
"""

# ruff: noqa: S608 (only names of our own tables and columns are put into these statements)
import hashlib
import secrets

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

# The columns that are vouched for, in their order; those of time are written in UTC, whatever the session's zone.
_TIMES = {"happened_at", "ended_at", "changed_at", "saved_at", "at"}
_COLUMNS = {
    "entry_version": (
        "id", "entry_id", "version", "change", "happened_at", "ended_at", "approximate", "text", "changed_by",
        "changed_at",
    ),
    "why_version": ("id", "why_id", "version", "change", "text", "changed_by", "changed_at"),
    "section": ("id", "incident_id", "section", "version", "text", "author", "saved_at"),
    "kept_region": (
        "id", "incident_id", "section", "version", "change", "markdown", "facts", "seen", "author", "source", "draft",
        "saved_at",
    ),
    "audit": ("id", "incident_id", "who", "verb", "what", "at", "delivery"),
}  # fmt: skip
_PARENTS = {"entry_version": "entry", "why_version": "why"}
_TEXTS = {"entry_version": "text", "why_version": "text", "section": "text", "kept_region": "markdown"}
_SALT, _DIGEST = 16, 32


def upgrade() -> None:
    """Create the tables, chain what is there, and let triggers go on."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    op.create_table(
        "chain",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_chain_incident_id_incident"),
        sa.PrimaryKeyConstraint("id", name="pk_chain"),
        sa.UniqueConstraint("incident_id", "position", name="uq_chain_incident_id_position"),
        sa.UniqueConstraint("place", "row_id", name="uq_chain_place_row_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "history_exemption",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history_exemption"),
        sqlite_strict=True,
    )
    for table in _COLUMNS:
        _chain_rows(table, is_sqlite=is_sqlite)
    if is_sqlite:
        for table in _COLUMNS:
            _let_sqlite_append(table)
            _exempt_on_sqlite(table)
        return
    op.execute(_APPEND)
    for table in _COLUMNS:
        _let_postgresql_append(table)
        _exempt_on_postgresql(table)


def _content(table: str, row: str, *, is_sqlite: bool) -> str:
    columns = ", ".join(
        f"{row}.{name} AT TIME ZONE 'UTC'" if name in _TIMES and not is_sqlite else f"{row}.{name}"
        for name in _COLUMNS[table]
    )
    return f"json_array({columns})" if is_sqlite else f"json_build_array({columns})::text"


def _incident(table: str, row: str) -> str:
    if parent := _PARENTS.get(table):
        return f"(SELECT parent.incident_id FROM {parent} AS parent WHERE parent.id = {row}.{parent}_id)"
    return f"{row}.incident_id"


def _chain_rows(table: str, *, is_sqlite: bool) -> None:
    """Chain the rows of one table, behind those of the tables before it."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            f"SELECT {_incident(table, 'h')}, h.id, {_content(table, 'h', is_sqlite=is_sqlite)} "
            f"FROM {table} AS h ORDER BY 1, h.id"
        )
    )
    heads = {
        incident: (position, bytes(proof)[_SALT + _DIGEST :])
        for incident, position, proof in connection.execute(
            sa.text(
                "SELECT incident_id, position, proof FROM chain WHERE (incident_id, position) IN "
                "(SELECT incident_id, max(position) FROM chain GROUP BY incident_id)"
            )
        )
    }
    add = sa.text(
        "INSERT INTO chain (incident_id, position, place, row_id, proof) "
        "VALUES (:incident_id, :position, :place, :row_id, :proof)"
    )
    for page in rows.partitions(1000):
        new = []
        for incident, row_id, content in page:
            position, link = heads.get(incident, (0, b""))
            salt = secrets.token_bytes(_SALT)
            seal = hashlib.sha256(salt + content.encode()).digest()
            heads[incident] = position + 1, hashlib.sha256(link + seal).digest()
            proof = salt + seal + heads[incident][1]
            new.append(
                {"incident_id": incident, "position": position + 1, "place": table, "row_id": row_id, "proof": proof}
            )
        connection.execute(add, new)


def _let_sqlite_append(table: str) -> None:
    # `afterword_proof` and `afterword_erase` are functions of the connection: see storage/database/drivers.py.
    op.execute(
        f"CREATE TRIGGER {table}_chained AFTER INSERT ON {table} BEGIN "
        "INSERT INTO chain (incident_id, position, place, row_id, proof) "
        f"SELECT of.id, coalesce(last.position, 0) + 1, '{table}', NEW.id, "
        f"afterword_proof(last.proof, {_content(table, 'NEW', is_sqlite=True)}) "
        "FROM incident AS of LEFT JOIN chain AS last ON last.incident_id = of.id "
        "AND last.position = (SELECT max(position) FROM chain WHERE incident_id = of.id) "
        f"WHERE of.id = {_incident(table, 'NEW')}; END"
    )
    op.execute(
        f"CREATE TRIGGER {table}_unsalted AFTER UPDATE ON {table} BEGIN "
        f"UPDATE chain SET proof = afterword_erase(proof) WHERE place = '{table}' AND row_id = NEW.id; END"
    )


def _same(table: str, *, is_sqlite: bool) -> str:
    equals = "IS" if is_sqlite else "IS NOT DISTINCT FROM"
    return " AND ".join(f"NEW.{name} {equals} OLD.{name}" for name in _COLUMNS[table] if name != _TEXTS.get(table))


def _exempt_on_sqlite(table: str) -> None:
    refusal = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    allowed = "EXISTS (SELECT 1 FROM history_exemption)"
    if text := _TEXTS.get(table):
        allowed += f" OR (instr(NEW.{text}, '[redacted]') > 0 AND {_same(table, is_sqlite=True)})"
    op.execute(f"DROP TRIGGER {table}_no_update")
    op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN NOT ({allowed}) {refusal}")
    op.execute(f"DROP TRIGGER {table}_no_delete")
    op.execute(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
        f"WHEN NOT EXISTS (SELECT 1 FROM history_exemption) {refusal}"
    )


# The row of the incident is locked, as nearly every unit has locked it already: the next row must find this one.
_APPEND = f"""
CREATE FUNCTION chain_append(of_incident integer, of_place text, of_row integer, content text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    last_position integer;
    last_link bytea;
    salt bytea := uuid_send(gen_random_uuid());
    seal bytea := sha256(salt || convert_to(content, 'UTF8'));
BEGIN
    PERFORM 1 FROM incident WHERE id = of_incident FOR NO KEY UPDATE;
    SELECT position, substr(proof, {_SALT + _DIGEST + 1}) INTO last_position, last_link
    FROM chain WHERE incident_id = of_incident ORDER BY position DESC LIMIT 1;
    INSERT INTO chain (incident_id, position, place, row_id, proof) VALUES (
        of_incident, coalesce(last_position, 0) + 1, of_place, of_row,
        salt || seal || sha256(coalesce(last_link, ''::bytea) || seal)
    );
END $$
"""


def _let_postgresql_append(table: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_chain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"PERFORM chain_append({_incident(table, 'NEW')}, '{table}', NEW.id, "
        f"{_content(table, 'NEW', is_sqlite=False)}); RETURN NULL; END $$"
    )
    op.execute(f"CREATE TRIGGER {table}_chained AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_chain()")
    op.execute(
        f"CREATE FUNCTION {table}_unsalt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"UPDATE chain SET proof = overlay(proof PLACING decode(repeat('00', {_SALT}), 'hex') FROM 1) "
        f"WHERE place = '{table}' AND row_id = NEW.id; RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_unsalted AFTER UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_unsalt()"
    )


def _exempt_on_postgresql(table: str) -> None:
    allowed = "IF EXISTS (SELECT 1 FROM history_exemption) THEN RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW ELSE OLD END; "
    if text := _TEXTS.get(table):
        allowed += (
            f"ELSIF TG_OP = 'UPDATE' THEN IF position('[redacted]' in NEW.{text}) > 0 "
            f"AND {_same(table, is_sqlite=False)} THEN RETURN NEW; END IF; "
        )
    op.execute(
        f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{allowed}END IF; RAISE EXCEPTION '{table} is append-only'; END $$"
    )
