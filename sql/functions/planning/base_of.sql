CREATE OR REPLACE FUNCTION followup.base_of(p_due_at timestamptz, p_sent_at timestamptz, p_rate double precision)
RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_sent_at > p_due_at + '1 minute'::interval * p_rate THEN p_sent_at ELSE p_due_at END
$$;
COMMENT ON FUNCTION followup.base_of(timestamptz, timestamptz, double precision) IS
    'The instant from which the next message is counted: when this one was planned for, or when it left if that was more than a minute of real time later. p_rate: followup.clock().';
