"""Web Map Tile Service 1.0.0 (07-057r7): KVP and RESTful, the same handlers."""
