--
-- PostgreSQL database dump
--


-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: crm_health_sync; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA crm_health_sync;


ALTER SCHEMA crm_health_sync OWNER TO postgres;

--
-- Name: SCHEMA crm_health_sync; Type: COMMENT; Schema: -; Owner: postgres
--

COMMENT ON SCHEMA crm_health_sync IS 'Working state of the crm-health-sync daemon: mailbox cursors, leases, the pending ledger, quota';


--
-- Name: crm_forget_streams(); Type: FUNCTION; Schema: public; Owner: crm_health_owner
--

CREATE FUNCTION public.crm_forget_streams() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
        DECLARE
            v_users uuid[];
            v_contacts uuid[];
            v_companies uuid[];
            v_oldest timestamptz[];
        BEGIN
            IF to_regclass('public.contact_streams') IS NULL THEN
                RETURN NULL;
            ELSIF TG_OP = 'TRUNCATE' THEN
                UPDATE public.contact_streams s SET changes = s.changes + 1, sealed_day = NULL, state = NULL;
                RETURN NULL;
            ELSIF TG_OP = 'INSERT' THEN
                SELECT array_agg(c.user_id), array_agg(c.contact_id), array_agg(c.company_id), array_agg(c.oldest)
                INTO v_users, v_contacts, v_companies, v_oldest
                FROM (SELECT e.user_id, e.contact_id, e.company_id, min(e.event_timestamp) AS oldest
                      FROM come e GROUP BY 1, 2, 3) c;
            ELSIF TG_OP = 'DELETE' THEN
                SELECT array_agg(c.user_id), array_agg(c.contact_id), array_agg(c.company_id), array_agg(c.oldest)
                INTO v_users, v_contacts, v_companies, v_oldest
                FROM (SELECT e.user_id, e.contact_id, e.company_id, min(e.event_timestamp) AS oldest
                      FROM gone e GROUP BY 1, 2, 3) c;
            ELSE
                WITH before AS (
                    SELECT e.id, e.user_id, e.contact_id, e.company_id, e.event_timestamp, e.direction,
                           e.metadata ->> 'automated' AS automated FROM gone e
                ), after AS (
                    SELECT e.id, e.user_id, e.contact_id, e.company_id, e.event_timestamp, e.direction,
                           e.metadata ->> 'automated' AS automated FROM come e
                ), changed AS (
                    (TABLE before EXCEPT TABLE after) UNION ALL (TABLE after EXCEPT TABLE before)
                )
                SELECT array_agg(c.user_id), array_agg(c.contact_id), array_agg(c.company_id), array_agg(c.oldest)
                INTO v_users, v_contacts, v_companies, v_oldest
                FROM (SELECT e.user_id, e.contact_id, e.company_id, min(e.event_timestamp) AS oldest
                      FROM changed e GROUP BY 1, 2, 3) c;
            END IF;
            IF v_users IS NULL THEN
                RETURN NULL;
            END IF;
            -- A refresh under way seals up to 29 days ago at the latest; a state that was sealed is looked up.
            INSERT INTO public.contact_streams AS s (user_id, target_id, changes)
            SELECT t.user_id, t.target_id, 1
            FROM (
                SELECT c.user_id, v.target_id, min(c.oldest) AS oldest
                FROM unnest(v_users, v_contacts, v_companies, v_oldest) AS c (user_id, contact_id, company_id, oldest)
                CROSS JOIN LATERAL (VALUES (c.contact_id), (c.company_id), ((SELECT k.company_id FROM public.contacts k WHERE k.id = c.contact_id))) AS v (target_id)
                WHERE c.user_id IS NOT NULL AND v.target_id IS NOT NULL AND c.oldest IS NOT NULL
                GROUP BY 1, 2
            ) t
            LEFT JOIN public.contact_streams k ON k.user_id = t.user_id AND k.target_id = t.target_id
            WHERE t.oldest < now() - interval '28 days'
               OR t.oldest < to_timestamp((k.sealed_day + 1) * 86400.0)
            ORDER BY 1, 2
            ON CONFLICT (user_id, target_id) DO UPDATE
            SET changes = s.changes + 1, sealed_day = NULL, state = NULL;
            RETURN NULL;
        END
        $$;


ALTER FUNCTION public.crm_forget_streams() OWNER TO crm_health_owner;

--
-- Name: FUNCTION crm_forget_streams(); Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON FUNCTION public.crm_forget_streams() IS 'trigger of communication_events: marks the kept streams that a changed event belongs to';


--
-- Name: crm_keep_deal_stages(); Type: FUNCTION; Schema: public; Owner: crm_health_owner
--

CREATE FUNCTION public.crm_keep_deal_stages() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
        BEGIN
            IF to_regclass('public.deal_stage_history') IS NULL THEN
                RETURN NULL;
            END IF;
            INSERT INTO public.deal_stage_history (deal_id, owner_id, stage_id, status, entered_at, recorded_at)
            VALUES (NEW.id, NEW.owner_id, NEW.stage_id, NEW.status,
                    CASE WHEN TG_OP = 'INSERT' THEN least(coalesce(NEW.stage_changed_at, NEW.created_at, now()), now())
                         ELSE now() END, now());
            RETURN NULL;
        END
        $$;


ALTER FUNCTION public.crm_keep_deal_stages() OWNER TO crm_health_owner;

--
-- Name: FUNCTION crm_keep_deal_stages(); Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON FUNCTION public.crm_keep_deal_stages() IS 'trigger of deals: keeps deal_stage_history';


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: backfills; Type: TABLE; Schema: crm_health_sync; Owner: postgres
--

CREATE TABLE crm_health_sync.backfills (
    user_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    done_down_to timestamp with time zone NOT NULL,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    listed_at timestamp with time zone
);


ALTER TABLE crm_health_sync.backfills OWNER TO postgres;

--
-- Name: TABLE backfills; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON TABLE crm_health_sync.backfills IS 'History to read: everything between since and done_down_to is still to be listed';


--
-- Name: COLUMN backfills.listed_at; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON COLUMN crm_health_sync.backfills.listed_at IS 'When the whole span was in the ledger; NULL while slices are left';


--
-- Name: mailboxes; Type: TABLE; Schema: crm_health_sync; Owner: postgres
--

CREATE TABLE crm_health_sync.mailboxes (
    user_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    state text DEFAULT 'new'::text NOT NULL,
    reason text,
    history_id text,
    own_addresses text[] DEFAULT '{}'::text[] NOT NULL,
    addresses_read_at timestamp with time zone,
    list_without_query boolean DEFAULT false NOT NULL,
    last_good_at timestamp with time zone,
    last_full_at timestamp with time zone,
    last_finished_at timestamp with time zone,
    next_attempt_at timestamp with time zone,
    refresh_due boolean DEFAULT false NOT NULL,
    quota_units double precision,
    quota_at timestamp with time zone,
    lease_token bigint DEFAULT 0 NOT NULL,
    lease_owner text,
    lease_purpose text,
    lease_until timestamp with time zone,
    messages_seen bigint DEFAULT 0 NOT NULL,
    events_written bigint DEFAULT 0 NOT NULL,
    messages_unmatched bigint DEFAULT 0 NOT NULL,
    messages_skipped bigint DEFAULT 0 NOT NULL,
    messages_gone bigint DEFAULT 0 NOT NULL,
    messages_poison bigint DEFAULT 0 NOT NULL,
    units_spent bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mailboxes_purpose_known CHECK ((lease_purpose = ANY (ARRAY['sync'::text, 'backfill'::text]))),
    CONSTRAINT mailboxes_state_known CHECK ((state = ANY (ARRAY['new'::text, 'ok'::text, 'paused'::text, 'failing'::text, 'reconnect_required'::text])))
);


ALTER TABLE crm_health_sync.mailboxes OWNER TO postgres;

--
-- Name: TABLE mailboxes; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON TABLE crm_health_sync.mailboxes IS 'One row for each mailbox: cursor, lease, last outcome, counters';


--
-- Name: COLUMN mailboxes.history_id; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON COLUMN crm_health_sync.mailboxes.history_id IS 'Gmail history id up to which every change is in the ledger; NULL before the first full listing. Text: some servers exceed 64 bits';


--
-- Name: COLUMN mailboxes.own_addresses; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON COLUMN crm_health_sync.mailboxes.own_addresses IS 'Addresses that are the mailbox itself: they decide the direction of a mail';


--
-- Name: COLUMN mailboxes.last_good_at; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON COLUMN crm_health_sync.mailboxes.last_good_at IS 'Start of the last sync that discovered everything there was';


--
-- Name: COLUMN mailboxes.refresh_due; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON COLUMN crm_health_sync.mailboxes.refresh_due IS 'Events were written whose scores are not refreshed yet';


