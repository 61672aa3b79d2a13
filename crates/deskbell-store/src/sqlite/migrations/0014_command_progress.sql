-- How far a command is that takes long.
ALTER TABLE orders ADD COLUMN progress TEXT;
