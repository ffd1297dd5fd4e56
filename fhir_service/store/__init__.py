"""The record, in SQLite or PostgreSQL. The only layer that speaks SQL."""
