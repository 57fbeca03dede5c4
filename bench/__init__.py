"""The load test: our relay beside Postfix, in the same run, on the same file system.

Start it with `make bench` or `.venv/bin/python -m bench`. It is no part of the product and imports
nothing of it: both sides are driven as programs, through their own configuration files and ports.
"""