--
-- Name: COLUMN mailboxes.quota_units; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON COLUMN crm_health_sync.mailboxes.quota_units IS 'Units left in the mailbox''s own quota bucket as of quota_at';


--
-- Name: COLUMN mailboxes.lease_token; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON COLUMN crm_health_sync.mailboxes.lease_token IS 'Fencing token: grows with each claim; a write under an older one changes nothing';


--
-- Name: pending; Type: TABLE; Schema: crm_health_sync; Owner: postgres
--

CREATE TABLE crm_health_sync.pending (
    user_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    message_id text NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    reason text,
    discovered_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pending_priority_known CHECK ((priority = ANY (ARRAY[0, 1]))),
    CONSTRAINT pending_state_known CHECK ((state = ANY (ARRAY['waiting'::text, 'poison'::text])))
);


ALTER TABLE crm_health_sync.pending OWNER TO postgres;

--
-- Name: TABLE pending; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON TABLE crm_health_sync.pending IS 'Messages discovered and not dealt with yet; poison ones stay here, set aside, to be looked at';


--
-- Name: COLUMN pending.priority; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON COLUMN crm_health_sync.pending.priority IS '0 live mail, 1 backfill';


--
-- Name: COLUMN pending.attempts; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON COLUMN crm_health_sync.pending.attempts IS 'How often the message itself was refused or unreadable; at 3 it is set aside';


--
-- Name: project_quota; Type: TABLE; Schema: crm_health_sync; Owner: postgres
--

CREATE TABLE crm_health_sync.project_quota (
    only_row boolean DEFAULT true NOT NULL,
    units double precision DEFAULT 0 NOT NULL,
    refilled_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    paused_until timestamp with time zone,
    paused_reason text,
    CONSTRAINT project_quota_single CHECK (only_row)
);


ALTER TABLE crm_health_sync.project_quota OWNER TO postgres;

--
-- Name: TABLE project_quota; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON TABLE crm_health_sync.project_quota IS 'The one token bucket of the Google project; paused_until is set when the daily limit was hit';


--
-- Name: project_usage; Type: TABLE; Schema: crm_health_sync; Owner: postgres
--

CREATE TABLE crm_health_sync.project_usage (
    day date NOT NULL,
    units bigint NOT NULL
);


ALTER TABLE crm_health_sync.project_usage OWNER TO postgres;

--
-- Name: TABLE project_usage; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON TABLE crm_health_sync.project_usage IS 'Gmail quota units spent on each day (UTC)';


--
-- Name: runs; Type: TABLE; Schema: crm_health_sync; Owner: postgres
--

CREATE TABLE crm_health_sync.runs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    daemon text NOT NULL,
    triggered_by text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone DEFAULT now() NOT NULL,
    report jsonb NOT NULL
);


ALTER TABLE crm_health_sync.runs OWNER TO postgres;

--
-- Name: TABLE runs; Type: COMMENT; Schema: crm_health_sync; Owner: postgres
--

COMMENT ON TABLE crm_health_sync.runs IS 'One row for each finished run of a daemon, with the JSON it reported';


--
-- Name: activities; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.activities (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    type text,
    deal_id uuid,
    contact_id uuid,
    company_id uuid,
    subject text,
    date timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE public.activities OWNER TO crm_health_owner;

--
-- Name: TABLE activities; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.activities IS 'Calls, tasks, proposals and notes of the reps';


--
-- Name: COLUMN activities.user_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.activities.user_id IS 'profiles.id of the rep';


--
-- Name: COLUMN activities.date; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.activities.date IS 'when it is due or was done, as the CRM shows it';


--
-- Name: COLUMN activities.created_at; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.activities.created_at IS 'the instant that counts for the score';


--
-- Name: communication_events; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.communication_events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    contact_id uuid,
    company_id uuid,
    deal_id uuid,
    event_type text NOT NULL,
    direction text NOT NULL,
    subject text,
    snippet text,
    was_opened boolean DEFAULT false,
    was_clicked boolean DEFAULT false,
    was_replied boolean DEFAULT false,
    open_count integer DEFAULT 0,
    click_count integer DEFAULT 0,
    response_time_hours numeric,
    sentiment_score numeric,
    sentiment_label text,
    thread_id text,
    is_thread_start boolean DEFAULT false,
    thread_position integer,
    previous_event_id uuid,
    external_id text,
    external_source text,
    sync_source text,
    metadata jsonb DEFAULT '{}'::jsonb,
    event_timestamp timestamp with time zone DEFAULT now() NOT NULL,
    communication_date timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ai_analyzed boolean DEFAULT false,
    ai_model text,
    key_topics jsonb,
    action_items jsonb,
    urgency text,
    response_required boolean,
    CONSTRAINT communication_events_direction_known CHECK ((direction = ANY (ARRAY['outbound'::text, 'inbound'::text, 'system'::text]))),
    CONSTRAINT communication_events_event_type_known CHECK ((event_type = ANY (ARRAY['email_sent'::text, 'email_received'::text, 'email_opened'::text, 'email_clicked'::text, 'meeting_scheduled'::text, 'meeting_held'::text, 'meeting_cancelled'::text, 'meeting_rescheduled'::text, 'call_made'::text, 'call_received'::text, 'linkedin_message'::text, 'linkedin_connection'::text, 'linkedin_inmail'::text, 'proposal_sent'::text, 'proposal_viewed'::text, 'document_shared'::text, 'document_viewed'::text]))),
    CONSTRAINT communication_events_sentiment_label_known CHECK ((sentiment_label = ANY (ARRAY['very_negative'::text, 'negative'::text, 'neutral'::text, 'positive'::text, 'very_positive'::text]))),
    CONSTRAINT communication_events_sentiment_score_range CHECK (((sentiment_score >= ('-1'::integer)::numeric) AND (sentiment_score <= (1)::numeric))),
    CONSTRAINT communication_events_sync_source_known CHECK ((sync_source = ANY (ARRAY['gmail'::text, 'manual'::text, 'calendar'::text, 'fathom'::text]))),
    CONSTRAINT communication_events_urgency_known CHECK ((urgency = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text])))
);


ALTER TABLE public.communication_events OWNER TO crm_health_owner;

--
-- Name: TABLE communication_events; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.communication_events IS 'Interactions with contacts: mail, calls, meetings, documents';


--
-- Name: COLUMN communication_events.user_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.communication_events.user_id IS 'profiles.id of the rep';


--
-- Name: COLUMN communication_events.direction; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.communication_events.direction IS 'outbound from the rep, inbound from the contact';


--
-- Name: COLUMN communication_events.was_replied; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.communication_events.was_replied IS 'an answer came; crm_health.link_replies fills it';


--
-- Name: COLUMN communication_events.response_time_hours; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.communication_events.response_time_hours IS 'how long the answer took; crm_health.link_replies fills it';


--
-- Name: COLUMN communication_events.sentiment_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.communication_events.sentiment_score IS '-1 to 1';


--
-- Name: COLUMN communication_events.thread_position; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.communication_events.thread_position IS '1 for the first mail of a thread';


--
-- Name: COLUMN communication_events.external_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.communication_events.external_id IS 'of the source: for mail its message id';


--
-- Name: COLUMN communication_events.external_source; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.communication_events.external_source IS 'gmail, …';


--
-- Name: COLUMN communication_events.event_timestamp; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.communication_events.event_timestamp IS 'the instant that counts for the score';


