-- How far a command is that takes long.
ALTER TABLE deskbell.orders ADD COLUMN progress text;
