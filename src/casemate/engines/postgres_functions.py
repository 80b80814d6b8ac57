"""What runs inside the server: a group of batches in one call, and each question of the reader in one call.

`commit_group` writes its batches one after the other, each under a savepoint of its own (a plpgsql block with an
exception clause is one), and its caller's statement is the transaction that makes all of them durable. SQLSTATEs of
ours: CM409 a conflict, named by its message; CM423 another writer has come meanwhile; CM507 a share is used up.

What each class takes is read once for a group, counted batch by batch, and written with it. A batch says of each class
that it touches what it brings there and up to where it may fill it (-1: no bound); what it takes away is found here.

A question first says which classes it is about, for this statement alone; the policies of the tables let it see those.
"""

from __future__ import annotations

__all__ = ["ASKS", "COMMIT"]

COMMIT = """
DROP FUNCTION IF EXISTS commit_group, put_row, delete_row, untie, move_mark, enter;

CREATE FUNCTION put_row(a_class text, a_kind text, a_id text, a_sealed bytea, a_digest bytea, a_expect int8,
    OUT version int8, OUT seq int8, OUT weight int8) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    found_version int8; found_seq int8; found_size int8;
BEGIN
    SELECT r.version, r.seq, octet_length(r.sealed) INTO found_version, found_seq, found_size FROM rows r
        WHERE r.class_id = a_class AND r.kind = a_kind AND r.id = a_id;
    IF a_expect >= 0 AND a_expect <> coalesce(found_version, 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'CM409', MESSAGE = a_kind || ' ' || a_id;
    END IF;
    put_row.weight := coalesce(-found_size, 256); -- beside what is brought
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

CREATE FUNCTION delete_row(a_class text, a_kind text, a_id text, a_expect int8) RETURNS int8 LANGUAGE plpgsql AS $$
DECLARE
    found_version int8; found_seq int8; found_size int8;
BEGIN
    SELECT r.version, r.seq, octet_length(r.sealed) INTO found_version, found_seq, found_size FROM rows r
        WHERE r.class_id = a_class AND r.kind = a_kind AND r.id = a_id;
    IF a_expect >= 0 AND a_expect <> coalesce(found_version, 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'CM409', MESSAGE = a_kind || ' ' || a_id;
    END IF;
    IF found_seq IS NOT NULL THEN
        DELETE FROM rows r WHERE r.class_id = a_class AND r.kind = a_kind AND r.seq = found_seq;
        PERFORM untie(a_class, a_kind, found_seq);
        RETURN -256 - found_size;
    END IF;
    RETURN 0;
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
    f_log text[], f_seq int8[], m_name text[], m_at int8[], m_to int8[],
    u_class text[], u_at int8[], u_brings int8[], u_limit int8[])
RETURNS TABLE (state int8, what text, logs text, seqs text, versions text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    n int; i int; j int; had record; row_version int8; row_seq int8; log_seq int8;
    at_c int := 0; at_p int := 0; at_d int := 0; at_e int := 0; at_f int := 0; at_m int := 0;
    at_t int := 0; at_a int := 0; to_t int; to_a int; to_e int; to_p int; to_d int; given int8[]; made int8[];
    at_u int := 0; k int; used int8[]; was int8[]; moved int8[]; change int8;
BEGIN
    PERFORM 1 FROM meta m WHERE m.name = 'epoch' AND m.value = fence::text FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'CM423', MESSAGE = 'another writer has come';
    END IF;
    SELECT array_agg(coalesce(s.used, 0) ORDER BY w.n) INTO was
        FROM unnest(u_class) WITH ORDINALITY AS w(id, n) LEFT JOIN uses s ON s.class_id = w.id;
    used := was;
    FOR n IN 1 .. cardinality(domains) LOOP
        state := 0; what := ''; logs := ''; seqs := ''; versions := '';
        to_t := at_t; to_a := at_a;
        FOR i IN at_p + 1 .. at_p + counts[7 * n - 5] LOOP
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
                moved := array_fill(0::int8, ARRAY[cardinality(u_class)]);
                FOR i IN at_u + 1 .. at_u + counts[7 * n] LOOP
                    moved[u_at[i]] := u_brings[i];
                END LOOP;
                FOR i IN at_c + 1 .. at_c + counts[7 * n - 6] LOOP
                    INSERT INTO classes VALUES (c_id[i], c_sealed[i]) ON CONFLICT DO NOTHING;
                END LOOP;
                FOR i IN at_p + 1 .. at_p + counts[7 * n - 5] LOOP
                    SELECT r.version, r.seq, r.weight INTO row_version, row_seq, change
                        FROM put_row(p_class[i], p_kind[i], p_id[i], p_sealed[i], p_digest[i], p_expect[i]) r;
                    made := made || row_version;
                    k := array_position(u_class, p_class[i]);
                    moved[k] := moved[k] + change;
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
                FOR i IN at_d + 1 .. at_d + counts[7 * n - 4] LOOP
                    k := array_position(u_class, d_class[i]);
                    moved[k] := moved[k] + delete_row(d_class[i], d_kind[i], d_id[i], d_expect[i]);
                END LOOP;
                IF counts[7 * n - 5] + counts[7 * n - 4] > 0 THEN
                    to_p := at_p + counts[7 * n - 5]; to_d := at_d + counts[7 * n - 4];
                    INSERT INTO tides AS t SELECT DISTINCT w.class_id, w.kind, 1 FROM
                        unnest(p_class[at_p + 1 : to_p] || d_class[at_d + 1 : to_d],
                            p_kind[at_p + 1 : to_p] || d_kind[at_d + 1 : to_d]) AS w(class_id, kind)
                        ON CONFLICT (class_id, kind) DO UPDATE SET at = t.at + 1;
                END IF;
                IF counts[7 * n - 3] > 0 THEN
                    to_e := at_e + counts[7 * n - 3];
                    given := enter(e_log[at_e + 1 : to_e], e_id[at_e + 1 : to_e], e_leaf[at_e + 1 : to_e],
                        e_sealed[at_e + 1 : to_e], e_content[at_e + 1 : to_e], e_expires[at_e + 1 : to_e]);
                END IF;
                FOR i IN at_f + 1 .. at_f + counts[7 * n - 2] LOOP
                    DELETE FROM contents c WHERE c.log = f_log[i] AND c.seq = f_seq[i]
                        RETURNING octet_length(c.content) INTO change;
                    IF FOUND THEN
                        k := array_position(u_class, f_log[i]);
                        moved[k] := moved[k] - change;
                    END IF;
                END LOOP;
                FOR i IN at_m + 1 .. at_m + counts[7 * n - 1] LOOP
                    PERFORM move_mark(m_name[i], m_at[i], m_to[i]);
                END LOOP;
                IF b_keys[n] <> '' THEN
                    to_e := at_e + counts[7 * n - 3];
                    INSERT INTO keys VALUES (domains[n], b_keys[n], e_log[at_e + 1 : to_e], given, made);
                END IF;
                FOR i IN at_u + 1 .. at_u + counts[7 * n] LOOP
                    k := u_at[i];
                    IF u_limit[i] >= 0 AND moved[k] > 0 AND used[k] + moved[k] > u_limit[i] THEN
                        RAISE EXCEPTION USING ERRCODE = 'CM507', MESSAGE = u_class[k];
                    END IF;
                END LOOP;
                FOR i IN at_u + 1 .. at_u + counts[7 * n] LOOP -- nothing fails behind here
                    used[u_at[i]] := used[u_at[i]] + moved[u_at[i]];
                END LOOP;
                seqs := array_to_string(given, ','); versions := array_to_string(made, ',');
            END IF;
        EXCEPTION
            WHEN SQLSTATE 'CM507' THEN state := 5; what := SQLERRM;
            WHEN SQLSTATE 'CM409' THEN state := 2; what := SQLERRM;
            WHEN integrity_constraint_violation THEN state := 2; what := 'batch';
            WHEN program_limit_exceeded THEN state := 3;
            WHEN data_exception THEN state := 4;
        END;
        at_c := at_c + counts[7 * n - 6]; at_p := at_p + counts[7 * n - 5]; at_d := at_d + counts[7 * n - 4];
        at_e := at_e + counts[7 * n - 3]; at_f := at_f + counts[7 * n - 2]; at_m := at_m + counts[7 * n - 1];
        at_t := to_t; at_a := to_a; at_u := at_u + counts[7 * n];
        RETURN NEXT;
    END LOOP;
    INSERT INTO uses SELECT w.id, w.used FROM unnest(u_class, used, was) AS w(id, used, was) WHERE w.used <> w.was
        ON CONFLICT (class_id) DO UPDATE SET used = excluded.used;
END $$;
"""

ASKS = """
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
"""
