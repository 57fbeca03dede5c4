"""What a new configuration changes in a program that runs: pure.

Called when a program or the supervisor reloads. Sockets, folders and pools are made when a program starts;
the keys that they are made from keep their old values until it is started again.
"""

from typing import Any

from paperpath.config.tables import Configuration

_STARTING_KEYS = (
    ("hostname",),
    ("data",),
    ("maildrop",),
    ("user",),
    ("log",),
    ("relay", "listen"),
    ("relay", "listen_proxy"),
    ("relay", "listen_null"),
    ("relay", "processes"),
    ("submission", "listen"),
    ("submission", "listen_tls"),
    ("submission", "listen_proxy"),
    ("submission", "listen_tls_proxy"),
    ("submission", "listen_null"),
    ("submission", "listen_local"),
    ("submission", "processes"),
    ("imap", "listen"),
    ("imap", "listen_tls"),
    ("imap", "threads"),
    ("local", "root"),
    ("local", "threads"),
    ("local", "programs"),
    ("local", "system_users"),
    ("local", "authentication_results"),
    ("local", "authserv_id"),
    ("remote", "clients"),
    ("dns",),
    ("drop", "group"),
    ("dnslistd", "listen"),
    ("metrics",),
    ("service",),
)


def merge(running: Configuration, new: Configuration) -> tuple[Configuration, list[str]]:
    """Return what is in force after a reload, and the names of the changed keys that wait for a restart."""
    merged, waiting = new, []
    for name in ("submission", "imap", "dnslistd"):
        before = getattr(running, name)
        if (before is None) is not (getattr(new, name) is None):  # a program more, or one less
            merged = new = new.model_copy(update={name: before})
            waiting.append(name)
    for keys in _STARTING_KEYS:
        old = _look_up(running, keys)
        if _look_up(new, keys) != old:
            merged = _replace(merged, keys, old)
            waiting.append(".".join(keys))
    return merged, waiting


def only_removes_domains(running: Configuration, new: Configuration) -> bool:
    """Tell whether the relay takes mail for fewer domains than before, and for no new one."""
    return set(new.relay.domains) < set(running.relay.domains)


def _look_up(configuration: Configuration, keys: tuple[str, ...]) -> object:
    value: Any = configuration
    for key in keys:
        value = getattr(value, key, None)  # of a table that may be left out
    return value


def _replace(configuration: Configuration, keys: tuple[str, ...], value: object) -> Configuration:
    if len(keys) == 2:
        table = getattr(configuration, keys[0])
        value = table.model_copy(update={keys[1]: value})
    return configuration.model_copy(update={keys[0]: value})