--
-- Name: companies; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.companies (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    domain text,
    owner_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE public.companies OWNER TO crm_health_owner;

--
-- Name: TABLE companies; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.companies IS 'The accounts that the team sells to';


--
-- Name: COLUMN companies.domain; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.companies.domain IS 'of its website and mail addresses';


--
-- Name: COLUMN companies.owner_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.companies.owner_id IS 'profiles.id of the rep who looks after it';


--
-- Name: contact_streams; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.contact_streams (
    user_id uuid NOT NULL,
    target_id uuid NOT NULL,
    changes bigint DEFAULT 0 NOT NULL,
    members bigint,
    fingerprint bigint,
    sealed_day integer,
    state bytea
)
WITH (fillfactor='80');


ALTER TABLE public.contact_streams OWNER TO crm_health_owner;

--
-- Name: TABLE contact_streams; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.contact_streams IS 'Cache of the calibrated ghost model; may be emptied at any time';


--
-- Name: COLUMN contact_streams.target_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.contact_streams.target_id IS 'the contact, or the company';


--
-- Name: COLUMN contact_streams.changes; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.contact_streams.changes IS 'how often an event was changed that a state may hold';


--
-- Name: COLUMN contact_streams.members; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.contact_streams.members IS 'of which contacts a company''s state was made';


--
-- Name: COLUMN contact_streams.fingerprint; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.contact_streams.fingerprint IS 'with which constants the state was made';


--
-- Name: COLUMN contact_streams.sealed_day; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.contact_streams.sealed_day IS 'the last day that the state holds, counted from 1970-01-01';


--
-- Name: COLUMN contact_streams.state; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.contact_streams.state IS 'NULL where an event of it was changed since it was made';


--
-- Name: contacts; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.contacts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text,
    first_name text,
    last_name text,
    full_name text,
    company_id uuid,
    owner_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE public.contacts OWNER TO crm_health_owner;

--
-- Name: TABLE contacts; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.contacts IS 'The people that the team is in touch with';


--
-- Name: COLUMN contacts.email; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.contacts.email IS 'mail is matched by this address, whatever its case';


--
-- Name: COLUMN contacts.owner_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.contacts.owner_id IS 'profiles.id of the rep whose relationship it is';


--
-- Name: deal_health_alerts; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.deal_health_alerts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    deal_id uuid NOT NULL,
    health_score_id uuid,
    user_id uuid NOT NULL,
    alert_type text NOT NULL,
    severity text DEFAULT 'warning'::text NOT NULL,
    title text,
    message text,
    suggested_actions text[],
    action_priority text DEFAULT 'medium'::text,
    status text DEFAULT 'active'::text NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by uuid,
    resolved_at timestamp with time zone,
    dismissed_at timestamp with time zone,
    metadata jsonb DEFAULT '{}'::jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT deal_health_alerts_priority_known CHECK ((action_priority = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'urgent'::text]))),
    CONSTRAINT deal_health_alerts_severity_known CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text]))),
    CONSTRAINT deal_health_alerts_status_known CHECK ((status = ANY (ARRAY['active'::text, 'acknowledged'::text, 'resolved'::text, 'dismissed'::text]))),
    CONSTRAINT deal_health_alerts_type_known CHECK ((alert_type = ANY (ARRAY['stage_stall'::text, 'sentiment_drop'::text, 'engagement_decline'::text, 'no_activity'::text, 'missed_follow_up'::text, 'close_date_approaching'::text, 'high_risk'::text])))
);


ALTER TABLE public.deal_health_alerts OWNER TO crm_health_owner;

--
-- Name: TABLE deal_health_alerts; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.deal_health_alerts IS 'Alerts on deals';


--
-- Name: COLUMN deal_health_alerts.user_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_alerts.user_id IS 'owner of the deal';


--
-- Name: deal_health_history; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.deal_health_history (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    deal_id uuid NOT NULL,
    overall_health_score integer NOT NULL,
    stage_velocity_score integer,
    sentiment_score integer,
    engagement_score integer,
    activity_score integer,
    response_time_score integer,
    snapshot_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE public.deal_health_history OWNER TO crm_health_owner;

--
-- Name: TABLE deal_health_history; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.deal_health_history IS 'Snapshots of deal scores, one for each change';


--
-- Name: COLUMN deal_health_history.overall_health_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_history.overall_health_score IS '0 to 100';


--
-- Name: deal_health_rules; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.deal_health_rules (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    rule_name text NOT NULL,
    rule_type text NOT NULL,
    threshold_value numeric,
    threshold_operator text,
    threshold_unit text,
    alert_severity text DEFAULT 'warning'::text NOT NULL,
    alert_message_template text,
    suggested_action_template text,
    conditions jsonb,
    is_active boolean DEFAULT true NOT NULL,
    is_system_rule boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT deal_health_rules_operator_known CHECK ((threshold_operator = ANY (ARRAY['>'::text, '<'::text, '>='::text, '<='::text, '='::text]))),
    CONSTRAINT deal_health_rules_severity_known CHECK ((alert_severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text])))
);


ALTER TABLE public.deal_health_rules OWNER TO crm_health_owner;

--
-- Name: TABLE deal_health_rules; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.deal_health_rules IS 'Rules that raise alerts on deals';


--
-- Name: COLUMN deal_health_rules.is_system_rule; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_rules.is_system_rule IS 'ships with the product';


--
-- Name: deal_health_scores; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.deal_health_scores (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    deal_id uuid NOT NULL,
    user_id uuid NOT NULL,
    overall_health_score integer NOT NULL,
    health_status text NOT NULL,
    stage_velocity_score integer,
    sentiment_score integer,
    engagement_score integer,
    activity_score integer,
    response_time_score integer,
    days_in_current_stage integer,
    days_since_last_meeting integer,
    days_since_last_activity integer,
    avg_sentiment_last_3_meetings numeric,
    sentiment_trend text,
    meeting_count_last_30_days integer,
    activity_count_last_30_days integer,
    avg_response_time_hours numeric,
    risk_factors text[],
    risk_level text,
    predicted_close_probability integer,
    predicted_days_to_close integer,
    last_calculated_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT deal_health_scores_overall_range CHECK (((overall_health_score >= 0) AND (overall_health_score <= 100))),
    CONSTRAINT deal_health_scores_status_known CHECK ((health_status = ANY (ARRAY['healthy'::text, 'warning'::text, 'critical'::text, 'stalled'::text])))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.1', autovacuum_analyze_scale_factor='0.2');


ALTER TABLE public.deal_health_scores OWNER TO crm_health_owner;

--
-- Name: TABLE deal_health_scores; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.deal_health_scores IS 'The score of each deal, written by refresh_deal_health_scores';


--
-- Name: COLUMN deal_health_scores.user_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.user_id IS 'owner of the deal';


--
-- Name: COLUMN deal_health_scores.overall_health_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.overall_health_score IS '0 to 100';


--
-- Name: COLUMN deal_health_scores.stage_velocity_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.stage_velocity_score IS '0 to 100';


--
-- Name: COLUMN deal_health_scores.sentiment_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.sentiment_score IS '0 to 100';


--
-- Name: COLUMN deal_health_scores.engagement_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.engagement_score IS '0 to 100';


--
-- Name: COLUMN deal_health_scores.activity_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.activity_score IS '0 to 100';


--
-- Name: COLUMN deal_health_scores.response_time_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.response_time_score IS '0 to 100';


--
-- Name: COLUMN deal_health_scores.days_in_current_stage; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.days_in_current_stage IS 'whole days';


--
-- Name: COLUMN deal_health_scores.days_since_last_meeting; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.days_since_last_meeting IS 'whole days; negative if one is booked, NULL if there was none';


--
-- Name: COLUMN deal_health_scores.days_since_last_activity; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.days_since_last_activity IS 'whole days; NULL if there was none';


--
-- Name: COLUMN deal_health_scores.avg_sentiment_last_3_meetings; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.avg_sentiment_last_3_meetings IS '-1 to 1';


--
-- Name: COLUMN deal_health_scores.sentiment_trend; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.sentiment_trend IS 'improving, stable, declining, unknown';


--
-- Name: COLUMN deal_health_scores.risk_level; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.risk_level IS 'low, medium, high, critical';


--
-- Name: COLUMN deal_health_scores.predicted_close_probability; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.predicted_close_probability IS 'percent';


--
-- Name: COLUMN deal_health_scores.last_calculated_at; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_health_scores.last_calculated_at IS 'the instant that the score is as of';


--
-- Name: deal_meetings; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.deal_meetings (
    deal_id uuid NOT NULL,
    meeting_id uuid NOT NULL
);


ALTER TABLE public.deal_meetings OWNER TO crm_health_owner;

--
-- Name: TABLE deal_meetings; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.deal_meetings IS 'Which meetings were about which deal';


--
-- Name: deal_stage_history; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.deal_stage_history (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    deal_id uuid NOT NULL,
    owner_id uuid,
    stage_id uuid,
    status text,
    entered_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE public.deal_stage_history OWNER TO crm_health_owner;

--
-- Name: TABLE deal_stage_history; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.deal_stage_history IS 'Each stage and status of each deal, one row for each change';


--
-- Name: COLUMN deal_stage_history.recorded_at; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_stage_history.recorded_at IS 'later than entered_at where it was seeded from the dates on the deal';


--
-- Name: deal_stages; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.deal_stages (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    order_position integer,
    default_probability integer,
    is_final boolean DEFAULT false NOT NULL,
    CONSTRAINT deal_stages_default_probability_percent CHECK (((default_probability >= 0) AND (default_probability <= 100)))
);


ALTER TABLE public.deal_stages OWNER TO crm_health_owner;

--
-- Name: TABLE deal_stages; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.deal_stages IS 'The stages of the pipeline, in order';


--
-- Name: COLUMN deal_stages.name; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_stages.name IS 'thresholds are looked up by this name';


--
-- Name: COLUMN deal_stages.default_probability; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_stages.default_probability IS 'percent';


--
-- Name: COLUMN deal_stages.is_final; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deal_stages.is_final IS 'deals in a final stage are not scored';


--
-- Name: deals; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.deals (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text,
    company text,
    value numeric(12,2),
    stage_id uuid,
    owner_id uuid NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    stage_changed_at timestamp with time zone,
    primary_contact_id uuid,
    company_id uuid,
    expected_close_date date,
    closed_won_date date,
    closed_lost_date date
);


ALTER TABLE public.deals OWNER TO crm_health_owner;

--
-- Name: TABLE deals; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.deals IS 'The deals of the team, open and closed';


--
-- Name: COLUMN deals.company; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deals.company IS 'name of the account, where company_id is not kept';


--
-- Name: COLUMN deals.owner_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deals.owner_id IS 'profiles.id of the rep';


--
-- Name: COLUMN deals.status; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deals.status IS 'only deals that say active are scored';


--
-- Name: COLUMN deals.stage_changed_at; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.deals.stage_changed_at IS 'the days in the stage count from here, else from created_at';


--
-- Name: ghost_detection_signals; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.ghost_detection_signals (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    relationship_health_id uuid NOT NULL,
    user_id uuid NOT NULL,
    signal_type text NOT NULL,
    severity text NOT NULL,
    signal_context text,
    signal_data jsonb,
    detected_at timestamp with time zone DEFAULT now() NOT NULL,
    resolved_at timestamp with time zone,
    CONSTRAINT ghost_detection_signals_severity_known CHECK ((severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))),
    CONSTRAINT ghost_detection_signals_type_known CHECK ((signal_type = ANY (ARRAY['email_no_response'::text, 'response_time_increased'::text, 'email_opens_declined'::text, 'meeting_rescheduled_repeatedly'::text, 'sentiment_declining'::text, 'thread_dropout'::text, 'engagement_pattern_break'::text])))
);


ALTER TABLE public.ghost_detection_signals OWNER TO crm_health_owner;

--
-- Name: TABLE ghost_detection_signals; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.ghost_detection_signals IS 'Signals that a contact is going silent';


--
-- Name: COLUMN ghost_detection_signals.resolved_at; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.ghost_detection_signals.resolved_at IS 'NULL as long as the signal holds';


--
-- Name: google_integrations; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.google_integrations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    email text NOT NULL,
    access_token text,
    refresh_token text,
    expires_at timestamp with time zone,
    scopes text,
    is_active boolean DEFAULT true NOT NULL,
    token_status text DEFAULT 'valid'::text NOT NULL,
    last_token_refresh timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT google_integrations_token_status_known CHECK ((token_status = ANY (ARRAY['valid'::text, 'expired'::text, 'revoked'::text, 'needs_reconnect'::text])))
);


