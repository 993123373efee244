"""The registry: SQL on SQLite and PostgreSQL, one module per noun."""
