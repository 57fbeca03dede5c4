"""What stands in structured header fields: addresses, dates, message ids, encoded words, folding (RFC 5322).

For whoever completes or shows a header. Everything is pure, takes text (octets only where it says so), takes
time linear in it, and either understands a value in full or raises a `FieldError`; nothing is guessed.
"""
