"""What the values of configuration keys may be: types that read text, and the base of all tables.

Used by the tables. Types are strict: 5 is no string and true no number; what comes as text is read by a
parser of its own, whose words say what was expected.
"""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainValidator

from paperpath.config.client_list import CLIENT_LIST_EXPECTED, ClientList, parse_client_list
from paperpath.config.domain import (
    DOMAIN_EXPECTED,
    FULL_DOMAIN_EXPECTED,
    HOST_EXPECTED,
    HOSTNAME_EXPECTED,
    POSTMASTER_EXPECTED,
    ROUTE_DOMAIN_EXPECTED,
    DomainPattern,
    parse_domain_pattern,
    parse_full_domain,
    parse_host_pattern,
    parse_hostname,
    parse_postmaster,
    parse_route_domain,
)
from paperpath.config.endpoint import ENDPOINT_EXPECTED, Endpoint, parse_endpoint
from paperpath.config.network import ADDRESS_EXPECTED, NETWORK_EXPECTED, Network, parse_address, parse_network
from paperpath.config.own_list import (
    OWN_VALUE_EXPECTED,
    OWN_ZONE_EXPECTED,
    REASON_EXPECTED,
    parse_own_value,
    parse_own_zone,
    parse_reason,
)
from paperpath.config.places import (
    ABSOLUTE_EXPECTED,
    DATA_EXPECTED,
    FILE_EXPECTED,
    GROUP_EXPECTED,
    INNER_FOLDER_EXPECTED,
    MAILDROP_EXPECTED,
    MBOX_EXPECTED,
    USER_EXPECTED,
    parse_absolute,
    parse_file,
    parse_folder,
    parse_group,
    parse_inner_folder,
    parse_maildrop,
    parse_mbox,
    parse_user,
)
from paperpath.config.prefix import Prefix, parse_prefix
from paperpath.config.quota import Quota, parse_quota
from paperpath.config.user_place import USER_PLACE_EXPECTED, UserPlace, parse_user_place
from paperpath.config.via import (
    LMTP_EXPECTED,
    REFUSAL_EXPECTED,
    VIA_EXPECTED,
    parse_lmtp,
    parse_refusal,
    parse_via,
)
from paperpath.mail.reply import Reply


def _from_text(parse: Callable[[str], object], expected: str) -> PlainValidator:
    """Let a field's value come from a string by `parse` alone."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"expected {expected}")
        return parse(value)

    return PlainValidator(read)


def _read_via(value: object) -> str:
    """Take one way, or an array of hosts to be tried in their order."""
    if isinstance(value, list) and value and all(isinstance(host, str) and "://" in host for host in value):
        return parse_via(" ".join(value))
    if not isinstance(value, str) or " " in value:
        raise ValueError(f"expected {VIA_EXPECTED}")
    return parse_via(value)


AddressField = Annotated[str, _from_text(parse_address, ADDRESS_EXPECTED)]
EndpointField = Annotated[Endpoint, _from_text(parse_endpoint, ENDPOINT_EXPECTED)]
ClientListField = Annotated[ClientList, _from_text(parse_client_list, CLIENT_LIST_EXPECTED)]
OwnZoneField = Annotated[str, _from_text(parse_own_zone, OWN_ZONE_EXPECTED)]
OwnValueField = Annotated[ipaddress.IPv4Address, _from_text(parse_own_value, OWN_VALUE_EXPECTED)]
ReasonField = Annotated[str, _from_text(parse_reason, REASON_EXPECTED)]
NetworkField = Annotated[Network, _from_text(parse_network, NETWORK_EXPECTED)]
PrefixField = Annotated[Prefix, _from_text(parse_prefix, NETWORK_EXPECTED)]
HostField = Annotated[DomainPattern, _from_text(parse_host_pattern, HOST_EXPECTED)]
AcceptedDomainField = Annotated[DomainPattern, _from_text(parse_domain_pattern, DOMAIN_EXPECTED)]
RouteDomainField = Annotated[DomainPattern, _from_text(parse_route_domain, ROUTE_DOMAIN_EXPECTED)]
ViaField = Annotated[str, PlainValidator(_read_via)]
RefusalField = Annotated[Reply, _from_text(parse_refusal, REFUSAL_EXPECTED)]
HostnameField = Annotated[str, _from_text(parse_hostname, HOSTNAME_EXPECTED)]
FullDomainField = Annotated[str, _from_text(parse_full_domain, FULL_DOMAIN_EXPECTED)]
PostmasterField = Annotated[str, _from_text(parse_postmaster, POSTMASTER_EXPECTED)]
FolderField = Annotated[Path, _from_text(parse_folder, DATA_EXPECTED)]
AbsoluteField = Annotated[Path, _from_text(parse_absolute, ABSOLUTE_EXPECTED)]
LmtpField = Annotated[str, _from_text(parse_lmtp, LMTP_EXPECTED)]
MboxField = Annotated[Path, _from_text(parse_mbox, MBOX_EXPECTED)]
FileField = Annotated[Path, _from_text(parse_file, FILE_EXPECTED)]
InnerFolderField = Annotated[Path, _from_text(parse_inner_folder, INNER_FOLDER_EXPECTED)]
QuotaField = Annotated[Quota, PlainValidator(parse_quota)]
UserField = Annotated[str, _from_text(parse_user, USER_EXPECTED)]
UserPlaceField = Annotated[UserPlace, _from_text(parse_user_place, USER_PLACE_EXPECTED)]
GroupField = Annotated[str, _from_text(parse_group, GROUP_EXPECTED)]
MaildropField = Annotated[str, _from_text(parse_maildrop, MAILDROP_EXPECTED)]


class Table(BaseModel):
    """A table of the file; the models of all tables are made of this."""

    # TOML has arrays and no tuples: the tuples below are lax, and what is in them is strict again.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
