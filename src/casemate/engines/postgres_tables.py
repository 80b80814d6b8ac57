"""The tables of the records in PostgreSQL, and what the reader's role sees of them.

Names and places are as in SQLite; what is tied to a row is tied to its place (class, kind, seq), which is never used
again. A policy lets the reader's role see what the running statement has named, and nothing where it has named nothing.
The writer owns the tables, and no policy binds it.
"""

from __future__ import annotations

__all__ = ["COUNTED", "SEEN", "TABLES", "USES"]

TABLES = """
CREATE TABLE classes (id text COLLATE "C" PRIMARY KEY, sealed bytea NOT NULL);
CREATE TABLE places (class_id text COLLATE "C", kind text COLLATE "C", next int8 NOT NULL,
    PRIMARY KEY (class_id, kind)) WITH (fillfactor = 50);
CREATE TABLE rows (class_id text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
    version int8 NOT NULL, seq int8 NOT NULL, digest bytea NOT NULL, sealed bytea NOT NULL,
    PRIMARY KEY (class_id, kind, seq), UNIQUE (class_id, kind, id));
CREATE TABLE blinds (class_id text COLLATE "C", kind text COLLATE "C", field text COLLATE "C", blind bytea, seq int8,
    PRIMARY KEY (class_id, kind, field, blind, seq));
CREATE INDEX blinds_of ON blinds (class_id, kind, seq);
CREATE TABLE parents (class_id text COLLATE "C", kind text COLLATE "C", id text COLLATE "C",
    child_class text COLLATE "C", child_kind text COLLATE "C", child_seq int8,
    PRIMARY KEY (class_id, kind, id, child_class, child_kind, child_seq));
CREATE INDEX parents_of ON parents (child_class, child_kind, child_seq);
CREATE TABLE logs (log text COLLATE "C" PRIMARY KEY, size int8 NOT NULL) WITH (fillfactor = 50);
CREATE TABLE entries (log text COLLATE "C" NOT NULL, seq int8 NOT NULL, id text COLLATE "C" NOT NULL,
    leaf bytea NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (log, seq), UNIQUE (id, log));
CREATE TABLE contents (log text COLLATE "C" NOT NULL, seq int8 NOT NULL, expires int8 NOT NULL,
    content bytea NOT NULL, PRIMARY KEY (log, seq));
CREATE INDEX contents_expire ON contents (log, expires) WHERE expires > 0;
ALTER TABLE rows ALTER sealed SET STORAGE EXTERNAL; -- what is sealed does not grow smaller
ALTER TABLE entries ALTER sealed SET STORAGE EXTERNAL;
ALTER TABLE contents ALTER content SET STORAGE EXTERNAL;
CREATE TABLE keys (domain text COLLATE "C", key text COLLATE "C", logs text[] NOT NULL, seqs int8[] NOT NULL,
    versions int8[] NOT NULL, PRIMARY KEY (domain, key));
CREATE TABLE marks (name text COLLATE "C" PRIMARY KEY, place int8 NOT NULL) WITH (fillfactor = 50);
CREATE TABLE tides (class_id text COLLATE "C", kind text COLLATE "C", at int8 NOT NULL,
    PRIMARY KEY (class_id, kind)) WITH (fillfactor = 50);
INSERT INTO meta VALUES ('epoch', '0') ON CONFLICT DO NOTHING;
"""

COUNTED = """
    SELECT class_id, sum(bytes)::int8 FROM (
        SELECT class_id, sum(256 + octet_length(sealed)) AS bytes FROM rows GROUP BY class_id
        UNION ALL SELECT log, sum(256 + octet_length(sealed)) FROM entries GROUP BY log
        UNION ALL SELECT log, sum(octet_length(content)) FROM contents GROUP BY log) AS w GROUP BY class_id
"""
"""What each class takes, made from what lies there: `store.share` in SQL."""

_NAMED = "(SELECT nullif(current_setting('casemate.classes', true), '')::text[])"

SEEN = "\n".join(
    f"""
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON {table} FOR SELECT USING ({column} = ANY ({_NAMED}::text[]));
"""
    for table, column in {
        "rows": "class_id",
        "blinds": "class_id",
        "parents": "child_class",
        "tides": "class_id",
        "places": "class_id",
        "entries": "log",
        "contents": "log",
    }.items()
)

USES = f"""
CREATE TABLE uses (class_id text COLLATE "C" PRIMARY KEY, used int8 NOT NULL) WITH (fillfactor = 50);
INSERT INTO uses {COUNTED};
ALTER TABLE uses ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON uses FOR SELECT USING (class_id = ANY ({_NAMED}::text[]));
CREATE FUNCTION ask_used(a_class text) RETURNS int8 LANGUAGE plpgsql AS $$
BEGIN
    PERFORM name_classes(ARRAY[a_class]);
    RETURN coalesce((SELECT u.used FROM uses u WHERE u.class_id = a_class), 0);
END $$;
"""
