"""Submission: people's mail comes in here, and is put into canonical form before the maildrop gets it."""
