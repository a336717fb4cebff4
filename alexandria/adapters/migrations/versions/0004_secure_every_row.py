"""Secure every row: row-level security on every table that holds a tenant's or a user's rows.

`alexandria_reader` sees the rows that the policies below let the current principal see, and
`alexandria_doorkeeper` nothing but the schema `identity`. The pipeline and the command line
own the tables, and policies do not hold for owners.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OF_A_DOCUMENT = (
    "EXISTS (SELECT FROM knowledge.documents AS own WHERE own.document_id = {table}.document_id)"
)
OF_A_SOURCE = (
    "EXISTS (SELECT FROM knowledge.sources AS own WHERE own.source_id = {table}.source_id)"
)
OF_A_FILE = (
    "EXISTS (SELECT FROM knowledge.documents AS own "
    "WHERE own.source_id = {table}.source_id AND own.path = {table}.path)"
)
OF_A_VERSION = (
    "EXISTS (SELECT FROM knowledge.document_versions AS own "
    "WHERE own.version_id = {table}.version_id)"
)
OF_A_CONTENT = (
    "EXISTS (SELECT FROM knowledge.document_versions AS own "
    "WHERE own.content_hash = {table}.content_hash)"
)
OF_A_PARSE = "EXISTS (SELECT FROM knowledge.parses AS own WHERE own.parse_id = {table}.parse_id)"
OF_AN_IMAGE = (
    "EXISTS (SELECT FROM knowledge.images AS own WHERE own.content_hash = {table}.content_hash)"
)
OF_A_TEXT = "EXISTS (SELECT FROM knowledge.chunks AS own WHERE own.text_hash = {table}.text_hash)"
OF_THE_TENANT = "{table}.tenant_id = identity.current_tenant()"
MAY_READ = "{table}.access_id IN (SELECT access_id FROM knowledge.access_lists)"
OWN = OF_THE_TENANT + " AND {table}.user_id = identity.current_user_id()"
OWN_OR_MANAGED = (
    OF_THE_TENANT + " AND ({table}.user_id = identity.current_user_id()"
    " OR identity.has_permission('manage_users'))"
)
FOR_ADMINS = OF_THE_TENANT + " AND identity.has_permission('admin')"

VISIBLE = {
    "knowledge.access_lists": OF_THE_TENANT + " AND {table}.readers && identity.current_names()",
    "knowledge.sources": f"{OF_THE_TENANT} AND ({{table}}.readers && identity.current_names()"
    " OR EXISTS (SELECT FROM knowledge.access_lists AS list JOIN knowledge.documents AS own"
    " USING (access_id) WHERE own.source_id = {table}.source_id))",
    "knowledge.documents": f"{OF_THE_TENANT} AND {MAY_READ}",
    "knowledge.source_files": OF_A_FILE,
    "knowledge.excluded_files": OF_A_FILE,
    "knowledge.document_versions": OF_A_DOCUMENT,
    "knowledge.chunks": OF_A_DOCUMENT,
    "knowledge.publications": OF_A_DOCUMENT,
    "knowledge.quarantine": OF_A_DOCUMENT,
    "knowledge.near_duplicates": OF_A_DOCUMENT
    + " AND EXISTS (SELECT FROM knowledge.documents AS best "
    "WHERE best.document_id = {table}.best_document_id)",
    "knowledge.chunkings": OF_A_VERSION,
    "knowledge.version_chunks": OF_A_VERSION,
    "knowledge.parses": OF_A_CONTENT,
    "knowledge.units": OF_A_PARSE,
    "knowledge.attachments": OF_A_PARSE,
    "knowledge.images": OF_A_PARSE,
    "knowledge.signatures": OF_A_PARSE,
    "knowledge.image_embeddings": OF_AN_IMAGE,
    "knowledge.image_captions": OF_AN_IMAGE,
    "knowledge.embeddings": OF_A_TEXT,
    "knowledge.index_entries": f"{OF_THE_TENANT} AND {MAY_READ}",
    "knowledge.labelled_questions": OF_A_SOURCE,
    "knowledge.retrieval_scores": OF_A_SOURCE,
    "knowledge.check_results": OF_A_SOURCE,
    "insights.stage_runs": OF_A_SOURCE,
    "insights.query_events": OF_THE_TENANT,
    "insights.query_event_chunks": "EXISTS (SELECT FROM insights.query_events AS own "
    "WHERE own.query_event_id = {table}.query_event_id)",
    "identity.tenants": OF_THE_TENANT,
    "identity.users": OWN_OR_MANAGED,
    "identity.external_identities": OWN_OR_MANAGED,
    "identity.sessions": OWN_OR_MANAGED,
    "identity.api_keys": OWN,
    "identity.settings": FOR_ADMINS,
    "identity.audit_events": FOR_ADMINS,
}
"""Which rows a reader's principal sees, by table."""

CLOSED = (
    "knowledge.index_removals",
    "identity.refresh_tokens",
    "identity.sign_in_failures",
    "identity.signing_keys",
    "identity.audit_head",
)
"""Tables that readers see nothing of."""

UNREAD = (
    "knowledge.labelled_questions",
    "knowledge.retrieval_scores",
    "knowledge.check_results",
    "knowledge.embeddings",
    "insights.stage_runs",
    "identity.external_identities",
)
"""Tables whose rows have a policy though no route asks for them."""

WITHOUT_SECRETS = {
    "identity.users": "user_id, tenant_id, email, username, full_name, role, groups, is_active, "
    "is_email_proved, created_at, last_login_at",
    "identity.api_keys": "api_key_id, user_id, tenant_id, name, hint, permissions, created_at, "
    "expires_at, used_at, revoked_at",
}
"""The columns that readers see of tables that keep what proves who somebody is."""

