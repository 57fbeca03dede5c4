"""The configuration: one TOML file, read by every program, each of which takes its own table.

`loader` reads the file, `tables` says what it may hold, `advice` what is allowed and yet unwise.
"""
