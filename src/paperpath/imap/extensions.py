"""What IMAP can do beyond its core, by the name that is announced for it.

The driver says which of them it carries out (`Settings.extensions`); the core announces those, and takes
the words of the others for unknown. So nothing is announced that does not work, and nothing else works.
"""

from enum import Enum


class Extension(Enum):
    """An extension, and its name in the capabilities."""

    REV2 = "IMAP4rev2"  # RFC 9051; beside IMAP4rev1, which needs no naming here
    LITERAL_PLUS = "LITERAL+"  # RFC 7888; exclusive with the next one
    LITERAL_MINUS = "LITERAL-"
    SASL_IR = "SASL-IR"  # RFC 4959
    IDLE = "IDLE"  # RFC 2177
    NAMESPACE = "NAMESPACE"  # RFC 2342
    ID = "ID"  # RFC 2971
    UIDPLUS = "UIDPLUS"  # RFC 4315
    MOVE = "MOVE"  # RFC 6851
    UNSELECT = "UNSELECT"  # RFC 3691
    ENABLE = "ENABLE"  # RFC 5161
    CHILDREN = "CHILDREN"  # RFC 3348
    SPECIAL_USE = "SPECIAL-USE"  # RFC 6154
    CREATE_SPECIAL_USE = "CREATE-SPECIAL-USE"
    LIST_EXTENDED = "LIST-EXTENDED"  # RFC 5258
    LIST_STATUS = "LIST-STATUS"  # RFC 5819
    STATUS_SIZE = "STATUS=SIZE"  # RFC 8438
    APPENDLIMIT = "APPENDLIMIT"  # RFC 7889
    CONDSTORE = "CONDSTORE"  # RFC 7162
    QRESYNC = "QRESYNC"
    UTF8_ACCEPT = "UTF8=ACCEPT"  # RFC 6855
    ESEARCH = "ESEARCH"  # RFC 4731
    SEARCHRES = "SEARCHRES"  # RFC 5182
    SORT = "SORT"  # RFC 5256
    THREAD_ORDEREDSUBJECT = "THREAD=ORDEREDSUBJECT"
    THREAD_REFERENCES = "THREAD=REFERENCES"
    BINARY = "BINARY"  # RFC 3516
    MULTIAPPEND = "MULTIAPPEND"  # RFC 3502
    QUOTA = "QUOTA"  # RFC 9208
    COMPRESS = "COMPRESS=DEFLATE"  # RFC 4978
    WITHIN = "WITHIN"  # RFC 5032
    OBJECTID = "OBJECTID"  # RFC 8474
    SAVEDATE = "SAVEDATE"  # RFC 8514
    PREVIEW = "PREVIEW"  # RFC 8970

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash is Python, once a look-up