GRANTS = """
GRANT SELECT ON knowledge.index_generations, knowledge.term_statistics TO alexandria_reader;
GRANT SELECT ON knowledge.access_lists TO alexandria_doorkeeper;
GRANT SELECT ON knowledge.index_generations TO alexandria_doorkeeper;

CREATE FUNCTION knowledge.count_documents()
    RETURNS TABLE (kind text, published bigint, pending bigint, quarantined bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT source.kind,
        count(*) FILTER (WHERE version.state = 'published'),
        count(*) FILTER (
            WHERE version.state IN ('discovered', 'parsed', 'chunked', 'embedded')),
        count(*) FILTER (WHERE version.state = 'quarantined')
    FROM knowledge.documents AS document
    JOIN knowledge.sources AS source USING (source_id)
    JOIN knowledge.document_versions AS version
        ON version.version_id = document.current_version_id
    WHERE document.deleted_at IS NULL AND source.removed_at IS NULL
    GROUP BY source.kind ORDER BY source.kind
$$;
COMMENT ON FUNCTION knowledge.count_documents() IS
    'How many documents there are, over all tenants: for metrics, which tell nothing else.';
REVOKE EXECUTE ON FUNCTION knowledge.count_documents() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION knowledge.count_documents() TO alexandria_doorkeeper;
CREATE POLICY doorkeeper_reads ON knowledge.access_lists FOR SELECT TO alexandria_doorkeeper
    USING (true);

GRANT UPDATE (deleted_at, current_version_id) ON knowledge.documents TO alexandria_reader;
CREATE POLICY reader_deletes ON knowledge.documents FOR UPDATE TO alexandria_reader
    USING (tenant_id = identity.current_tenant() AND identity.has_permission('delete_documents')
        AND access_id IN (SELECT access_id FROM knowledge.access_lists));
GRANT INSERT ON knowledge.excluded_files TO alexandria_reader;
CREATE POLICY reader_excludes ON knowledge.excluded_files FOR INSERT TO alexandria_reader
    WITH CHECK (identity.has_permission('delete_documents') AND EXISTS (
        SELECT FROM knowledge.documents AS own
        WHERE own.source_id = excluded_files.source_id AND own.path = excluded_files.path));

GRANT INSERT ON insights.query_events, insights.query_event_chunks TO alexandria_reader;
CREATE POLICY reader_records ON insights.query_events FOR INSERT TO alexandria_reader
    WITH CHECK (tenant_id = identity.current_tenant());
CREATE POLICY reader_records ON insights.query_event_chunks FOR INSERT TO alexandria_reader
    WITH CHECK (EXISTS (SELECT FROM insights.query_events AS own
        WHERE own.query_event_id = query_event_chunks.query_event_id));

GRANT UPDATE (role, groups, is_active, is_email_proved, updated_at) ON identity.users
    TO alexandria_reader;
CREATE POLICY reader_manages ON identity.users FOR UPDATE TO alexandria_reader
    USING (tenant_id = identity.current_tenant() AND identity.has_permission('manage_users'));
GRANT UPDATE (revoked_at) ON identity.sessions TO alexandria_reader;
CREATE POLICY reader_revokes ON identity.sessions FOR UPDATE TO alexandria_reader
    USING (tenant_id = identity.current_tenant()
        AND (user_id = identity.current_user_id() OR identity.has_permission('manage_users')));
GRANT INSERT, UPDATE (revoked_at) ON identity.api_keys TO alexandria_reader;
CREATE POLICY reader_makes ON identity.api_keys FOR INSERT TO alexandria_reader
    WITH CHECK (tenant_id = identity.current_tenant() AND user_id = identity.current_user_id());
CREATE POLICY reader_revokes ON identity.api_keys FOR UPDATE TO alexandria_reader
    USING (tenant_id = identity.current_tenant() AND user_id = identity.current_user_id());
GRANT INSERT, UPDATE, DELETE ON identity.settings TO alexandria_reader;
CREATE POLICY reader_sets ON identity.settings TO alexandria_reader
    USING (tenant_id = identity.current_tenant() AND identity.has_permission('admin'));
GRANT INSERT ON identity.audit_events TO alexandria_reader, alexandria_doorkeeper;
CREATE POLICY reader_records ON identity.audit_events FOR INSERT TO alexandria_reader
    WITH CHECK (tenant_id = identity.current_tenant()
        AND user_id IS NOT DISTINCT FROM identity.current_user_id());
CREATE POLICY doorkeeper_records ON identity.audit_events FOR INSERT TO alexandria_doorkeeper
    WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.rate_limits TO alexandria_doorkeeper;
"""

KEPT_BY_THE_DOORKEEPER = (
    "tenants",
    "users",
    "external_identities",
    "sessions",
    "refresh_tokens",
    "api_keys",
    "sign_in_failures",
    "signing_keys",
)


def upgrade() -> None:
    for table, condition in VISIBLE.items():
        using = condition.format(table=table.partition(".")[2])
        op.execute(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY reader_sees ON {table} FOR SELECT TO alexandria_reader USING ({using})"
        )
        if table not in UNREAD:
            columns = f" ({WITHOUT_SECRETS[table]})" if table in WITHOUT_SECRETS else ""
            op.execute(f"GRANT SELECT{columns} ON {table} TO alexandria_reader")
    for table in CLOSED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    for table in KEPT_BY_THE_DOORKEEPER:
        op.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON identity.{table} TO alexandria_doorkeeper;"
            f"CREATE POLICY doorkeeper_keeps ON identity.{table} TO alexandria_doorkeeper"
            " USING (true)"
        )
    op.execute(GRANTS)
