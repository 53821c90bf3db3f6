CREATE OR REPLACE FUNCTION followup.away_until(p_plain text, p_today date, OUT day date, OUT refused text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    -- What introduces the day, the surest first. inclusive: away on that day too.
    c_triggers constant jsonb := '[
        ["\\m(back|return(s|ing)?|resum(e|ing)|reopen(s|ing)?|available again)\\M", false, false],
        ["\\m(wieder (da|zuruck|im (buro|haus|dienst)|erreichbar|fur sie (da|erreichbar))|zuruck|zurueck|de retour|reviens|reviendrai|vuelvo|volvere|regreso|regresare|de vuelta|reincorporo)\\M", true, false],
        ["\\m(ab|am)\\M(?=[^!?]{1,60}\\m(wieder|zuruck)\\M)", true, false],
        ["\\m(from|between|starting|beginning) [^!?]{0,20}?\\d[^!?]{0,20}? (to|until|till|through|thru|and|-) ", false, true],
        ["\\m(vom|von|du|del|desde el) [^!?]{0,20}?\\d[^!?]{0,20}? (bis( zum)?|au|jusquau|al|hasta el|-) ", true, true],
        ["\\m(through|thru)\\M", false, true],
        ["\\m(until|till?|untill)\\M", false, false],
        ["\\m(bis( zum)?|jusquau|jusqua|hasta)\\M", true, false],
        ["\\d[a-z. ]{0,12} - (?=\\d)", true, true],
        ["\\m\\d{1,2}(st|nd|rd|th|\\.)? ?- ?(?=\\d{1,2}(st|nd|rd|th|\\.)? [a-z])", true, true],
        ["\\m(respond|reply|answer|in touch|(get|be) (back )?to (you|it))( to you(r \\w+)?)?( again| you)?( on| by| after)?\\M", false, false]]';
    v_found    record;
    v_trigger  jsonb;
    v_piece    text;
BEGIN
    FOR v_trigger IN SELECT t FROM pg_catalog.jsonb_array_elements(c_triggers) AS t LOOP
        FOR v_piece IN SELECT s.piece FROM pg_catalog.regexp_split_to_table(pg_catalog.left(p_plain, 4000), v_trigger ->> 0)
                                           WITH ORDINALITY AS s (piece, no) WHERE s.no BETWEEN 2 AND 10 LOOP
            v_found := followup.date_in_words(pg_catalog.left(v_piece, 80), p_today, (v_trigger ->> 1)::boolean);
            IF v_found.day IS NOT NULL THEN
                day := v_found.day + ((v_trigger ->> 2)::boolean OR v_piece ~ '^[^.!?0-9]{0,20}\m(including|einschliesslich)\M'
                                      OR v_found.rest ~ '^[ ,(]*(inclu|einschl|inkl)')::integer;
                refused := NULL;
                RETURN;
            END IF;
            refused := coalesce(refused, v_found.refused);
        END LOOP;
    END LOOP;
    -- No word tells which day is meant: if there is but one ahead, it is that.
    IF refused IS NULL THEN
        SELECT min(f.day) INTO day
          FROM pg_catalog.regexp_matches(pg_catalog.left(p_plain, 4000),
                   '\m(?:\d{4}-\d\d?-\d\d?|\d{1,2}\.\d{1,2}\.(?:\d{4}|\d{2})?|\d{1,2}(?:st|nd|rd|th|\.)? [a-z]{3,9}(?: \d{4})?|[a-z]{3,9} \d{1,2}(?:st|nd|rd|th)?(?:,? \d{4})?)', 'g') AS s (piece),
               followup.date_in_words(s.piece[1], p_today, true) AS f
        HAVING count(DISTINCT f.day) = 1 AND min(f.day) > p_today;
    END IF;
END
$$;
COMMENT ON FUNCTION followup.away_until(text, date, OUT date, OUT text) IS
    'Until when its writer is away, by this text (of plain_text): the day he is back ("back on", "until", "bis", "jusqu''au", "hasta"; the day after the last of "from .. to" or "through"). NULL: it does not say; refused: the date that could be two days.';
