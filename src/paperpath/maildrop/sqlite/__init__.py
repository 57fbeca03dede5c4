"""The maildrop on one machine: SQLite in WAL mode, group commit, kernel locks for living workers.

The only room that knows apsw. The engine's measured reasons are in docs/decisions/.
"""
