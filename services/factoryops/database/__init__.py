"""Metadata: schema, migrations and repositories. The only package that knows SQLAlchemy."""
