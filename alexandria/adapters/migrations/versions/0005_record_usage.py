"""Record usage: who did what and when, kept for a while, and whose each question was."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

QUESTIONS = """
ALTER TABLE insights.query_events ADD user_id uuid;
COMMENT ON COLUMN insights.query_events.user_id IS
    'Who asked; null for the command line.';
CREATE INDEX query_events_tenant_id_idx ON insights.query_events (tenant_id, asked_at);
"""

USAGE = """
CREATE TABLE insights.usage_events (
    usage_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text NOT NULL,
    user_id uuid,
    kind text NOT NULL CHECK (kind IN ('query_executed', 'document_indexed', 'image_processed',
        'diagram_generated', 'user_action')),
    action text NOT NULL DEFAULT '',
    occurred_at timestamptz NOT NULL DEFAULT now(),
    request_id text NOT NULL DEFAULT '',
    elapsed_ms double precision,
    properties jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX usage_events_tenant_id_idx ON insights.usage_events (tenant_id, occurred_at);
COMMENT ON COLUMN insights.usage_events.properties IS
    'Counts and fixed words; never what somebody asked or wrote.';
"""

VISIBLE = """
ALTER TABLE insights.usage_events ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON insights.usage_events TO alexandria_reader;
CREATE POLICY reader_sees ON insights.usage_events FOR SELECT TO alexandria_reader
    USING (tenant_id = identity.current_tenant() AND (user_id = identity.current_user_id()
        OR (SELECT identity.has_permission('view_analytics'))));
CREATE POLICY reader_records ON insights.usage_events FOR INSERT TO alexandria_reader
    WITH CHECK (tenant_id = identity.current_tenant()
        AND user_id IS NOT DISTINCT FROM identity.current_user_id());
GRANT INSERT ON insights.usage_events TO alexandria_doorkeeper;
CREATE POLICY doorkeeper_records ON insights.usage_events FOR INSERT TO alexandria_doorkeeper
    WITH CHECK (true);
COMMENT ON POLICY doorkeeper_records ON insights.usage_events IS
    'Events of many people are written together, by what found out who each of them is.';

DROP POLICY reader_sees ON insights.query_events;
CREATE POLICY reader_sees ON insights.query_events FOR SELECT TO alexandria_reader
    USING (tenant_id = identity.current_tenant() AND (user_id = identity.current_user_id()
        OR (SELECT identity.has_permission('view_analytics'))));
REVOKE SELECT ON insights.query_events FROM alexandria_reader;
GRANT SELECT (query_event_id, tenant_id, user_id, asked_at, generation_id, answer_model,
    is_answered, citation_count, elapsed_ms, token_count, cost_usd)
    ON insights.query_events TO alexandria_reader;
DROP POLICY reader_sees ON insights.query_event_chunks;
CREATE POLICY reader_sees ON insights.query_event_chunks FOR SELECT TO alexandria_reader
    USING (EXISTS (SELECT FROM insights.query_events AS own
        WHERE own.query_event_id = query_event_chunks.query_event_id
            AND own.user_id = identity.current_user_id()));
COMMENT ON POLICY reader_sees ON insights.query_event_chunks IS
    'Quotes are from what the asker may read; who views analytics may not.';
DROP POLICY reader_records ON insights.query_events;
CREATE POLICY reader_records ON insights.query_events FOR INSERT TO alexandria_reader
    WITH CHECK (tenant_id = identity.current_tenant()
        AND user_id IS NOT DISTINCT FROM identity.current_user_id());
"""


def upgrade() -> None:
    for script in (QUESTIONS, USAGE, VISIBLE):
        op.execute(script)
