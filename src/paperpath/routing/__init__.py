"""Where an address goes: for the post office, and for the check of recipients at the ways in."""
