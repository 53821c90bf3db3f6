-- A claim adds worker, times, recipient and Message-ID to a row of about 250 bytes: the new version has about 420. Neighbours
-- are claimed together, so a page must hold both versions of all its rows for each claim to be a HOT update: 1 / (1 + 420/250).
ALTER TABLE followup.message SET (fillfactor = 35);
