"""Every call that touches mail, and what is left when a program dies at it. See docs/hacking.md."""
