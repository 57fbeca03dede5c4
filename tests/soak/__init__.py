"""The soak: a whole installation under mixed load, disturbed, then judged. See docs/testing.md."""
