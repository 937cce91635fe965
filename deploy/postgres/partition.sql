-- Divide the log into parts by sequence. For a log that outgrows one table: docs/operations.md, "A log that grows large".
-- Stop the workers, back up, then by psql as a superuser in the log's database, once:
--
--   psql -X -v ON_ERROR_STOP=1 -v each=5000000 -v parts=20 -d DATABASE -f partition.sql
--   psql -X -v ON_ERROR_STOP=1 -d DATABASE -f roles.sql
--
-- What there is stays one table, as its first part: nothing is copied, and no record is touched. Behind it come `parts` parts
-- of `each` records, the last one without an end. That a stream has each version once, and the log each dedupe key, a unique
-- index can no longer say over all parts: two tables beside the log say it.

BEGIN;
LOCK TABLE public.audit_head, public.audit_log IN ACCESS EXCLUSIVE MODE;

ALTER TABLE public.audit_log RENAME TO audit_log_before;
CREATE TABLE public.audit_log (LIKE public.audit_log_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (sequence);
ALTER TABLE public.audit_log ADD CONSTRAINT audit_log_sequence PRIMARY KEY (sequence);

CREATE TABLE public.audit_log_places (stream text, version bigint, PRIMARY KEY (stream, version));
CREATE TABLE public.audit_log_keys (dedupe_key text PRIMARY KEY);
INSERT INTO public.audit_log_places SELECT stream, version FROM public.audit_log_before;
INSERT INTO public.audit_log_keys SELECT dedupe_key FROM public.audit_log_before WHERE dedupe_key IS NOT NULL;

-- The boundaries: the first lies at the next whole multiple of `each` behind all there is.
CREATE TEMP TABLE boundaries ON COMMIT DROP AS
SELECT n, ((SELECT sequence FROM public.audit_head) / :each + n) * :each + 1 AS first FROM generate_series(1, :parts) n;
SELECT format('ALTER TABLE public.audit_log ATTACH PARTITION public.audit_log_before FOR VALUES FROM (MINVALUE) TO (%s)', first)
FROM boundaries WHERE n = 1 \gexec
SELECT format('CREATE TABLE public.audit_log_%s PARTITION OF public.audit_log FOR VALUES FROM (%s) TO (%s)', n, first, upto)
FROM (SELECT n, first, coalesce(lead(first) OVER (ORDER BY n)::text, 'MAXVALUE') AS upto FROM boundaries) b ORDER BY n \gexec
SELECT format('CREATE INDEX ON public.audit_log_%s (stream, version)', n) FROM boundaries ORDER BY n \gexec
SELECT format('CREATE INDEX ON public.audit_log_%s (dedupe_key)', n) FROM boundaries ORDER BY n \gexec

-- The guards, on the whole and on each part.
CREATE TRIGGER audit_log_whole_no_change BEFORE UPDATE OR DELETE ON public.audit_log
FOR EACH ROW EXECUTE FUNCTION public.audit_log_refuse();
SELECT format('CREATE TRIGGER audit_log_whole_no_truncate BEFORE TRUNCATE ON public.%I EXECUTE FUNCTION public.audit_log_refuse()', name)
FROM (SELECT 'audit_log' AS name UNION ALL SELECT 'audit_log_' || n FROM boundaries) t \gexec

CREATE FUNCTION public.audit_log_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $once$
BEGIN
    INSERT INTO audit_log_places VALUES (NEW.stream, NEW.version);
    IF NEW.dedupe_key IS NOT NULL THEN
        INSERT INTO audit_log_keys VALUES (NEW.dedupe_key);
    END IF;
    RETURN NULL;
END
$once$;
CREATE TRIGGER audit_log_once AFTER INSERT ON public.audit_log FOR EACH ROW EXECUTE FUNCTION public.audit_log_once();

SELECT format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER %I', relname, tgname)
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relname LIKE 'audit\_log%' AND NOT tgisinternal ORDER BY relname, tgname \gexec

SELECT 'ALTER FUNCTION public.audit_log_once() OWNER TO safety_owner'
WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'safety_owner') \gexec
COMMIT;
