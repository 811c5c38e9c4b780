-- Sending a batch changes the rows of people who stand side by side, all within a moment: with room for each beside it no
-- index is written, least of all the one for searching.
ALTER TABLE "people" SET (fillfactor = 50);