ALTER TABLE public.google_integrations OWNER TO crm_health_owner;

--
-- Name: TABLE google_integrations; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.google_integrations IS 'Mailboxes that the reps connected';


--
-- Name: COLUMN google_integrations.user_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.google_integrations.user_id IS 'profiles.id of the rep';


--
-- Name: COLUMN google_integrations.email; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.google_integrations.email IS 'address of the mailbox';


--
-- Name: COLUMN google_integrations.expires_at; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.google_integrations.expires_at IS 'of the access token';


--
-- Name: meeting_contacts; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.meeting_contacts (
    meeting_id uuid NOT NULL,
    contact_id uuid NOT NULL
);


ALTER TABLE public.meeting_contacts OWNER TO crm_health_owner;

--
-- Name: TABLE meeting_contacts; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.meeting_contacts IS 'Which contacts took part in which meeting';


--
-- Name: meetings; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.meetings (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    title text,
    meeting_start timestamp with time zone,
    meeting_end timestamp with time zone,
    owner_user_id uuid NOT NULL,
    primary_contact_id uuid,
    company_id uuid,
    sentiment_score numeric,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT meetings_sentiment_score_range CHECK (((sentiment_score >= ('-1'::integer)::numeric) AND (sentiment_score <= (1)::numeric)))
);


ALTER TABLE public.meetings OWNER TO crm_health_owner;

--
-- Name: TABLE meetings; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.meetings IS 'The meetings of the team with contacts';


--
-- Name: COLUMN meetings.meeting_start; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.meetings.meeting_start IS 'in the future for a booked meeting';


--
-- Name: COLUMN meetings.owner_user_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.meetings.owner_user_id IS 'profiles.id of the rep';


--
-- Name: COLUMN meetings.sentiment_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.meetings.sentiment_score IS '-1 to 1; NULL until it is known';


