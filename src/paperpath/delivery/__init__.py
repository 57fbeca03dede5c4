"""What the ways out share: when to try again, when to give up, and who is told."""
