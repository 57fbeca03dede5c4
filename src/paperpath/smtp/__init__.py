"""The language SMTP, sans-IO: octets in, events out. Knows no socket, clock, maildrop or policy."""
