"""Alembic's entry: runs the steps over the connection that monitor.audit.schema hands in."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
