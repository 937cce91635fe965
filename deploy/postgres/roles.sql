-- Roles of the log's database. Run it by psql in that database, after `safety-monitor database upgrade`, and again after
-- each later upgrade, while the workers go on:  psql -X -v ON_ERROR_STOP=1 -d DATABASE -f roles.sql
-- Run it as a superuser, or as the database's owner if that login has CREATEROLE.
--
--   safety_owner   owns the tables; nobody logs in as it. Migrations: a member of it, or a superuser.
--   safety_writer  the worker. SELECT and INSERT alone on the log.
--   safety_reader  verify, replay, inspectors. SELECT, and INSERT of word that it reads into `waiting_acts` alone.
--   safety_redactor  whoever runs `redact`: the one role that can destroy keys.
--
-- Then: CREATE ROLE worker LOGIN PASSWORD '...' IN ROLE safety_writer;

DO $roles$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['safety_owner', 'safety_writer', 'safety_reader', 'safety_redactor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
    IF NOT pg_has_role('safety_owner', 'USAGE') THEN -- or the login that made the tables could never migrate them again
        EXECUTE format('GRANT safety_owner TO %I', current_user);
    END IF;
END
$roles$;

GRANT USAGE, CREATE ON SCHEMA public TO safety_owner;

-- Each in a transaction of its own, for each must wait for the appends in hand; and shorter than a worker waits for it.
SET lock_timeout = '3s';
SELECT format('ALTER TABLE public.%I OWNER TO safety_owner', tablename)
FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'safety_owner' \gexec
RESET lock_timeout;

-- All rights at once: no worker ever sees them taken and not yet given back.
BEGIN;
DO $rights$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, safety_writer, safety_reader, safety_redactor', name);
        EXECUTE format('GRANT SELECT ON public.%I TO safety_writer, safety_reader', name);
    END LOOP;
END
$rights$;

ALTER FUNCTION public.audit_log_refuse() OWNER TO safety_owner;
ALTER FUNCTION public.checkpoints_refuse() OWNER TO safety_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC, safety_writer, safety_reader;
GRANT USAGE ON SCHEMA public TO safety_writer, safety_reader;

GRANT INSERT ON public.audit_log, public.checkpoints, public.tree_tiles TO safety_writer;
GRANT INSERT ON public.wrapping_keys, public.payload_keys TO safety_writer; -- a key is made once and never changed
GRANT UPDATE ON public.audit_head TO safety_writer;
GRANT INSERT, UPDATE ON public.instances, public.owners, public.positions, public.leases, public.outbox TO safety_writer;
GRANT INSERT, UPDATE, DELETE ON public.patients, public.alerts, public.sources TO safety_writer; -- read models: made anew from the log
GRANT INSERT (dedupe_key, kind, payload, actor, known_at) ON public.waiting_acts TO safety_reader; -- not `login`
GRANT DELETE ON public.waiting_acts TO safety_writer;

-- Who may redact: all that the worker may, and destroy keys. A person's role, never the worker's.
SELECT 'GRANT safety_writer TO safety_redactor' WHERE NOT pg_has_role('safety_redactor', 'safety_writer', 'MEMBER') \gexec
GRANT DELETE ON public.wrapping_keys, public.payload_keys TO safety_redactor;
GRANT INSERT, UPDATE ON public.tombstones TO safety_redactor;
COMMIT;
