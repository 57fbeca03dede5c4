"""The text of a rules file: text in, rules or all its mistakes out; pure.

    # one rule a line: whom it names, and which service they get
    192.0.2.0/24       privileged     # a network, or one address, of either family
    2001:db8::25       null
    mail.example.org   2              # a host by its name; a service by its level
    .dyn.example.net   deny           # all below a name

Who is named nowhere gets the normal service.
"""

from paperpath.config.complaints import show_value
from paperpath.config.domain import parse_host_pattern
from paperpath.config.prefix import parse_prefix
from paperpath.intake.access import ServiceClass, parse_service_class
from paperpath.intake.access_rules import AccessRule, Clients

MOST_MISTAKES = 100  # that are told of one text


class AccessTextError(ValueError):
    """The text has mistakes: each with its line, in the order of the lines."""

    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        """Gather them."""
        self.mistakes = mistakes
        super().__init__("\n".join(f"{line}: {message}" for line, message in mistakes))


def parse_access(text: str, source: str) -> list[AccessRule]:
    """Read the rules of the file `source`. Raises: AccessTextError, with what is wrong."""
    rules: dict[Clients, AccessRule] = {}
    mistakes = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            parsed = parse_rule(line)
            if parsed is not None:
                _add(rules, AccessRule(*parsed, source, number))
        except ValueError as error:
            mistakes.append((number, str(error)))
            if len(mistakes) == MOST_MISTAKES:
                break
    if mistakes:
        raise AccessTextError(mistakes)
    return list(rules.values())


def parse_rule(line: str) -> tuple[Clients, ServiceClass] | None:
    """Read one line; `None` for one that is blank or a comment. Raises: ValueError."""
    words = line.partition("#")[0].split()
    if not words:
        return None
    if len(words) != 2:
        raise ValueError(f'expected "CLIENTS SERVICE", got {show_value(line.strip())}')
    return parse_clients(words[0]), parse_service_class(words[1])


def parse_clients(text: str) -> Clients:
    """Read whom a rule names. Raises: ValueError, whose text says what was expected."""
    try:
        if ":" in text or "/" in text or "%" in text or text.rpartition(".")[2].isdecimal():
            return parse_prefix(text)
        return parse_host_pattern(text)
    except ValueError as error:
        raise ValueError(f"{error}, got {show_value(text)}") from None


def _add(rules: dict[Clients, AccessRule], rule: AccessRule) -> None:
    there = rules.setdefault(rule.clients, rule)
    if there is not rule:
        raise ValueError(f"expected one rule for each; {rule.clients} has one on line {there.line}")
