"""The names of the commands, and the extension that each comes with."""

from enum import Enum

from paperpath.imap.extensions import Extension


class Verb(Enum):
    """The commands that a server knows by name."""

    CAPABILITY = "CAPABILITY"
    NOOP = "NOOP"
    ID = "ID"
    LOGOUT = "LOGOUT"
    STARTTLS = "STARTTLS"
    AUTHENTICATE = "AUTHENTICATE"
    LOGIN = "LOGIN"
    ENABLE = "ENABLE"
    COMPRESS = "COMPRESS"
    SELECT = "SELECT"
    EXAMINE = "EXAMINE"
    CREATE = "CREATE"
    DELETE = "DELETE"
    RENAME = "RENAME"
    SUBSCRIBE = "SUBSCRIBE"
    UNSUBSCRIBE = "UNSUBSCRIBE"
    LIST = "LIST"
    LSUB = "LSUB"
    NAMESPACE = "NAMESPACE"
    STATUS = "STATUS"
    APPEND = "APPEND"
    IDLE = "IDLE"
    GETQUOTA = "GETQUOTA"
    GETQUOTAROOT = "GETQUOTAROOT"
    CHECK = "CHECK"
    CLOSE = "CLOSE"
    UNSELECT = "UNSELECT"
    EXPUNGE = "EXPUNGE"
    SEARCH = "SEARCH"
    SORT = "SORT"
    THREAD = "THREAD"
    FETCH = "FETCH"
    STORE = "STORE"
    COPY = "COPY"
    MOVE = "MOVE"

    __hash__ = object.__hash__  # as for Extension


VERBS = {verb.value: verb for verb in Verb}

# Behind UID; EXPUNGE there is of RFC 4315.
WITH_UID = frozenset(
    {Verb.EXPUNGE, Verb.SEARCH, Verb.SORT, Verb.THREAD, Verb.FETCH, Verb.STORE, Verb.COPY, Verb.MOVE}
)

# One of these is enough; what is not here needs none.
NEEDED = {
    Verb.ID: (Extension.ID,),
    Verb.ENABLE: (Extension.ENABLE,),
    Verb.COMPRESS: (Extension.COMPRESS,),
    Verb.NAMESPACE: (Extension.NAMESPACE,),
    Verb.IDLE: (Extension.IDLE,),
    Verb.GETQUOTA: (Extension.QUOTA,),
    Verb.GETQUOTAROOT: (Extension.QUOTA,),
    Verb.UNSELECT: (Extension.UNSELECT,),
    Verb.SORT: (Extension.SORT,),
    Verb.THREAD: (Extension.THREAD_ORDEREDSUBJECT, Extension.THREAD_REFERENCES),
    Verb.MOVE: (Extension.MOVE,),
}
