"""The grammar of the commands (RFC 9051 §9, RFC 3501 §9 and the extensions): words in, values out, pure."""
