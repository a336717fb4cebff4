"""Let nobody in: accounts, access lists, an audit log, and the roles of the API's connections.

The API signs in as `alexandria_api`, which owns nothing and may do nothing by itself. Each
transaction takes one of two roles: `alexandria_reader` works for somebody who signed in, and
`alexandria_doorkeeper` finds out who somebody is. What they may see is the next migration's.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLES = """
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['alexandria_api', 'alexandria_reader', 'alexandria_doorkeeper'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOINHERIT', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END $$;
ALTER ROLE alexandria_api LOGIN;
GRANT alexandria_reader, alexandria_doorkeeper TO alexandria_api;
CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA knowledge, insights, identity TO alexandria_reader;
GRANT USAGE ON SCHEMA knowledge, insights, identity TO alexandria_doorkeeper;
GRANT SELECT ON alembic_version TO alexandria_api;

CREATE FUNCTION identity.current_tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('alexandria.tenant_id', true), '');
CREATE FUNCTION identity.current_user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('alexandria.user_id', true), '')::uuid;
CREATE FUNCTION identity.current_names() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN string_to_array(current_setting('alexandria.names', true), E'\\n');
CREATE FUNCTION identity.has_permission(wanted text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(string_to_array(current_setting('alexandria.permissions', true), E'\\n')
        && ARRAY[wanted, 'admin'], false);
COMMENT ON FUNCTION identity.current_names() IS 'What access lists may call the principal.';
"""

ACCESS = """
CREATE TABLE knowledge.access_lists (
    access_id uuid PRIMARY KEY,
    tenant_id text NOT NULL,
    readers text[] NOT NULL
);
CREATE INDEX access_lists_tenant_id_idx ON knowledge.access_lists (tenant_id);
COMMENT ON TABLE knowledge.access_lists IS
    'Who may read: everyone of the tenant, user:EMAIL, group:NAME or role:NAME. Never changed; '
    'a document that others may read gets another list.';

CREATE FUNCTION knowledge.access_list(tenant text, readers text[]) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    sorted text[] := ARRAY(SELECT DISTINCT unnest(access_list.readers) COLLATE "C" ORDER BY 1);
    name text := tenant || E'\\n' || array_to_string(sorted, E'\\n');
    id uuid := encode(substring(sha256(convert_to(name, 'UTF8')) FOR 16), 'hex')::uuid;
BEGIN
    INSERT INTO knowledge.access_lists VALUES (id, tenant, sorted) ON CONFLICT DO NOTHING;
    RETURN id;
END $$;

ALTER TABLE knowledge.sources ADD readers text[] NOT NULL DEFAULT '{everyone}'
    CHECK (cardinality(readers) > 0);
ALTER TABLE knowledge.source_files ADD readers text[] CHECK (cardinality(readers) > 0);
COMMENT ON COLUMN knowledge.source_files.readers IS 'As its source tells; null: as the source.';
ALTER TABLE knowledge.documents ADD access_id uuid REFERENCES knowledge.access_lists;
UPDATE knowledge.documents SET access_id = knowledge.access_list(tenant_id, '{everyone}');
ALTER TABLE knowledge.documents ALTER access_id SET NOT NULL;
CREATE INDEX documents_access_id_idx ON knowledge.documents (access_id);
ALTER TABLE knowledge.index_entries ADD access_id uuid;
UPDATE knowledge.index_entries AS entry SET access_id = document.access_id
FROM knowledge.documents AS document WHERE document.document_id = entry.document_id;
ALTER TABLE knowledge.index_entries ALTER access_id SET NOT NULL;
"""

TITLES = r"""
CREATE FUNCTION knowledge.shown_title(title text, path text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN title <> '' THEN title ELSE (
        SELECT coalesce(nullif(upper(left(words, 1)) || substr(words, 2), ''),
            'Untitled')
        FROM (SELECT btrim(regexp_replace(regexp_replace(normalize(
            regexp_replace(regexp_replace(path, '^.*/', ''), '^(.+)\.[^.]+$', '\1'), NFC),
            '[\u0001-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]',
            '', 'g'),
            '[-_\s\u001c-\u001e\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+',
            ' ', 'g')) AS words) AS name) END;
COMMENT ON FUNCTION knowledge.shown_title IS
    'The title a document gave itself, or else one made of the name of its own file.';
"""

SEARCH = """
CREATE FUNCTION knowledge.share_terms(integer[], integer[]) RETURNS boolean
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'arrayoverlap';
COMMENT ON FUNCTION knowledge.share_terms(integer[], integer[]) IS
    'The operator && of arrays, known to tell nothing of rows that a policy hides: only so may '
    'Postgres look into an index before it has asked the policy.';
CREATE OPERATOR knowledge.&& (LEFTARG = integer[], RIGHTARG = integer[],
    FUNCTION = knowledge.share_terms, COMMUTATOR = OPERATOR(knowledge.&&),
    RESTRICT = contsel, JOIN = contjoinsel);
CREATE OPERATOR CLASS knowledge.term_ids_ops FOR TYPE integer[] USING gin AS
    OPERATOR 1 knowledge.&&,
    FUNCTION 1 btint4cmp(integer, integer),
    FUNCTION 2 ginarrayextract(anyarray, internal, internal),
    FUNCTION 3 ginqueryarrayextract(anyarray, internal, smallint, internal, internal, internal,
        internal),
    FUNCTION 4 ginarrayconsistent(internal, smallint, anyarray, integer, internal, internal,
        internal, internal),
    FUNCTION 6 ginarraytriconsistent(internal, smallint, anyarray, integer, internal, internal,
        internal),
    STORAGE integer;

ALTER TABLE knowledge.index_generations ADD published_at timestamptz;
CREATE FUNCTION knowledge.note_publication() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE knowledge.index_generations SET published_at = clock_timestamp();
    RETURN NULL;
END $$;
CREATE TRIGGER publications_noted AFTER INSERT OR UPDATE OR DELETE ON knowledge.publications
    FOR EACH STATEMENT EXECUTE FUNCTION knowledge.note_publication();
COMMENT ON COLUMN knowledge.index_generations.published_at IS
    'When something was last published or withdrawn.';
"""

ACCOUNTS = """
CREATE TABLE identity.tenants (
    tenant_id text PRIMARY KEY CHECK (tenant_id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO identity.tenants (tenant_id) SELECT DISTINCT tenant_id FROM knowledge.sources;

CREATE TABLE identity.users (
    user_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id text NOT NULL REFERENCES identity.tenants,
    email text NOT NULL UNIQUE,
    username text UNIQUE,
    full_name text NOT NULL DEFAULT '',
    password_hash text,
    role text NOT NULL CHECK (role IN ('viewer', 'user', 'admin')),
    groups text[] NOT NULL DEFAULT '{}',
    is_active boolean NOT NULL DEFAULT true,
    is_email_proved boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz
);
CREATE INDEX users_tenant_id_idx ON identity.users (tenant_id);

CREATE TABLE identity.external_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES identity.users ON DELETE CASCADE,
    tenant_id text NOT NULL,
    linked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);

CREATE TABLE identity.sessions (
    session_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES identity.users ON DELETE CASCADE,
    tenant_id text NOT NULL,
    method text NOT NULL,
    ip_address text NOT NULL,
    user_agent text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX sessions_user_id_idx ON identity.sessions (user_id);

CREATE TABLE identity.refresh_tokens (
    token_hash text PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES identity.sessions ON DELETE CASCADE,
    tenant_id text NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    spent_at timestamptz
);
CREATE INDEX refresh_tokens_session_id_idx ON identity.refresh_tokens (session_id);

CREATE TABLE identity.api_keys (
    api_key_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES identity.users ON DELETE CASCADE,
    tenant_id text NOT NULL,
    name text NOT NULL,
    key_hash text NOT NULL UNIQUE,
    hint text NOT NULL,
    permissions text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_keys_user_id_idx ON identity.api_keys (user_id);

CREATE TABLE identity.sign_in_failures (
    name_hash text PRIMARY KEY,
    failure_count integer NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now(),
    locked_until timestamptz
);
COMMENT ON TABLE identity.sign_in_failures IS
    'By name, whether anybody has it or not, so that a lock tells nothing.';

CREATE TABLE identity.signing_keys (
    key_id text PRIMARY KEY,
    private_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
);
COMMENT ON COLUMN identity.signing_keys.private_key IS 'Encrypted with the keyring.';

CREATE TABLE identity.settings (
    tenant_id text NOT NULL REFERENCES identity.tenants,
    key text NOT NULL,
    value text NOT NULL,
    is_sensitive boolean NOT NULL DEFAULT false,
    description text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
COMMENT ON COLUMN identity.settings.value IS 'Encrypted with the keyring where it is sensitive.';

CREATE UNLOGGED TABLE identity.rate_limits (
    key text PRIMARY KEY,
    hits integer NOT NULL,
    expires_at timestamptz NOT NULL
);
"""

AUDIT = """
CREATE TABLE identity.audit_events (
    audit_event_id bigint PRIMARY KEY,
    tenant_id text,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_id uuid,
    actor text NOT NULL,
    action text NOT NULL,
    resource_type text NOT NULL,
    resource_id text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'denied')),
    ip_address text NOT NULL,
    user_agent text NOT NULL,
    request_id text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    hash bytea NOT NULL
);
CREATE INDEX audit_events_tenant_id_idx
    ON identity.audit_events (tenant_id, occurred_at DESC);
CREATE INDEX audit_events_user_id_idx ON identity.audit_events (user_id);

CREATE TABLE identity.audit_head (
    audit_event_id bigint NOT NULL,
    hash bytea NOT NULL
);
CREATE UNIQUE INDEX audit_head_only_row ON identity.audit_head ((true));
INSERT INTO identity.audit_head VALUES (0, sha256(''));
COMMENT ON TABLE identity.audit_head IS 'The last event: what is missing at the end shows.';

CREATE FUNCTION identity.audit_hash(event identity.audit_events, previous bytea) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        event.audit_event_id, event.tenant_id, extract(epoch FROM event.occurred_at),
        event.user_id, event.actor, event.action, event.resource_type, event.resource_id,
        event.outcome, event.ip_address, event.user_agent, event.request_id, event.details
    )::text, 'UTF8'))
$$;

CREATE FUNCTION identity.chain_audit_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE head identity.audit_head;
BEGIN
    SELECT * INTO STRICT head FROM identity.audit_head FOR UPDATE;
    NEW.audit_event_id := head.audit_event_id + 1;
    NEW.occurred_at := clock_timestamp();
    NEW.hash := identity.audit_hash(NEW, head.hash);
    UPDATE identity.audit_head SET audit_event_id = NEW.audit_event_id, hash = NEW.hash;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_events_chained BEFORE INSERT ON identity.audit_events
    FOR EACH ROW EXECUTE FUNCTION identity.chain_audit_event();

CREATE FUNCTION identity.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_events_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON identity.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION identity.refuse_audit_change();
"""


def upgrade() -> None:
    for script in (ROLES, ACCESS, TITLES, SEARCH, ACCOUNTS, AUDIT):
        op.execute(script)
