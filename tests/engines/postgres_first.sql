-- The schema as it first was, of which there are regions: what is migrated forward is tried on it.

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

ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON rows FOR SELECT USING (class_id = ANY ((SELECT nullif(current_setting('casemate.classes', true), '')::text[])::text[]));


ALTER TABLE blinds ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON blinds FOR SELECT USING (class_id = ANY ((SELECT nullif(current_setting('casemate.classes', true), '')::text[])::text[]));


ALTER TABLE parents ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON parents FOR SELECT USING (child_class = ANY ((SELECT nullif(current_setting('casemate.classes', true), '')::text[])::text[]));


ALTER TABLE tides ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON tides FOR SELECT USING (class_id = ANY ((SELECT nullif(current_setting('casemate.classes', true), '')::text[])::text[]));


ALTER TABLE places ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON places FOR SELECT USING (class_id = ANY ((SELECT nullif(current_setting('casemate.classes', true), '')::text[])::text[]));


ALTER TABLE entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON entries FOR SELECT USING (log = ANY ((SELECT nullif(current_setting('casemate.classes', true), '')::text[])::text[]));


ALTER TABLE contents ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON contents FOR SELECT USING (log = ANY ((SELECT nullif(current_setting('casemate.classes', true), '')::text[])::text[]));

CREATE FUNCTION put_row(a_class text, a_kind text, a_id text, a_sealed bytea, a_digest bytea, a_expect int8,
    OUT version int8, OUT seq int8) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    found_version int8; found_seq int8;