--
-- Name: profiles; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.profiles (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text,
    first_name text,
    last_name text,
    last_login_at timestamp with time zone,
    is_admin boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE public.profiles OWNER TO crm_health_owner;

--
-- Name: TABLE profiles; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.profiles IS 'The members of the team, one row for each user';


--
-- Name: COLUMN profiles.id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.profiles.id IS 'the user, as in the JWT subject';


--
-- Name: COLUMN profiles.last_login_at; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.profiles.last_login_at IS 'newest login; kept from auth.users where that table exists';


--
-- Name: relationship_health_history; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.relationship_health_history (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    relationship_health_id uuid NOT NULL,
    user_id uuid NOT NULL,
    overall_health_score integer NOT NULL,
    health_status text,
    communication_frequency_score integer,
    response_behavior_score integer,
    engagement_quality_score integer,
    sentiment_score integer,
    meeting_pattern_score integer,
    is_ghost_risk boolean,
    ghost_probability_percent integer,
    snapshot_at timestamp with time zone DEFAULT now() NOT NULL,
    snapshot_reason text,
    changes_from_previous jsonb,
    CONSTRAINT relationship_health_history_reason_known CHECK ((snapshot_reason = ANY (ARRAY['scheduled'::text, 'major_change'::text, 'ghost_detected'::text, 'recovery'::text, 'manual_refresh'::text, 'alert_triggered'::text, 'intervention_sent'::text])))
);


ALTER TABLE public.relationship_health_history OWNER TO crm_health_owner;

--
-- Name: TABLE relationship_health_history; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.relationship_health_history IS 'Snapshots of relationship scores, one for each change';


--
-- Name: COLUMN relationship_health_history.overall_health_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_history.overall_health_score IS '0 to 100';


--
-- Name: relationship_health_scores; Type: TABLE; Schema: public; Owner: crm_health_owner
--

CREATE TABLE public.relationship_health_scores (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    relationship_type text NOT NULL,
    contact_id uuid,
    company_id uuid,
    overall_health_score integer NOT NULL,
    health_status text NOT NULL,
    risk_level text,
    communication_frequency_score integer,
    response_behavior_score integer,
    engagement_quality_score integer,
    sentiment_score integer,
    meeting_pattern_score integer,
    days_since_last_contact integer,
    days_since_last_response integer,
    avg_response_time_hours numeric,
    response_rate_percent integer,
    email_open_rate_percent integer,
    meeting_count_30_days integer,
    email_count_30_days integer,
    total_interactions_30_days integer,
    baseline_response_time_hours numeric,
    baseline_contact_frequency_days numeric,
    baseline_meeting_frequency_days numeric,
    is_ghost_risk boolean DEFAULT false NOT NULL,
    ghost_signals jsonb,
    ghost_probability_percent integer,
    days_until_predicted_ghost integer,
    sentiment_trend text,
    avg_sentiment_last_3_interactions numeric,
    risk_factors text[],
    last_meaningful_interaction jsonb,
    related_deals_count integer,
    total_deal_value numeric,
    at_risk_deal_value numeric,
    last_calculated_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT relationship_health_scores_one_counterpart CHECK (
CASE relationship_type
    WHEN 'contact'::text THEN ((contact_id IS NOT NULL) AND (company_id IS NULL))
    WHEN 'company'::text THEN ((company_id IS NOT NULL) AND (contact_id IS NULL))
    ELSE false
END),
    CONSTRAINT relationship_health_scores_overall_range CHECK (((overall_health_score >= 0) AND (overall_health_score <= 100))),
    CONSTRAINT relationship_health_scores_status_known CHECK ((health_status = ANY (ARRAY['healthy'::text, 'at_risk'::text, 'critical'::text, 'ghost'::text])))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.1', autovacuum_analyze_scale_factor='0.2');


ALTER TABLE public.relationship_health_scores OWNER TO crm_health_owner;

--
-- Name: TABLE relationship_health_scores; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON TABLE public.relationship_health_scores IS 'The score of each relationship, written by refresh_relationship_health_scores';


--
-- Name: COLUMN relationship_health_scores.user_id; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.user_id IS 'the rep whose relationship it is';


--
-- Name: COLUMN relationship_health_scores.relationship_type; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.relationship_type IS 'contact or company';


--
-- Name: COLUMN relationship_health_scores.overall_health_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.overall_health_score IS '0 to 100';


--
-- Name: COLUMN relationship_health_scores.risk_level; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.risk_level IS 'low, medium, high, critical';


--
-- Name: COLUMN relationship_health_scores.communication_frequency_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.communication_frequency_score IS '0 to 100';


--
-- Name: COLUMN relationship_health_scores.response_behavior_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.response_behavior_score IS '0 to 100';


--
-- Name: COLUMN relationship_health_scores.engagement_quality_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.engagement_quality_score IS '0 to 100';


--
-- Name: COLUMN relationship_health_scores.sentiment_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.sentiment_score IS '0 to 100';


--
-- Name: COLUMN relationship_health_scores.meeting_pattern_score; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.meeting_pattern_score IS '0 to 100';


--
-- Name: COLUMN relationship_health_scores.days_since_last_contact; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.days_since_last_contact IS 'whole days';


--
-- Name: COLUMN relationship_health_scores.days_since_last_response; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.days_since_last_response IS 'whole days';


--
-- Name: COLUMN relationship_health_scores.sentiment_trend; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.sentiment_trend IS 'improving, stable, declining, unknown';


--
-- Name: COLUMN relationship_health_scores.avg_sentiment_last_3_interactions; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.avg_sentiment_last_3_interactions IS '-1 to 1';


--
-- Name: COLUMN relationship_health_scores.last_meaningful_interaction; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.last_meaningful_interaction IS 'type, date, direction, subject';


--
-- Name: COLUMN relationship_health_scores.at_risk_deal_value; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.at_risk_deal_value IS 'value of those deals that are critical or stalled';


--
-- Name: COLUMN relationship_health_scores.last_calculated_at; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON COLUMN public.relationship_health_scores.last_calculated_at IS 'the instant that the score is as of';


--
-- Name: backfills backfills_pkey; Type: CONSTRAINT; Schema: crm_health_sync; Owner: postgres
--

ALTER TABLE ONLY crm_health_sync.backfills
    ADD CONSTRAINT backfills_pkey PRIMARY KEY (user_id, integration_id);


--
-- Name: mailboxes mailboxes_pkey; Type: CONSTRAINT; Schema: crm_health_sync; Owner: postgres
--

ALTER TABLE ONLY crm_health_sync.mailboxes
    ADD CONSTRAINT mailboxes_pkey PRIMARY KEY (user_id, integration_id);


--
-- Name: pending pending_pkey; Type: CONSTRAINT; Schema: crm_health_sync; Owner: postgres
--

ALTER TABLE ONLY crm_health_sync.pending
    ADD CONSTRAINT pending_pkey PRIMARY KEY (user_id, integration_id, message_id);


--
-- Name: project_quota project_quota_pkey; Type: CONSTRAINT; Schema: crm_health_sync; Owner: postgres
--

ALTER TABLE ONLY crm_health_sync.project_quota
    ADD CONSTRAINT project_quota_pkey PRIMARY KEY (only_row);


--
-- Name: project_usage project_usage_pkey; Type: CONSTRAINT; Schema: crm_health_sync; Owner: postgres
--

ALTER TABLE ONLY crm_health_sync.project_usage
    ADD CONSTRAINT project_usage_pkey PRIMARY KEY (day);


--
-- Name: runs runs_pkey; Type: CONSTRAINT; Schema: crm_health_sync; Owner: postgres
--

ALTER TABLE ONLY crm_health_sync.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);


--
-- Name: activities activities_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_pkey PRIMARY KEY (id);


--
-- Name: communication_events communication_events_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.communication_events
    ADD CONSTRAINT communication_events_pkey PRIMARY KEY (id);


--
-- Name: companies companies_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.companies
    ADD CONSTRAINT companies_pkey PRIMARY KEY (id);


--
-- Name: contact_streams contact_streams_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.contact_streams
    ADD CONSTRAINT contact_streams_pkey PRIMARY KEY (user_id, target_id);


--
-- Name: contacts contacts_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (id);


--
-- Name: deal_health_alerts deal_health_alerts_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_alerts
    ADD CONSTRAINT deal_health_alerts_pkey PRIMARY KEY (id);


--
-- Name: deal_health_history deal_health_history_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_history
    ADD CONSTRAINT deal_health_history_pkey PRIMARY KEY (id);


--
-- Name: deal_health_rules deal_health_rules_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_rules
    ADD CONSTRAINT deal_health_rules_pkey PRIMARY KEY (id);


--
-- Name: deal_health_rules deal_health_rules_rule_name_key; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_rules
    ADD CONSTRAINT deal_health_rules_rule_name_key UNIQUE (rule_name);


--
-- Name: deal_health_scores deal_health_scores_deal_id_key; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_scores
    ADD CONSTRAINT deal_health_scores_deal_id_key UNIQUE (deal_id);


--
-- Name: deal_health_scores deal_health_scores_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_scores
    ADD CONSTRAINT deal_health_scores_pkey PRIMARY KEY (id);


--
-- Name: deal_meetings deal_meetings_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_meetings
    ADD CONSTRAINT deal_meetings_pkey PRIMARY KEY (deal_id, meeting_id);


--
-- Name: deal_stage_history deal_stage_history_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_stage_history
    ADD CONSTRAINT deal_stage_history_pkey PRIMARY KEY (id);


--
-- Name: deal_stages deal_stages_name_key; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_stages
    ADD CONSTRAINT deal_stages_name_key UNIQUE (name);


--
-- Name: deal_stages deal_stages_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_stages
    ADD CONSTRAINT deal_stages_pkey PRIMARY KEY (id);


--
-- Name: deals deals_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deals
    ADD CONSTRAINT deals_pkey PRIMARY KEY (id);


--
-- Name: ghost_detection_signals ghost_detection_signals_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.ghost_detection_signals
    ADD CONSTRAINT ghost_detection_signals_pkey PRIMARY KEY (id);


--
-- Name: google_integrations google_integrations_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.google_integrations
    ADD CONSTRAINT google_integrations_pkey PRIMARY KEY (id);


--
-- Name: meeting_contacts meeting_contacts_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.meeting_contacts
    ADD CONSTRAINT meeting_contacts_pkey PRIMARY KEY (meeting_id, contact_id);


--
-- Name: meetings meetings_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.meetings
    ADD CONSTRAINT meetings_pkey PRIMARY KEY (id);


--
-- Name: profiles profiles_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (id);


--
-- Name: relationship_health_history relationship_health_history_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.relationship_health_history
    ADD CONSTRAINT relationship_health_history_pkey PRIMARY KEY (id);


--
-- Name: relationship_health_scores relationship_health_scores_pkey; Type: CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.relationship_health_scores
    ADD CONSTRAINT relationship_health_scores_pkey PRIMARY KEY (id);


--
-- Name: mailboxes_claim_order; Type: INDEX; Schema: crm_health_sync; Owner: postgres
--

CREATE INDEX mailboxes_claim_order ON crm_health_sync.mailboxes USING btree (last_finished_at NULLS FIRST, integration_id);


--
-- Name: pending_drain_order; Type: INDEX; Schema: crm_health_sync; Owner: postgres
--

CREATE INDEX pending_drain_order ON crm_health_sync.pending USING btree (user_id, integration_id, priority, message_id) WHERE (state = 'waiting'::text);


--
-- Name: runs_by_time; Type: INDEX; Schema: crm_health_sync; Owner: postgres
--

CREATE INDEX runs_by_time ON crm_health_sync.runs USING btree (finished_at DESC);


--
-- Name: activities_user_id_deal_id_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX activities_user_id_deal_id_idx ON public.activities USING btree (user_id, deal_id);


--
-- Name: INDEX activities_user_id_deal_id_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.activities_user_id_deal_id_idx IS 'the activities of a user for a deal';


--
-- Name: communication_events_company_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX communication_events_company_idx ON public.communication_events USING btree (user_id, company_id, event_timestamp DESC) WHERE (company_id IS NOT NULL);


--
-- Name: INDEX communication_events_company_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.communication_events_company_idx IS 'the newest events of a user with a company';


--
-- Name: communication_events_contact_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX communication_events_contact_idx ON public.communication_events USING btree (user_id, contact_id, event_timestamp DESC);


--
-- Name: INDEX communication_events_contact_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.communication_events_contact_idx IS 'the newest events of a user with a contact';


--
-- Name: communication_events_deal_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX communication_events_deal_idx ON public.communication_events USING btree (user_id, deal_id, event_timestamp DESC) WHERE (deal_id IS NOT NULL);


--
-- Name: INDEX communication_events_deal_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.communication_events_deal_idx IS 'the newest events of a user for a deal';


--
-- Name: communication_events_mail_key; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE UNIQUE INDEX communication_events_mail_key ON public.communication_events USING btree (user_id, external_source, external_id, contact_id);


--
-- Name: INDEX communication_events_mail_key; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.communication_events_mail_key IS 'one row for each mail of a mailbox and contact on it, however often it is synced';


--
-- Name: communication_events_opened_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX communication_events_opened_idx ON public.communication_events USING btree (user_id, event_timestamp) WHERE was_opened;


--
-- Name: INDEX communication_events_opened_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.communication_events_opened_idx IS 'whether opens are tracked for a user at all';


--
-- Name: communication_events_thread_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX communication_events_thread_idx ON public.communication_events USING btree (user_id, thread_id) WHERE (thread_id IS NOT NULL);


--
-- Name: INDEX communication_events_thread_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.communication_events_thread_idx IS 'the mails of a thread, for linking replies';


--
-- Name: contacts_owner_id_company_id_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX contacts_owner_id_company_id_idx ON public.contacts USING btree (owner_id, company_id);


--
-- Name: INDEX contacts_owner_id_company_id_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.contacts_owner_id_company_id_idx IS 'the contacts of a user, and of a company of hers';


--
-- Name: deal_health_alerts_active_key; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE UNIQUE INDEX deal_health_alerts_active_key ON public.deal_health_alerts USING btree (deal_id, alert_type) WHERE (status = 'active'::text);


--
-- Name: INDEX deal_health_alerts_active_key; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.deal_health_alerts_active_key IS 'one active alert for each deal and type';


--
-- Name: deal_health_history_deal_id_snapshot_at_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX deal_health_history_deal_id_snapshot_at_idx ON public.deal_health_history USING btree (deal_id, snapshot_at);


--
-- Name: INDEX deal_health_history_deal_id_snapshot_at_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.deal_health_history_deal_id_snapshot_at_idx IS 'the course of a deal, and its thinning out';


--
-- Name: deal_health_scores_user_id_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX deal_health_scores_user_id_idx ON public.deal_health_scores USING btree (user_id);


--
-- Name: INDEX deal_health_scores_user_id_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.deal_health_scores_user_id_idx IS 'the scores of a user: row level security and the board';


--
-- Name: deal_meetings_meeting_id_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX deal_meetings_meeting_id_idx ON public.deal_meetings USING btree (meeting_id);


--
-- Name: INDEX deal_meetings_meeting_id_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.deal_meetings_meeting_id_idx IS 'the deals that a meeting was about, also when a meeting is deleted';


--
-- Name: deal_stage_history_deal_id_entered_at_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX deal_stage_history_deal_id_entered_at_idx ON public.deal_stage_history USING btree (deal_id, entered_at);


--
-- Name: INDEX deal_stage_history_deal_id_entered_at_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.deal_stage_history_deal_id_entered_at_idx IS 'the course of a deal';


--
-- Name: deals_owner_id_active_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX deals_owner_id_active_idx ON public.deals USING btree (owner_id) WHERE (status = 'active'::text);


--
-- Name: INDEX deals_owner_id_active_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.deals_owner_id_active_idx IS 'the deals of a user that are scored';


--
-- Name: deals_owner_id_company_id_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX deals_owner_id_company_id_idx ON public.deals USING btree (owner_id, company_id);


--
-- Name: INDEX deals_owner_id_company_id_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.deals_owner_id_company_id_idx IS 'the deals of a user with a company';


--
-- Name: deals_owner_id_primary_contact_id_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX deals_owner_id_primary_contact_id_idx ON public.deals USING btree (owner_id, primary_contact_id);


--
-- Name: INDEX deals_owner_id_primary_contact_id_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.deals_owner_id_primary_contact_id_idx IS 'the deals that a relationship stands for, closed ones too';


--
-- Name: ghost_detection_signals_open_key; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE UNIQUE INDEX ghost_detection_signals_open_key ON public.ghost_detection_signals USING btree (relationship_health_id, signal_type) WHERE (resolved_at IS NULL);


--
-- Name: INDEX ghost_detection_signals_open_key; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.ghost_detection_signals_open_key IS 'one open signal for each relationship and type';


--
-- Name: google_integrations_user_id_email_key; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE UNIQUE INDEX google_integrations_user_id_email_key ON public.google_integrations USING btree (user_id, email);


--
-- Name: INDEX google_integrations_user_id_email_key; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.google_integrations_user_id_email_key IS 'a mailbox is connected once for each user';


--
-- Name: meeting_contacts_contact_id_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX meeting_contacts_contact_id_idx ON public.meeting_contacts USING btree (contact_id);


--
-- Name: INDEX meeting_contacts_contact_id_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.meeting_contacts_contact_id_idx IS 'the meetings that a contact took part in';


--
-- Name: meetings_owner_user_id_company_id_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX meetings_owner_user_id_company_id_idx ON public.meetings USING btree (owner_user_id, company_id);


--
-- Name: INDEX meetings_owner_user_id_company_id_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.meetings_owner_user_id_company_id_idx IS 'the meetings of a user with a company';


--
-- Name: meetings_owner_user_id_primary_contact_id_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX meetings_owner_user_id_primary_contact_id_idx ON public.meetings USING btree (owner_user_id, primary_contact_id);


--
-- Name: INDEX meetings_owner_user_id_primary_contact_id_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.meetings_owner_user_id_primary_contact_id_idx IS 'the meetings of a user with a contact';


--
-- Name: relationship_health_history_snapshot_at_idx; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE INDEX relationship_health_history_snapshot_at_idx ON public.relationship_health_history USING btree (relationship_health_id, snapshot_at);


--
-- Name: INDEX relationship_health_history_snapshot_at_idx; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.relationship_health_history_snapshot_at_idx IS 'the course of a relationship, and its thinning out';


--
-- Name: relationship_health_scores_user_id_company_id_key; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE UNIQUE INDEX relationship_health_scores_user_id_company_id_key ON public.relationship_health_scores USING btree (user_id, company_id);


--
-- Name: INDEX relationship_health_scores_user_id_company_id_key; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.relationship_health_scores_user_id_company_id_key IS 'one score for each user and company';


--
-- Name: relationship_health_scores_user_id_contact_id_key; Type: INDEX; Schema: public; Owner: crm_health_owner
--

CREATE UNIQUE INDEX relationship_health_scores_user_id_contact_id_key ON public.relationship_health_scores USING btree (user_id, contact_id);


--
-- Name: INDEX relationship_health_scores_user_id_contact_id_key; Type: COMMENT; Schema: public; Owner: crm_health_owner
--

COMMENT ON INDEX public.relationship_health_scores_user_id_contact_id_key IS 'one score for each user and contact';


--
-- Name: communication_events crm_forget_streams_delete; Type: TRIGGER; Schema: public; Owner: crm_health_owner
--

CREATE TRIGGER crm_forget_streams_delete AFTER DELETE ON public.communication_events REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.crm_forget_streams();

ALTER TABLE public.communication_events ENABLE ALWAYS TRIGGER crm_forget_streams_delete;


--
-- Name: communication_events crm_forget_streams_insert; Type: TRIGGER; Schema: public; Owner: crm_health_owner
--

CREATE TRIGGER crm_forget_streams_insert AFTER INSERT ON public.communication_events REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION public.crm_forget_streams();

ALTER TABLE public.communication_events ENABLE ALWAYS TRIGGER crm_forget_streams_insert;


--
-- Name: communication_events crm_forget_streams_truncate; Type: TRIGGER; Schema: public; Owner: crm_health_owner
--

CREATE TRIGGER crm_forget_streams_truncate AFTER TRUNCATE ON public.communication_events FOR EACH STATEMENT EXECUTE FUNCTION public.crm_forget_streams();

ALTER TABLE public.communication_events ENABLE ALWAYS TRIGGER crm_forget_streams_truncate;


--
-- Name: communication_events crm_forget_streams_update; Type: TRIGGER; Schema: public; Owner: crm_health_owner
--

CREATE TRIGGER crm_forget_streams_update AFTER UPDATE ON public.communication_events REFERENCING OLD TABLE AS gone NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION public.crm_forget_streams();

ALTER TABLE public.communication_events ENABLE ALWAYS TRIGGER crm_forget_streams_update;


--
-- Name: deals crm_keep_deal_stages; Type: TRIGGER; Schema: public; Owner: crm_health_owner
--

CREATE TRIGGER crm_keep_deal_stages AFTER UPDATE ON public.deals FOR EACH ROW WHEN (((old.stage_id IS DISTINCT FROM new.stage_id) OR (old.status IS DISTINCT FROM new.status))) EXECUTE FUNCTION public.crm_keep_deal_stages();


--
-- Name: deals crm_keep_new_deal; Type: TRIGGER; Schema: public; Owner: crm_health_owner
--

CREATE TRIGGER crm_keep_new_deal AFTER INSERT ON public.deals FOR EACH ROW EXECUTE FUNCTION public.crm_keep_deal_stages();


--
-- Name: backfills backfills_mailbox_fkey; Type: FK CONSTRAINT; Schema: crm_health_sync; Owner: postgres
--

ALTER TABLE ONLY crm_health_sync.backfills
    ADD CONSTRAINT backfills_mailbox_fkey FOREIGN KEY (user_id, integration_id) REFERENCES crm_health_sync.mailboxes(user_id, integration_id) ON DELETE CASCADE;


--
-- Name: pending pending_mailbox_fkey; Type: FK CONSTRAINT; Schema: crm_health_sync; Owner: postgres
--

ALTER TABLE ONLY crm_health_sync.pending
    ADD CONSTRAINT pending_mailbox_fkey FOREIGN KEY (user_id, integration_id) REFERENCES crm_health_sync.mailboxes(user_id, integration_id) ON DELETE CASCADE;


--
-- Name: activities activities_company_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id) ON DELETE SET NULL;


