"""smtplud, the part of local delivery that stays root: it delivers to users of this host, for smtpld.

Started only where the configuration wants that. It does next to nothing itself: of what smtpld sends it reads
one short request, and forks a child (users/child.py), which becomes the user. Only the service user is
listened to (SO_PEERCRED of unix(7)), and nothing that it says is believed.
"""

import os
import socket
from contextlib import closing

from paperpath.accounts.users import Users, read_entry
from paperpath.config.loader import Document
from paperpath.config.tables import Configuration, LocalTable
from paperpath.local.users.child import Rules
from paperpath.local.users.deliveries import Limits, UserDeliveries
from paperpath.local.users.place import SOCKET, users_folder
from paperpath.service.errors import ServiceError
from paperpath.service.privileges import acting_as, find_identity
from paperpath.service.program import Life, make_root_command
from paperpath.service.socket_folder import SocketFolder
from paperpath.service.tls.key_files import Reader

NAME = "smtplud"


async def deliver_to_users(life: Life) -> None:
    """Deliver what smtpld brings until the end is asked for."""
    configuration = life.configuration
    refuse_without_root(configuration)
    owner = find_identity(configuration.user)
    with acting_as(owner):
        folder = SocketFolder(users_folder(configuration))
    with closing(folder):
        with acting_as(owner):
            listener = folder.bind(SOCKET, socket.SOCK_SEQPACKET, NAME)
        limits = make_limits(configuration.local)
        listener.listen(limits.most)
        client_uid = os.geteuid() if owner is None else owner.uid
        deliveries = UserDeliveries(make_rules(configuration.local), client_uid, limits, life.log)

        async def renew(document: Document, _: Reader) -> None:
            local = document.configuration.local
            deliveries.renew(make_rules(local), make_limits(local))

        life.call_at_reload(renew)
        async with deliveries.serve(listener):
            life.ready("delivering to users")
            await life.wait_for_end()
        with acting_as(owner):
            folder.address(SOCKET).unlink(missing_ok=True)


def refuse_without_root(configuration: Configuration) -> None:
    """Refuse to deliver to users where we cannot become them. Raises: ServiceError."""
    if configuration.local.system_users and os.geteuid() != 0:
        raise ServiceError(
            "local.system_users: only root can become the users; start as root, which becomes "
            f"{configuration.user} for everything else, or set system_users = false",
            os.EX_CONFIG,
        )


def make_rules(table: LocalTable) -> Rules:
    """Return what the configuration says of users."""
    users = Users(read_entry, table.system_first_uid, table.system_last_uid)
    return Rules(users, table.system_deliver, table.create)


def make_limits(table: LocalTable) -> Limits:
    """Return what the configuration says of deliveries; as many as smtpld asks for may hang beside them."""
    return Limits(2 * table.programs, table.system_limit_s)


main = make_root_command(
    NAME, "The helper of local delivery: becomes a user, and delivers.", deliver_to_users
)

if __name__ == "__main__":
    main()
