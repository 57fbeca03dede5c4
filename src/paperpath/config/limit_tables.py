"""The tables against abuse, of both ways in: [relay.tarpit] and [relay.limits], the same of [submission].

Like intake_tables.py, whose tables hold them.
"""

from pydantic import Field

from paperpath.config.fields import Table

LONGEST_DELAY_S = 120  # a client waits five minutes for the reply to RCPT (RFC 5321 §4.5.3.2.3)
MOST_ERRORS = 1000
NARROWEST_IPV4 = 32
NARROWEST_IPV6 = 128

DELAY_EXPECTED = f"a number of seconds, more than 0, at most {LONGEST_DELAY_S}"
PER_MINUTE_EXPECTED = "a whole number, at least 1"


class TarpitTable(Table):
    """[relay.tarpit]: who names many recipients in one transaction waits for the replies; without it, nobody.

    The delay is `first_s` for the recipient behind the first `after`, and `step_s` more for each further one.
    """

    after: int = Field(default=20, ge=0, description="a whole number, at least 0")
    """Recipients of each transaction that are answered at once."""
    first_s: float = Field(default=1.0, gt=0, le=LONGEST_DELAY_S, description=DELAY_EXPECTED)
    step_s: float = Field(
        default=0.5,
        ge=0,
        le=LONGEST_DELAY_S,
        description=f"a number of seconds, at least 0, at most {LONGEST_DELAY_S}",
    )
    most_s: float = Field(default=60.0, gt=0, le=LONGEST_DELAY_S, description=DELAY_EXPECTED)
    """The longest delay of all, whatever the others come to."""
    count_refused: bool = Field(default=False, description="true or false")
    """Whether recipients that were refused count as well."""


class LimitsTable(Table):
    """[relay.limits]: how often each network may do what, in each process; and how much a session may err.

    A rate is how many there may be at once, and how many more are allowed in each minute after.
    """

    connections_per_minute: int | None = Field(default=None, ge=1, description=PER_MINUTE_EXPECTED)
    messages_per_minute: int | None = Field(default=None, ge=1, description=PER_MINUTE_EXPECTED)
    recipients_per_minute: int | None = Field(default=None, ge=1, description=PER_MINUTE_EXPECTED)
    """Those that are refused count too, so that trying names is no faster."""
    errors: int = Field(
        default=20, ge=1, le=MOST_ERRORS, description=f"a whole number from 1 to {MOST_ERRORS}"
    )
    """Commands answered with 5yz that a session may send; recipients refused by policy are none (A-14)."""
    ipv4_bits: int = Field(
        default=NARROWEST_IPV4, ge=8, le=NARROWEST_IPV4, description="a whole number from 8 to 32"
    )
    """How much of an address tells networks apart, here and for connections at once."""
    ipv6_bits: int = Field(default=64, ge=16, le=NARROWEST_IPV6, description="a whole number from 16 to 128")