--
-- Name: activities activities_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON DELETE SET NULL;


--
-- Name: activities activities_deal_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.activities
    ADD CONSTRAINT activities_deal_id_fkey FOREIGN KEY (deal_id) REFERENCES public.deals(id) ON DELETE SET NULL;


--
-- Name: communication_events communication_events_company_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.communication_events
    ADD CONSTRAINT communication_events_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id) ON DELETE SET NULL;


--
-- Name: communication_events communication_events_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.communication_events
    ADD CONSTRAINT communication_events_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON DELETE CASCADE;


--
-- Name: communication_events communication_events_deal_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.communication_events
    ADD CONSTRAINT communication_events_deal_id_fkey FOREIGN KEY (deal_id) REFERENCES public.deals(id) ON DELETE SET NULL;


--
-- Name: contacts contacts_company_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id) ON DELETE SET NULL;


--
-- Name: deal_health_alerts deal_health_alerts_deal_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_alerts
    ADD CONSTRAINT deal_health_alerts_deal_id_fkey FOREIGN KEY (deal_id) REFERENCES public.deals(id) ON DELETE CASCADE;


--
-- Name: deal_health_alerts deal_health_alerts_health_score_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_alerts
    ADD CONSTRAINT deal_health_alerts_health_score_id_fkey FOREIGN KEY (health_score_id) REFERENCES public.deal_health_scores(id) ON DELETE SET NULL;


