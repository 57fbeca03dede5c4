"""What becomes of NOTIFY when one recipient is replaced by several (RFC 3461 §5.2.7.3); for the routing."""


def drop_success(notify: str) -> str:
    """Ask for what was asked for, success apart; who asked for that alone wants no report of a failure."""
    if not notify:
        return ""
    return ",".join(word for word in notify.split(",") if word != "SUCCESS") or "NEVER"
