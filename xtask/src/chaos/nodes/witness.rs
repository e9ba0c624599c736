//! A witness inside of the database: each row of the journal is noted by a trigger, in its own transaction, with the
//! owner and the epoch of its execution at that moment, and with the process whose connection wrote it.
//!
//! The hosts know nothing of it: a process is told by a setting that stands in the URL of its store.

/// Of a connection: which process opened it.
pub const WRITER: &str = "chaos.writer";

/// As the superuser, once the schema is there.
pub const INSTALL: &str = "
CREATE SCHEMA chaos;
CREATE TABLE chaos.commits (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, execution_id TEXT NOT NULL, first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL, owner TEXT NOT NULL, epoch BIGINT NOT NULL, writer TEXT NOT NULL, at_ms BIGINT NOT NULL
);
CREATE FUNCTION chaos.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO chaos.commits (execution_id, first_seq, last_seq, owner, epoch, writer, at_ms)
    SELECT new.execution_id, new.first_seq, new.last_seq, coalesce(e.owner, ''), e.epoch,
        coalesce(current_setting('chaos.writer', TRUE), ''),
        CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)
    FROM public.executions e WHERE e.tenant_id = new.tenant_id AND e.id = new.execution_id;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_note AFTER INSERT ON public.journal FOR EACH ROW EXECUTE FUNCTION chaos.note()";

/// How many there are: none is missing.
pub const COUNTS: &str = "SELECT (SELECT count(*) FROM chaos.commits), (SELECT count(*) FROM public.journal)";

/// A process writes in the name of one owner, which no other process has: `owner` names the process in the store.
pub const STRANGERS: &str = "SELECT 'the process ' || writer || ' wrote as ' || string_agg(DISTINCT owner, ' and ') \
     FROM chaos.commits GROUP BY writer HAVING count(DISTINCT owner) > 1 UNION ALL \
     SELECT 'in the name of ' || owner || ' wrote ' || string_agg(DISTINCT writer, ' and ') \
     FROM chaos.commits GROUP BY owner HAVING count(DISTINCT writer) > 1";

/// Rows of one execution follow one another, in the order in which they were written, and epochs only grow.
pub const ORDER: &str = "SELECT execution_id, first_seq, owner, epoch FROM \
     (SELECT *, lag(epoch) OVER w AS epoch_before, lag(last_seq) OVER w AS last_before, lag(number) OVER w AS before \
      FROM chaos.commits WINDOW w AS (PARTITION BY execution_id ORDER BY first_seq)) c \
     WHERE epoch < epoch_before OR first_seq <> coalesce(last_before, 0) + 1 OR number < before LIMIT 20";

/// Each time that an execution goes on under another owner: the process that had it before, the one that has it, and when it
/// went on.
pub const HANDOVERS: &str = "SELECT writer_before, writer, at_ms FROM \
     (SELECT owner, writer, at_ms, lag(owner) OVER w AS owner_before, lag(writer) OVER w AS writer_before \
      FROM chaos.commits WINDOW w AS (PARTITION BY execution_id ORDER BY first_seq)) c WHERE owner <> owner_before";

/// What nobody ended.
pub const OPEN: &str =
    "SELECT id, status, owner, epoch FROM public.executions WHERE ended_at IS NULL LIMIT 20";

/// For whoever has to find out.
pub const ALL: &str = "SELECT * FROM chaos.commits ORDER BY execution_id, first_seq";
