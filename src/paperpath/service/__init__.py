"""How a program runs: skeleton, listeners, wake-ups, supervisor, log. Knows nothing of mail."""