--
-- Name: deal_health_history deal_health_history_deal_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_history
    ADD CONSTRAINT deal_health_history_deal_id_fkey FOREIGN KEY (deal_id) REFERENCES public.deals(id) ON DELETE CASCADE;


--
-- Name: deal_health_scores deal_health_scores_deal_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_health_scores
    ADD CONSTRAINT deal_health_scores_deal_id_fkey FOREIGN KEY (deal_id) REFERENCES public.deals(id) ON DELETE CASCADE;


--
-- Name: deal_meetings deal_meetings_deal_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_meetings
    ADD CONSTRAINT deal_meetings_deal_id_fkey FOREIGN KEY (deal_id) REFERENCES public.deals(id) ON DELETE CASCADE;


--
-- Name: deal_meetings deal_meetings_meeting_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deal_meetings
    ADD CONSTRAINT deal_meetings_meeting_id_fkey FOREIGN KEY (meeting_id) REFERENCES public.meetings(id) ON DELETE CASCADE;


--
-- Name: deals deals_company_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deals
    ADD CONSTRAINT deals_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id) ON DELETE SET NULL;


--
-- Name: deals deals_primary_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deals
    ADD CONSTRAINT deals_primary_contact_id_fkey FOREIGN KEY (primary_contact_id) REFERENCES public.contacts(id) ON DELETE SET NULL;


--
-- Name: deals deals_stage_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.deals
    ADD CONSTRAINT deals_stage_id_fkey FOREIGN KEY (stage_id) REFERENCES public.deal_stages(id) ON DELETE RESTRICT;


--
-- Name: ghost_detection_signals ghost_detection_signals_relationship_health_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.ghost_detection_signals
    ADD CONSTRAINT ghost_detection_signals_relationship_health_id_fkey FOREIGN KEY (relationship_health_id) REFERENCES public.relationship_health_scores(id) ON DELETE CASCADE;


--
-- Name: meeting_contacts meeting_contacts_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.meeting_contacts
    ADD CONSTRAINT meeting_contacts_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON DELETE CASCADE;


--
-- Name: meeting_contacts meeting_contacts_meeting_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.meeting_contacts
    ADD CONSTRAINT meeting_contacts_meeting_id_fkey FOREIGN KEY (meeting_id) REFERENCES public.meetings(id) ON DELETE CASCADE;


--
-- Name: meetings meetings_company_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.meetings
    ADD CONSTRAINT meetings_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id) ON DELETE SET NULL;


--
-- Name: meetings meetings_primary_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.meetings
    ADD CONSTRAINT meetings_primary_contact_id_fkey FOREIGN KEY (primary_contact_id) REFERENCES public.contacts(id) ON DELETE SET NULL;


--
-- Name: relationship_health_history relationship_health_history_relationship_health_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.relationship_health_history
    ADD CONSTRAINT relationship_health_history_relationship_health_id_fkey FOREIGN KEY (relationship_health_id) REFERENCES public.relationship_health_scores(id) ON DELETE CASCADE;


--
-- Name: relationship_health_scores relationship_health_scores_company_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.relationship_health_scores
    ADD CONSTRAINT relationship_health_scores_company_id_fkey FOREIGN KEY (company_id) REFERENCES public.companies(id) ON DELETE CASCADE;


--
-- Name: relationship_health_scores relationship_health_scores_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: crm_health_owner
--

ALTER TABLE ONLY public.relationship_health_scores
    ADD CONSTRAINT relationship_health_scores_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contacts(id) ON DELETE CASCADE;


--
-- Name: activities; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.activities ENABLE ROW LEVEL SECURITY;

--
-- Name: communication_events; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.communication_events ENABLE ROW LEVEL SECURITY;

--
-- Name: companies; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.companies ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_streams; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.contact_streams ENABLE ROW LEVEL SECURITY;

--
-- Name: contacts; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.contacts ENABLE ROW LEVEL SECURITY;

