"""Numbered steps from one release's tables to the next. https://alembic.sqlalchemy.org"""
