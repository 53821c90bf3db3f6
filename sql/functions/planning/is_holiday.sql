CREATE OR REPLACE FUNCTION followup.is_holiday(p_account bigint, p_country text, p_date date) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM followup.holiday AS h
                    WHERE h.date = p_date
                      AND (h.account_id IS NULL OR h.account_id = p_account)
                      AND (h.country IS NULL OR pg_catalog.lower(h.country) = pg_catalog.lower(p_country)));
END
$$;
COMMENT ON FUNCTION followup.is_holiday(bigint, text, date) IS
    'Is this date a holiday for a lead of p_country (letters in any case; NULL: of no country)? Holidays of the country, of the account, and of the account in that country.';
