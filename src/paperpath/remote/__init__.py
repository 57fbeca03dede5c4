"""Remote delivery: smtprcd, which schedules, and smtprc, the relay clients that carry."""
