-- Has rows of ghost signals say what holds now. $1 their ids, $2 severities, $3 contexts, $4 data.
UPDATE {rows} g
SET severity = {severity}, signal_context = w.signal_context, signal_data = w.signal_data::jsonb
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS w (id, severity, signal_context, signal_data)
WHERE g.id = w.id
