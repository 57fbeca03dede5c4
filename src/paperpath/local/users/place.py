"""Where smtpld finds the helper."""

from pathlib import Path

from paperpath.config.places import USERS_NAME
from paperpath.config.tables import Configuration

SOCKET = "deliver.sock"


def users_folder(configuration: Configuration) -> Path:
    """Tell where the socket of the helper is."""
    return configuration.run_folder / USERS_NAME