--
-- Name: companies crm_companies_of_own_contacts; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_companies_of_own_contacts ON public.companies FOR SELECT USING ((id IN ( SELECT c.company_id
   FROM public.contacts c
  WHERE (c.owner_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")))));


--
-- Name: activities crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.activities USING ((user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: communication_events crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.communication_events USING ((user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: companies crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.companies USING ((owner_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: contact_streams crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.contact_streams USING ((user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: contacts crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.contacts USING ((owner_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: deal_health_alerts crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.deal_health_alerts USING ((user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: deal_health_history crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.deal_health_history USING ((EXISTS ( SELECT
   FROM public.deals d
  WHERE ((d.id = deal_health_history.deal_id) AND (d.owner_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce"))))));


--
-- Name: deal_health_scores crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.deal_health_scores USING ((user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: deal_meetings crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.deal_meetings USING (((EXISTS ( SELECT
   FROM public.deals d
  WHERE ((d.id = deal_meetings.deal_id) AND (d.owner_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce"))))) AND (EXISTS ( SELECT
   FROM public.meetings m
  WHERE ((m.id = deal_meetings.meeting_id) AND (m.owner_user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")))))));


--
-- Name: deal_stage_history crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.deal_stage_history USING ((owner_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: deals crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.deals USING ((owner_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: ghost_detection_signals crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.ghost_detection_signals USING ((user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: google_integrations crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.google_integrations USING ((user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: meeting_contacts crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.meeting_contacts USING ((EXISTS ( SELECT
   FROM public.meetings m
  WHERE ((m.id = meeting_contacts.meeting_id) AND (m.owner_user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce"))))));


--
-- Name: meetings crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.meetings USING ((owner_user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: profiles crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.profiles USING ((id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: relationship_health_history crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.relationship_health_history USING ((user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: relationship_health_scores crm_own_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_own_rows ON public.relationship_health_scores USING ((user_id = ( SELECT (COALESCE(NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text), NULLIF(current_setting('request.jwt.claim.sub'::text, true), ''::text)))::uuid AS "coalesce")));


--
-- Name: deal_health_rules crm_read_all; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_read_all ON public.deal_health_rules FOR SELECT USING (true);


--
-- Name: deal_stages crm_read_all; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_read_all ON public.deal_stages FOR SELECT USING (true);


--
-- Name: activities crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.activities TO service_role USING (true) WITH CHECK (true);


--
-- Name: communication_events crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.communication_events TO service_role USING (true) WITH CHECK (true);


--
-- Name: companies crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.companies TO service_role USING (true) WITH CHECK (true);


--
-- Name: contact_streams crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.contact_streams TO service_role USING (true) WITH CHECK (true);


--
-- Name: contacts crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.contacts TO service_role USING (true) WITH CHECK (true);


--
-- Name: deal_health_alerts crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.deal_health_alerts TO service_role USING (true) WITH CHECK (true);


--
-- Name: deal_health_history crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.deal_health_history TO service_role USING (true) WITH CHECK (true);


--
-- Name: deal_health_rules crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.deal_health_rules TO service_role USING (true) WITH CHECK (true);


--
-- Name: deal_health_scores crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.deal_health_scores TO service_role USING (true) WITH CHECK (true);


--
-- Name: deal_meetings crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.deal_meetings TO service_role USING (true) WITH CHECK (true);


--
-- Name: deal_stage_history crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.deal_stage_history TO service_role USING (true) WITH CHECK (true);


--
-- Name: deal_stages crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.deal_stages TO service_role USING (true) WITH CHECK (true);


--
-- Name: deals crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.deals TO service_role USING (true) WITH CHECK (true);


--
-- Name: ghost_detection_signals crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.ghost_detection_signals TO service_role USING (true) WITH CHECK (true);


--
-- Name: google_integrations crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.google_integrations TO service_role USING (true) WITH CHECK (true);


--
-- Name: meeting_contacts crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.meeting_contacts TO service_role USING (true) WITH CHECK (true);


--
-- Name: meetings crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.meetings TO service_role USING (true) WITH CHECK (true);


--
-- Name: profiles crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.profiles TO service_role USING (true) WITH CHECK (true);


--
-- Name: relationship_health_history crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.relationship_health_history TO service_role USING (true) WITH CHECK (true);


--
-- Name: relationship_health_scores crm_service_rows; Type: POLICY; Schema: public; Owner: crm_health_owner
--

CREATE POLICY crm_service_rows ON public.relationship_health_scores TO service_role USING (true) WITH CHECK (true);


--
-- Name: deal_health_alerts; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.deal_health_alerts ENABLE ROW LEVEL SECURITY;

--
-- Name: deal_health_history; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.deal_health_history ENABLE ROW LEVEL SECURITY;

--
-- Name: deal_health_rules; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.deal_health_rules ENABLE ROW LEVEL SECURITY;

--
-- Name: deal_health_scores; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.deal_health_scores ENABLE ROW LEVEL SECURITY;

--
-- Name: deal_meetings; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.deal_meetings ENABLE ROW LEVEL SECURITY;

--
-- Name: deal_stage_history; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.deal_stage_history ENABLE ROW LEVEL SECURITY;

--
-- Name: deal_stages; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.deal_stages ENABLE ROW LEVEL SECURITY;

--
-- Name: deals; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.deals ENABLE ROW LEVEL SECURITY;

--
-- Name: ghost_detection_signals; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.ghost_detection_signals ENABLE ROW LEVEL SECURITY;

--
-- Name: google_integrations; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.google_integrations ENABLE ROW LEVEL SECURITY;

--
-- Name: meeting_contacts; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.meeting_contacts ENABLE ROW LEVEL SECURITY;

--
-- Name: meetings; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.meetings ENABLE ROW LEVEL SECURITY;

--
-- Name: profiles; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;

--
-- Name: relationship_health_history; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.relationship_health_history ENABLE ROW LEVEL SECURITY;

--
-- Name: relationship_health_scores; Type: ROW SECURITY; Schema: public; Owner: crm_health_owner
--

ALTER TABLE public.relationship_health_scores ENABLE ROW LEVEL SECURITY;

--
-- Name: FUNCTION crm_forget_streams(); Type: ACL; Schema: public; Owner: crm_health_owner
--

REVOKE ALL ON FUNCTION public.crm_forget_streams() FROM PUBLIC;


--
-- Name: FUNCTION crm_keep_deal_stages(); Type: ACL; Schema: public; Owner: crm_health_owner
--

REVOKE ALL ON FUNCTION public.crm_keep_deal_stages() FROM PUBLIC;


--
-- Name: TABLE activities; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.activities TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.activities TO service_role;


--
-- Name: TABLE communication_events; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.communication_events TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.communication_events TO service_role;


--
-- Name: TABLE companies; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.companies TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.companies TO service_role;


--
-- Name: TABLE contact_streams; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.contact_streams TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_streams TO service_role;


--
-- Name: TABLE contacts; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contacts TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contacts TO service_role;


--
-- Name: TABLE deal_health_alerts; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.deal_health_alerts TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deal_health_alerts TO service_role;


--
-- Name: COLUMN deal_health_alerts.status; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT UPDATE(status) ON TABLE public.deal_health_alerts TO authenticated;


--
-- Name: COLUMN deal_health_alerts.acknowledged_at; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT UPDATE(acknowledged_at) ON TABLE public.deal_health_alerts TO authenticated;


--
-- Name: COLUMN deal_health_alerts.acknowledged_by; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT UPDATE(acknowledged_by) ON TABLE public.deal_health_alerts TO authenticated;


--
-- Name: COLUMN deal_health_alerts.resolved_at; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT UPDATE(resolved_at) ON TABLE public.deal_health_alerts TO authenticated;


--
-- Name: COLUMN deal_health_alerts.dismissed_at; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT UPDATE(dismissed_at) ON TABLE public.deal_health_alerts TO authenticated;


--
-- Name: COLUMN deal_health_alerts.updated_at; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT UPDATE(updated_at) ON TABLE public.deal_health_alerts TO authenticated;


--
-- Name: TABLE deal_health_history; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.deal_health_history TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deal_health_history TO service_role;


--
-- Name: TABLE deal_health_rules; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.deal_health_rules TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deal_health_rules TO service_role;


--
-- Name: TABLE deal_health_scores; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.deal_health_scores TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deal_health_scores TO service_role;


--
-- Name: TABLE deal_meetings; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deal_meetings TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deal_meetings TO service_role;


--
-- Name: TABLE deal_stage_history; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.deal_stage_history TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deal_stage_history TO service_role;


--
-- Name: TABLE deal_stages; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.deal_stages TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deal_stages TO service_role;


--
-- Name: TABLE deals; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deals TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deals TO service_role;


--
-- Name: TABLE ghost_detection_signals; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.ghost_detection_signals TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ghost_detection_signals TO service_role;


--
-- Name: TABLE google_integrations; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT DELETE ON TABLE public.google_integrations TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.google_integrations TO service_role;


--
-- Name: COLUMN google_integrations.id; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(id) ON TABLE public.google_integrations TO authenticated;


--
-- Name: COLUMN google_integrations.user_id; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(user_id) ON TABLE public.google_integrations TO authenticated;


--
-- Name: COLUMN google_integrations.email; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(email) ON TABLE public.google_integrations TO authenticated;


--
-- Name: COLUMN google_integrations.expires_at; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(expires_at) ON TABLE public.google_integrations TO authenticated;


--
-- Name: COLUMN google_integrations.scopes; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(scopes) ON TABLE public.google_integrations TO authenticated;


--
-- Name: COLUMN google_integrations.is_active; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(is_active),UPDATE(is_active) ON TABLE public.google_integrations TO authenticated;


--
-- Name: COLUMN google_integrations.token_status; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(token_status) ON TABLE public.google_integrations TO authenticated;


--
-- Name: COLUMN google_integrations.last_token_refresh; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(last_token_refresh) ON TABLE public.google_integrations TO authenticated;


--
-- Name: COLUMN google_integrations.created_at; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(created_at) ON TABLE public.google_integrations TO authenticated;


--
-- Name: COLUMN google_integrations.updated_at; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT(updated_at) ON TABLE public.google_integrations TO authenticated;


--
-- Name: TABLE meeting_contacts; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meeting_contacts TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meeting_contacts TO service_role;


--
-- Name: TABLE meetings; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meetings TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.meetings TO service_role;


--
-- Name: TABLE profiles; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.profiles TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.profiles TO service_role;


--
-- Name: COLUMN profiles.first_name; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT UPDATE(first_name) ON TABLE public.profiles TO authenticated;


--
-- Name: COLUMN profiles.last_name; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT UPDATE(last_name) ON TABLE public.profiles TO authenticated;


--
-- Name: TABLE relationship_health_history; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.relationship_health_history TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.relationship_health_history TO service_role;


--
-- Name: TABLE relationship_health_scores; Type: ACL; Schema: public; Owner: crm_health_owner
--

GRANT SELECT ON TABLE public.relationship_health_scores TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.relationship_health_scores TO service_role;


--
-- PostgreSQL database dump complete
--


