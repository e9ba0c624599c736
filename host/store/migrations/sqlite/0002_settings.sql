-- oldest schema beside it: 2, oldest binary beside it: 0.1.0
--
-- What an installer fills in is more than configuration: one document holds all of it.

ALTER TABLE installations RENAME COLUMN config TO settings;
UPDATE installations SET settings = json_object('config', json(settings));
