"""Reads what ships in questionnaires/ and mappings/, and refuses what does not fit together."""
