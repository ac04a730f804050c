"""How fast messages are matched, beside a floor and a ceiling on the same machine, on SQLite and PostgreSQL."""