BEGIN
    SELECT r.version, r.seq INTO found_version, found_seq FROM rows r
        WHERE r.class_id = a_class AND r.kind = a_kind AND r.id = a_id;
    IF a_expect >= 0 AND a_expect <> coalesce(found_version, 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'CM409', MESSAGE = a_kind || ' ' || a_id;
    END IF;
    IF found_seq IS NULL THEN
        put_row.version := 1;
        INSERT INTO places AS p VALUES (a_class, a_kind, 2) ON CONFLICT (class_id, kind) DO UPDATE SET next = p.next + 1
            RETURNING p.next - 1 INTO put_row.seq;
        INSERT INTO rows VALUES (a_class, a_kind, a_id, 1, put_row.seq,
            sha384(a_digest || int8send(1) || int8send(put_row.seq)), a_sealed);
    ELSE
        put_row.version := found_version + 1;
        put_row.seq := found_seq;
        UPDATE rows r SET version = put_row.version, sealed = a_sealed,
            digest = sha384(a_digest || int8send(put_row.version) || int8send(put_row.seq))
            WHERE r.class_id = a_class AND r.kind = a_kind AND r.seq = found_seq;
        PERFORM untie(a_class, a_kind, found_seq);
    END IF;
END $$;

CREATE FUNCTION untie(a_class text, a_kind text, a_seq int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM blinds b WHERE b.class_id = a_class AND b.kind = a_kind AND b.seq = a_seq;
    DELETE FROM parents p WHERE p.child_class = a_class AND p.child_kind = a_kind AND p.child_seq = a_seq;
END $$;

CREATE FUNCTION delete_row(a_class text, a_kind text, a_id text, a_expect int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found_version int8; found_seq int8;
BEGIN
    SELECT r.version, r.seq INTO found_version, found_seq FROM rows r
        WHERE r.class_id = a_class AND r.kind = a_kind AND r.id = a_id;
    IF a_expect >= 0 AND a_expect <> coalesce(found_version, 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'CM409', MESSAGE = a_kind || ' ' || a_id;
    END IF;
    IF found_seq IS NOT NULL THEN
        DELETE FROM rows r WHERE r.class_id = a_class AND r.kind = a_kind AND r.seq = found_seq;
        PERFORM untie(a_class, a_kind, found_seq);
    END IF;
END $$;

CREATE FUNCTION move_mark(a_name text, a_at int8, a_to int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce((SELECT place FROM marks WHERE name = a_name), 0) <> a_at THEN
        RAISE EXCEPTION USING ERRCODE = 'CM409', MESSAGE = 'place ' || a_name;
    END IF;
    IF a_to = 0 THEN
        DELETE FROM marks WHERE name = a_name;
    ELSE
        INSERT INTO marks VALUES (a_name, a_to) ON CONFLICT (name) DO UPDATE SET place = excluded.place;
    END IF;
END $$;

CREATE FUNCTION enter(a_log text[], a_id text[], a_leaf bytea[], a_sealed bytea[], a_content bytea[], a_expires int8[])
RETURNS int8[] LANGUAGE plpgsql AS $$
DECLARE
    given int8[]; twice text;
BEGIN
    SELECT w.id INTO twice FROM (SELECT u.*, row_number() OVER (PARTITION BY u.id, u.log ORDER BY u.n) AS time
        FROM unnest(a_log, a_id) WITH ORDINALITY AS u(log, id, n)) w
        WHERE w.time > 1 OR EXISTS (SELECT FROM entries e WHERE e.id = w.id AND e.log = w.log) ORDER BY w.n LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CM409', MESSAGE = 'entry ' || twice;
    END IF;
    WITH came AS (
        SELECT * FROM unnest(a_log, a_id, a_leaf, a_sealed, a_content, a_expires)
            WITH ORDINALITY AS w(log, id, leaf, sealed, content, expires, n)
    ), grown AS (
        INSERT INTO logs AS l SELECT c.log, count(*) FROM came c GROUP BY c.log
            ON CONFLICT (log) DO UPDATE SET size = l.size + excluded.size RETURNING l.log, l.size
    ), placed AS (
        SELECT c.*, g.size - count(*) OVER (PARTITION BY c.log) - 1
            + row_number() OVER (PARTITION BY c.log ORDER BY c.n) AS seq FROM came c JOIN grown g ON g.log = c.log
    ), entered AS (
        INSERT INTO entries SELECT p.log, p.seq, p.id, p.leaf, p.sealed FROM placed p
    ), said AS (
        INSERT INTO contents SELECT p.log, p.seq, p.expires, p.content FROM placed p WHERE length(p.content) > 0
    )
    SELECT array_agg(p.seq ORDER BY p.n) INTO given FROM placed p;
    RETURN given;
END $$;

CREATE FUNCTION commit_group(fence int8, domains text[], b_keys text[], counts int8[],
    c_id text[], c_sealed bytea[],
    p_class text[], p_kind text[], p_id text[], p_sealed bytea[], p_digest bytea[], p_expect int8[], p_ties int8[],
    t_field text[], t_blind bytea[], a_class text[], a_kind text[], a_id text[],
    d_class text[], d_kind text[], d_id text[], d_expect int8[],
    e_log text[], e_id text[], e_leaf bytea[], e_sealed bytea[], e_content bytea[], e_expires int8[],
    f_log text[], f_seq int8[], m_name text[], m_at int8[], m_to int8[])
RETURNS TABLE (state int8, what text, logs text, seqs text, versions text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    n int; i int; j int; had record; row_version int8; row_seq int8; log_seq int8;
    at_c int := 0; at_p int := 0; at_d int := 0; at_e int := 0; at_f int := 0; at_m int := 0;
    at_t int := 0; at_a int := 0; to_t int; to_a int; to_e int; to_p int; to_d int; given int8[]; made int8[];
BEGIN
    PERFORM 1 FROM meta m WHERE m.name = 'epoch' AND m.value = fence::text FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CM423', MESSAGE = 'another writer has come';
    END IF;
    FOR n IN 1 .. cardinality(domains) LOOP
        state := 0; what := ''; logs := ''; seqs := ''; versions := '';
        to_t := at_t; to_a := at_a;
        FOR i IN at_p + 1 .. at_p + counts[6 * n - 4] LOOP
            to_t := to_t + p_ties[2 * i - 1]; to_a := to_a + p_ties[2 * i];
        END LOOP;
        BEGIN
            had := NULL;
            IF b_keys[n] <> '' THEN
                SELECT k.logs, k.seqs, k.versions INTO had FROM keys k
                    WHERE k.domain = domains[n] AND k.key = b_keys[n];
            END IF;
            IF had IS NOT NULL THEN
                state := 1; logs := array_to_json(had.logs)::text;
                seqs := array_to_string(had.seqs, ','); versions := array_to_string(had.versions, ',');
            ELSE
                given := '{}'; made := '{}';
                FOR i IN at_c + 1 .. at_c + counts[6 * n - 5] LOOP
                    INSERT INTO classes VALUES (c_id[i], c_sealed[i]) ON CONFLICT DO NOTHING;
                END LOOP;
                FOR i IN at_p + 1 .. at_p + counts[6 * n - 4] LOOP
                    SELECT r.version, r.seq INTO row_version, row_seq
                        FROM put_row(p_class[i], p_kind[i], p_id[i], p_sealed[i], p_digest[i], p_expect[i]) r;
                    made := made || row_version;
                    FOR j IN at_t + 1 .. at_t + p_ties[2 * i - 1] LOOP
                        INSERT INTO blinds VALUES (p_class[i], p_kind[i], t_field[j], t_blind[j], row_seq)
                            ON CONFLICT DO NOTHING;
                    END LOOP;
                    FOR j IN at_a + 1 .. at_a + p_ties[2 * i] LOOP
                        INSERT INTO parents VALUES (a_class[j], a_kind[j], a_id[j], p_class[i], p_kind[i], row_seq)
                            ON CONFLICT DO NOTHING;
                    END LOOP;
                    at_t := at_t + p_ties[2 * i - 1]; at_a := at_a + p_ties[2 * i];
                END LOOP;
                FOR i IN at_d + 1 .. at_d + counts[6 * n - 3] LOOP
                    PERFORM delete_row(d_class[i], d_kind[i], d_id[i], d_expect[i]);
                END LOOP;
                IF counts[6 * n - 4] + counts[6 * n - 3] > 0 THEN
                    to_p := at_p + counts[6 * n - 4]; to_d := at_d + counts[6 * n - 3];
                    INSERT INTO tides AS t SELECT DISTINCT w.class_id, w.kind, 1 FROM
                        unnest(p_class[at_p + 1 : to_p] || d_class[at_d + 1 : to_d],
                            p_kind[at_p + 1 : to_p] || d_kind[at_d + 1 : to_d]) AS w(class_id, kind)
                        ON CONFLICT (class_id, kind) DO UPDATE SET at = t.at + 1;
                END IF;
                IF counts[6 * n - 2] > 0 THEN
                    to_e := at_e + counts[6 * n - 2];
                    given := enter(e_log[at_e + 1 : to_e], e_id[at_e + 1 : to_e], e_leaf[at_e + 1 : to_e],
                        e_sealed[at_e + 1 : to_e], e_content[at_e + 1 : to_e], e_expires[at_e + 1 : to_e]);
                END IF;
                FOR i IN at_f + 1 .. at_f + counts[6 * n - 1] LOOP
                    DELETE FROM contents c WHERE c.log = f_log[i] AND c.seq = f_seq[i];
                END LOOP;
                FOR i IN at_m + 1 .. at_m + counts[6 * n] LOOP
                    PERFORM move_mark(m_name[i], m_at[i], m_to[i]);
                END LOOP;
                IF b_keys[n] <> '' THEN
                    to_e := at_e + counts[6 * n - 2];
                    INSERT INTO keys VALUES (domains[n], b_keys[n], e_log[at_e + 1 : to_e], given, made);
                END IF;
                seqs := array_to_string(given, ','); versions := array_to_string(made, ',');
            END IF;
        EXCEPTION
            WHEN SQLSTATE 'CM409' THEN state := 2; what := SQLERRM;
            WHEN integrity_constraint_violation THEN state := 2; what := 'batch';
            WHEN program_limit_exceeded THEN state := 3;
            WHEN data_exception THEN state := 4;
        END;
        at_c := at_c + counts[6 * n - 5]; at_p := at_p + counts[6 * n - 4]; at_d := at_d + counts[6 * n - 3];
        at_e := at_e + counts[6 * n - 2]; at_f := at_f + counts[6 * n - 1]; at_m := at_m + counts[6 * n];
        at_t := to_t; at_a := to_a;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION name_classes(named text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('casemate.classes', named::text, true);
END $$;

CREATE FUNCTION ask_get(a_kind text, ids text[], named text[]) RETURNS SETOF rows LANGUAGE plpgsql AS $$
BEGIN
    PERFORM name_classes(named);
    RETURN QUERY SELECT r.* FROM unnest(named, ids) WITH ORDINALITY AS c(id, own, place)
        JOIN rows r ON r.class_id = c.id AND r.kind = a_kind AND r.id = c.own ORDER BY c.place;
END $$;

CREATE FUNCTION ask_counts(named text[]) RETURNS TABLE (one_kind text, rows_of int8) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM name_classes(named);
    RETURN QUERY SELECT r.kind::text, count(*) FROM rows r WHERE r.class_id = named[1] GROUP BY r.kind;
END $$;

CREATE FUNCTION ask_scan(a_kind text, fields text[], sought bytea[], named text[], a_place int8, a_limit int8)
RETURNS SETOF rows LANGUAGE plpgsql AS $$
DECLARE
    one text; place int8 := a_place; wanted int8 := a_limit; found_rows int8;
BEGIN
    FOREACH one IN ARRAY named LOOP
        PERFORM name_classes(ARRAY[one]);
        IF cardinality(fields) = 0 THEN
            RETURN QUERY SELECT r.* FROM rows r WHERE r.class_id = one AND r.kind = a_kind AND r.seq > place
                ORDER BY r.seq LIMIT wanted;
        ELSE
            RETURN QUERY SELECT r.* FROM blinds b
                JOIN rows r ON r.class_id = b.class_id AND r.kind = b.kind AND r.seq = b.seq
                WHERE b.class_id = one AND b.kind = a_kind AND b.field = fields[1] AND b.blind = sought[1]
                    AND b.seq > place
                    AND NOT EXISTS (SELECT FROM unnest(fields[2:], sought[2:]) AS w(field, blind)
                        WHERE NOT EXISTS (SELECT FROM blinds o WHERE o.class_id = one AND o.kind = a_kind
                            AND o.field = w.field AND o.blind = w.blind AND o.seq = b.seq))
                ORDER BY b.seq LIMIT wanted;
        END IF;
        GET DIAGNOSTICS found_rows = ROW_COUNT;
        wanted := wanted - found_rows;
        EXIT WHEN wanted <= 0;
        place := 0;
    END LOOP;
END $$;

CREATE FUNCTION ask_singly(a_kind text, fields text[], sought bytea[], named text[], a_place int8, a_limit int8)
RETURNS SETOF rows LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    one text; row_seq int8; place int8 := a_place; wanted int8 := a_limit; given rows;
BEGIN
    FOREACH one IN ARRAY named LOOP
        FOR row_seq IN SELECT * FROM places_of(a_kind, fields, sought, one, place) LOOP
            given := (one, a_kind, '', 0, row_seq, '', '')::rows;
            BEGIN
                SELECT r.* INTO given FROM rows r WHERE r.class_id = one AND r.kind = a_kind
                    AND r.seq >= row_seq AND r.seq < row_seq + 1 ORDER BY r.seq LIMIT 1; -- by the index of places
                CONTINUE WHEN NOT FOUND;
            EXCEPTION
                WHEN data_corrupted OR index_corrupted THEN NULL;
            END;
            RETURN NEXT given;
            wanted := wanted - 1;
            EXIT WHEN wanted <= 0;
        END LOOP;
        EXIT WHEN wanted <= 0;
        place := 0;
    END LOOP;
END $$;

CREATE FUNCTION places_of(a_kind text, fields text[], sought bytea[], one text, a_place int8)
RETURNS SETOF int8 LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    PERFORM name_classes(ARRAY[one]);
    IF cardinality(fields) = 0 THEN
        RETURN QUERY SELECT n.seq FROM generate_series(a_place + 1,
            (SELECT p.next - 1 FROM places p WHERE p.class_id = one AND p.kind = a_kind)) AS n(seq);
    ELSE
        RETURN QUERY SELECT b.seq FROM blinds b
            WHERE b.class_id = one AND b.kind = a_kind AND b.field = fields[1] AND b.blind = sought[1]
                AND b.seq > a_place
                AND NOT EXISTS (SELECT FROM unnest(fields[2:], sought[2:]) AS w(field, blind)
                    WHERE NOT EXISTS (SELECT FROM blinds o WHERE o.class_id = one AND o.kind = a_kind
                        AND o.field = w.field AND o.blind = w.blind AND o.seq = b.seq))
            ORDER BY b.seq;
    END IF;
END $$;

CREATE FUNCTION ask_children(a_class text, a_kind text, a_id text, named text[])
RETURNS SETOF rows LANGUAGE plpgsql AS $$
BEGIN
    PERFORM name_classes(named);
    RETURN QUERY SELECT r.* FROM unnest(named) WITH ORDINALITY AS c(id, place)
        JOIN parents p ON p.child_class = c.id AND p.class_id = a_class AND p.kind = a_kind AND p.id = a_id
        JOIN rows r ON r.class_id = p.child_class AND r.kind = p.child_kind AND r.seq = p.child_seq
        ORDER BY c.place, r.kind, r.seq;
END $$;

CREATE FUNCTION ask_tides(kinds text[], named text[]) RETURNS int8[] LANGUAGE plpgsql AS $$
BEGIN
    PERFORM name_classes(named);
    RETURN (SELECT array_agg(coalesce(t.at, 0) ORDER BY k.place, c.place)
        FROM unnest(kinds) WITH ORDINALITY AS k(kind, place)
        CROSS JOIN unnest(named) WITH ORDINALITY AS c(id, place)
        LEFT JOIN tides t ON t.class_id = c.id AND t.kind = k.kind);
END $$;

CREATE FUNCTION ask_entries(a_log text, a_start int8, a_stop int8)
RETURNS TABLE (seq int8, id text, leaf bytea, sealed bytea, content bytea, expires int8) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM name_classes(ARRAY[a_log]);
    RETURN QUERY SELECT e.seq, e.id, e.leaf, e.sealed, coalesce(c.content, ''), coalesce(c.expires, 0) FROM entries e
        LEFT JOIN contents c ON c.log = e.log AND c.seq = e.seq
        WHERE e.log = a_log AND e.seq >= a_start AND e.seq < a_stop ORDER BY e.seq;
END $$;

CREATE FUNCTION ask_entry(a_id text)
RETURNS TABLE (seq int8, id text, leaf bytea, sealed bytea, content bytea, expires int8, log text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM name_classes((SELECT array_agg(l.log) FROM logs l));
    RETURN QUERY SELECT e.seq, e.id, e.leaf, e.sealed, coalesce(c.content, ''), coalesce(c.expires, 0), e.log
        FROM entries e LEFT JOIN contents c ON c.log = e.log AND c.seq = e.seq
        WHERE e.id = a_id ORDER BY e.log LIMIT 1;
END $$;

CREATE FUNCTION ask_leaves(a_log text, a_start int8, a_stop int8) RETURNS SETOF bytea LANGUAGE plpgsql AS $$
BEGIN
    PERFORM name_classes(ARRAY[a_log]);
    RETURN QUERY SELECT e.leaf FROM entries e WHERE e.log = a_log AND e.seq >= a_start AND e.seq < a_stop
        ORDER BY e.seq;
END $$;

CREATE FUNCTION ask_expired(a_now int8, named text[], a_limit int8) RETURNS TABLE (log text, seq int8)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    one text; wanted int8 := a_limit; found_rows int8;
BEGIN
    FOREACH one IN ARRAY named LOOP
        PERFORM name_classes(ARRAY[one]);
        RETURN QUERY SELECT c.log, c.seq FROM contents c WHERE c.log = one AND c.expires > 0 AND c.expires <= a_now
            ORDER BY c.expires, c.seq LIMIT wanted;
        GET DIAGNOSTICS found_rows = ROW_COUNT;
        wanted := wanted - found_rows;
        EXIT WHEN wanted <= 0;
    END LOOP;
END $$;
