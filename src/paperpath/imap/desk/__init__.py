"""Commands carried out over an account's mail store, for one session; it blocks, and runs in threads."""
