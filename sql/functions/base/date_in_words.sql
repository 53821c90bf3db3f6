-- A day as people write it, at the beginning of a text. What could be two days is neither.
CREATE OR REPLACE FUNCTION followup.date_in_words(
    p_plain text, p_today date, p_day_first boolean, OUT day date, OUT refused text, OUT rest text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    -- jan feb mar ... in English, German, French and Spanish, by what tells them apart. July before June: juil, juin.
    c_months   constant text[] := ARRAY['jan|ene', 'feb|fev', 'mar(?!d|t)|maer', 'apr|avr|abr', 'mai|may', 'jun|juin', 'jul|juil', 'aug|aou|ago',
                                        'sep', 'oct|okt', 'nov', 'dec|dez|dic'];
    c_weekdays constant text[] := ARRAY['mon|lun', 'tue|die|mar(?=d|t)', 'wed|mit|mie|mer', 'thu|don|jeu|jue', 'fri|fre|ven|vie',
                                        'sat|sam|sab', 'sun|son|dim|dom'];
    c_month    constant text := '(january|february|march|april|may|june|july|august|september|october|november|december|januar|februar|marz|maerz|mai|juni|juli|oktober|dezember|janvier|fevrier|mars|avril|juin|juillet|aout|septembre|octobre|novembre|decembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|okt|nov|dec|dez|ene|abr|ago|dic)\M\.?';
    c_weekday  constant text := '(monday|tuesday|wednesday|thursday|friday|saturday|sunday|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miercoles|jueves|viernes|sabado|domingo|mon|tues?|wed|thur?s?|fri|sat|sun)\M\.?';
    v_text     text := p_plain;
    v_weekday  integer;
    v_part     text[];
    v_days     date[];
BEGIN
    -- "in the office again on", "le", "dem": whatever may stand between.
    v_text := regexp_replace(v_text, '^[ ,:(]*(((in|to|at|the|my|our|office|work|desk|again|on|by|from|as|of|and|including|inclusive|einschliesslich|ab|am|zum|zu|dem|den|der|wieder|le|la|a|au|partir|du|el|al|dia|bureau|buro|oficina|next|this|coming|naechsten|nachsten|kommenden)\M|[,:]) *)*', '');
    v_part := regexp_match(v_text, '^' || c_weekday || '(.*)$');
    IF v_part IS NOT NULL THEN
        v_weekday := (SELECT w.no FROM unnest(c_weekdays) WITH ORDINALITY AS w (pattern, no) WHERE v_part[1] ~ ('^(' || w.pattern || ')') LIMIT 1);
        v_text := regexp_replace(v_part[2], '^[ ,(]*((the|den|dem|der|le|el|dia)\M *)?', '');
    END IF;

    CASE
    WHEN v_text ~ '^(\d{1,2}([:.]\d\d)? ?(am|pm|uhr|h|oclock)|(later )?today|heute|tonight)\M' THEN
        v_days := ARRAY[p_today + 1];
        rest := '';
    WHEN v_text ~ '^\d{4}-\d{1,2}-\d{1,2}(?!\d)' THEN
        v_part := regexp_match(v_text, '^(\d{4})-(\d{1,2})-(\d{1,2})(.*)$');
        v_days := ARRAY[followup.day_of(v_part[3], v_part[2], v_part[1], p_today)];
        rest := v_part[4];
    WHEN v_text ~ ('^\d{1,2}(st|nd|rd|th|er|\.)? ?(of |de |del )?' || c_month) THEN
        v_part := regexp_match(v_text, '^(\d{1,2})(?:st|nd|rd|th|er|\.)? ?(?:of |de |del )?' || c_month || ',? ?(?:de |del )?(\d{4}(?!\d))?(.*)$');
        v_days := ARRAY[followup.day_of(v_part[1], (SELECT m.no FROM unnest(c_months) WITH ORDINALITY AS m (pattern, no)
                                                     WHERE v_part[2] ~ ('^(' || m.pattern || ')') LIMIT 1)::text, v_part[3], p_today)];
        rest := v_part[4];
    WHEN v_text ~ ('^' || c_month || ' ?\d{1,2}(?!\d)') THEN
        v_part := regexp_match(v_text, '^' || c_month || ' ?(\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4})(?!\d))?(.*)$');
        v_days := ARRAY[followup.day_of(v_part[2], (SELECT m.no FROM unnest(c_months) WITH ORDINALITY AS m (pattern, no)
                                                     WHERE v_part[1] ~ ('^(' || m.pattern || ')') LIMIT 1)::text, v_part[3], p_today)];
        rest := v_part[4];
    WHEN v_text ~ '^\d{1,2}\. ?\d{1,2}(?!\d|:)' THEN
        v_part := regexp_match(v_text, '^(\d{1,2})\. ?(\d{1,2})(?:\. ?(\d{4}|\d{2})?(?!\d))?(.*)$');
        v_days := ARRAY[followup.day_of(v_part[1], v_part[2], v_part[3], p_today)];
        rest := v_part[4];
    WHEN v_text ~ '^\d{1,2}[/-]\d{1,2}(?!\d)' THEN
        v_part := regexp_match(v_text, '^(\d{1,2})[/-](\d{1,2})(?:[/-](\d{4}|\d{2})(?!\d))?(.*)$');
        v_days := ARRAY[followup.day_of(v_part[1], v_part[2], v_part[3], p_today)];
        IF NOT p_day_first THEN
            v_days := v_days || followup.day_of(v_part[2], v_part[1], v_part[3], p_today);
        END IF;
        rest := v_part[4];
    WHEN v_text ~ ('^(end of |the end of |fin |fin de |finales de |ende )?' || c_month) THEN
        v_part := regexp_match(v_text, '^(?:(end of |the end of |fin |fin de |finales de |ende ))?' || c_month || '(?:,? (\d{4})(?!\d))?(.*)$');
        v_days := ARRAY[followup.day_of('1', (SELECT m.no FROM unnest(c_months) WITH ORDINALITY AS m (pattern, no)
                                               WHERE v_part[2] ~ ('^(' || m.pattern || ')') LIMIT 1)::text, v_part[3], p_today)];
        IF v_part[1] IS NOT NULL THEN
            v_days[1] := v_days[1] + '1 month'::interval;
        END IF;
        rest := v_part[4];
    WHEN v_weekday IS NOT NULL THEN
        v_days := ARRAY[p_today + (v_weekday - extract(isodow FROM p_today)::integer + 6) % 7 + 1];
        rest := v_text;
    WHEN v_text ~ '^(tomorrow|morgen|demain|manana)\M' THEN
        v_days := ARRAY[p_today + 1];
        rest := regexp_replace(v_text, '^\w+', '');
    WHEN v_text ~ '^(week|woche|semaine prochaine|proxima semana|semana que viene)\M' AND p_plain ~ '\m(next|nachste|kommende|prochaine|proxima|viene)' THEN
        v_days := ARRAY[p_today + 8 - extract(isodow FROM p_today)::integer];
        rest := regexp_replace(v_text, '^\w+', '');
    ELSE
        RETURN;
    END CASE;

    v_days := ARRAY(SELECT DISTINCT d FROM unnest(v_days) AS d WHERE d IS NOT NULL);
    -- Of two readings the one may be out of the question: nobody is away for more than a year, or back for longer than a month.
    IF cardinality(v_days) = 2 THEN
        v_days := ARRAY(SELECT d FROM unnest(v_days) AS d
                         WHERE CASE WHEN v_weekday IS NOT NULL THEN extract(isodow FROM d) = v_weekday
                                    ELSE d BETWEEN p_today - 31 AND p_today + 366 END);
    END IF;
    IF cardinality(v_days) = 1 AND v_days[1] <= p_today + 732 THEN
        day := v_days[1];
    ELSE
        refused := btrim(left(v_text, length(v_text) - length(rest)));
    END IF;
END
$$;
COMMENT ON FUNCTION followup.date_in_words(text, date, boolean, OUT date, OUT text, OUT text) IS
    'The day with which this text (of plain_text) begins: 2026-12-14, 14.12., 14 December, Dec 14th, 12/18, Monday, tomorrow, January; in English, German, French, Spanish. Without a year: the nearest, up to a month back. p_day_first: 04/05 is 4 May; else a date that could be two days is refused (refused says it), unless its weekday or common sense (at most a year away) leaves one. rest: what follows. All NULL: no date.';
