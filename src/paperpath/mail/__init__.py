"""Values of the mail world, pure: addresses, envelopes, header fields, replies, outcomes.

The lowest floor of the house: imports nothing of ours, and no socket, clock or random source.
"""
