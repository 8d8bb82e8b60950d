-- A CRM as a hosted backend has it: tables of the names that crm_health uses, in public and of an ordinary owner, with
-- row security for the roles of the API, scores computed by functions in plpgsql, and triggers that keep their history.
-- A person's own rows stand in it already. Expects the roles anon, authenticated and service_role, and :owner to be set.

CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text, last_sign_in_at timestamptz);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
  AS $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;

CREATE TABLE profiles (id uuid PRIMARY KEY, first_name text, last_login_at timestamptz);
CREATE TABLE deal_stages (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL);
CREATE TABLE companies (id uuid PRIMARY KEY, name text);
CREATE TABLE contacts (id uuid PRIMARY KEY, email text, owner_id uuid, company_id uuid REFERENCES companies);
CREATE TABLE deals (
  id uuid PRIMARY KEY, name text, value numeric(12,2), stage_id uuid REFERENCES deal_stages, owner_id uuid,
  status text, created_at timestamptz NOT NULL DEFAULT now(), stage_changed_at timestamptz);
CREATE TABLE activities (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid, deal_id uuid REFERENCES deals, created_at timestamptz DEFAULT now());
CREATE TABLE communication_events (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid, contact_id uuid REFERENCES contacts, event_type text,
  direction text, event_timestamp timestamptz);
CREATE TABLE deal_health_scores (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), deal_id uuid NOT NULL UNIQUE REFERENCES deals ON DELETE CASCADE,
  user_id uuid NOT NULL, overall_health_score integer NOT NULL, health_status text NOT NULL, updated_at timestamptz DEFAULT now());
CREATE TABLE deal_health_history (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), deal_health_id uuid REFERENCES deal_health_scores ON DELETE CASCADE,
  deal_id uuid, overall_health_score integer, snapshot_at timestamptz DEFAULT now());

CREATE FUNCTION keep_deal_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF TG_OP = 'INSERT' OR NEW.overall_health_score <> OLD.overall_health_score THEN
    INSERT INTO public.deal_health_history (deal_health_id, deal_id, overall_health_score)
    VALUES (NEW.id, NEW.deal_id, NEW.overall_health_score);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_deal_history AFTER INSERT OR UPDATE ON deal_health_scores FOR EACH ROW EXECUTE FUNCTION keep_deal_history();
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON deal_health_scores FOR EACH ROW EXECUTE FUNCTION touch();

CREATE FUNCTION refresh_deal_health_scores(p_user_id uuid, p_max_age_hours integer DEFAULT 24)
RETURNS TABLE (deal_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  INSERT INTO deal_health_scores AS s (deal_id, user_id, overall_health_score, health_status)
    SELECT d.id, d.owner_id, 50, 'warning' FROM deals d WHERE d.owner_id = p_user_id
    ON CONFLICT ON CONSTRAINT deal_health_scores_deal_id_key DO NOTHING;
  RETURN QUERY SELECT s.deal_id, s.overall_health_score, s.health_status, true FROM deal_health_scores s WHERE s.user_id = p_user_id;
END $$;
CREATE FUNCTION refresh_relationship_health_scores(p_user_id uuid, p_max_age_hours integer DEFAULT 24)
RETURNS TABLE (contact_id uuid, health_score integer, health_status text, updated boolean)
LANGUAGE sql AS $$ SELECT c.id, 50, 'at_risk', true FROM contacts c WHERE c.owner_id = p_user_id $$;

DO $$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['profiles', 'deal_stages', 'companies', 'contacts', 'deals', 'activities', 'communication_events',
                                 'deal_health_scores', 'deal_health_history'] LOOP
    EXECUTE format('ALTER TABLE %I OWNER TO %I', v_table, current_setting('app.owner'));
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO authenticated, service_role', v_table);
  END LOOP;
END $$;
CREATE POLICY own ON deals USING (owner_id = auth.uid());
CREATE POLICY own ON contacts USING (owner_id = auth.uid());
CREATE POLICY own ON deal_health_scores FOR SELECT USING (user_id = auth.uid());

INSERT INTO auth.users VALUES ('00000000-0000-4000-8000-00000000000a', 'rep@example.com', now()), ('00000000-0000-4000-8000-00000000000b', 'other@example.com', now());
INSERT INTO profiles SELECT id, 'Rep', last_sign_in_at FROM auth.users;
INSERT INTO deal_stages (name) VALUES ('SQL'), ('Opportunity'), ('Signed');
INSERT INTO contacts VALUES ('00000000-0000-4000-8000-0000000000c1', 'buyer@example.com', '00000000-0000-4000-8000-00000000000a', NULL);
INSERT INTO deals (id, name, value, stage_id, owner_id, status, stage_changed_at)
  SELECT '00000000-0000-4000-8000-0000000000d1', 'Deal', 1000, id, '00000000-0000-4000-8000-00000000000a', 'active', now() - interval '40 days'
  FROM deal_stages WHERE name = 'Opportunity';
INSERT INTO communication_events (user_id, contact_id, event_type, direction, event_timestamp)
  SELECT '00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-0000000000c1', 'email_sent', 'outbound', now() - n * interval '1 day'
  FROM generate_series(1, 5) n;
SELECT refresh_deal_health_scores('00000000-0000-4000-8000-00000000000a');
