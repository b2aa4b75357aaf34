"""The options, and what they must be together."""

from dataclasses import dataclass

from cofferdam_driver import OptionInfo, OptionKind, Secret, Settings
from cofferdam_driver.errors import InvalidConfiguration, Unsupported
from cofferdam_driver.placement import CINDERS_BLOCK_SIZE, Portions
from cofferdam_driver.secrets import Encoding
from dav import Dav, check_container

URL = "webdav_url"
USER = "webdav_user"
PASSWORD = "webdav_password"
CONTAINER = "webdav_container"
OBJECT_SIZE = "webdav_file_size"
BLOCK_SIZE = "webdav_sha_block_size_bytes"

DEFAULT_CONTAINER = "volumebackups"
DEFAULT_OBJECT_SIZE = 128 << 20
#: Bytes that a user's name may have: what the host takes before a secret, less the colon.
LONGEST_USER = 1023

OPTIONS = (
    OptionInfo(
        URL,
        OptionKind.URL,
        "The URL of the collection below which the containers are. It must be there.",
        required=True,
    ),
    OptionInfo(
        USER,
        OptionKind.TEXT,
        "The user, for basic authentication; together with webdav_password.",
        default="none",
    ),
    OptionInfo(PASSWORD, OptionKind.SECRET, "The user's password.", default="none"),
    OptionInfo(
        CONTAINER,
        OptionKind.TEXT,
        "The container for backups whose user names none: the name of a collection right below the URL; made if it is missing.",
        default=DEFAULT_CONTAINER,
    ),
    OptionInfo(
        OBJECT_SIZE,
        OptionKind.SIZE,
        f"Bytes of volume in one object: a positive multiple of {BLOCK_SIZE}.",
        default=str(DEFAULT_OBJECT_SIZE),
    ),
    OptionInfo(
        BLOCK_SIZE,
        OptionKind.SIZE,
        "Bytes of volume for which one SHA-256 is kept, the unit of incremental backups: 1 to 4294967295.",
        default=str(CINDERS_BLOCK_SIZE),
    ),
)


@dataclass(frozen=True)
class Config:
    """What the settings say."""

    dav: Dav
    container: str
    portions: Portions

    @classmethod
    def from_settings(cls, settings: Settings) -> "Config":
        """Reads and checks all options."""
        url = settings.required_url(URL)
        if url.query is not None:
            raise InvalidConfiguration(URL, "the URL holds a query (?)")
        container = settings.text(CONTAINER)
        container = DEFAULT_CONTAINER if container is None else container
        try:
            check_container(container)
        except Unsupported as error:
            raise InvalidConfiguration(CONTAINER, error.text) from None
        portions = Portions.from_settings(settings, OBJECT_SIZE, BLOCK_SIZE, DEFAULT_OBJECT_SIZE)
        authorization = _authorization(settings.text(USER), settings.secret(PASSWORD))
        return cls(Dav(url, authorization), container, portions)


def _authorization(user: str | None, password: Secret | None) -> str | None:
    """The header's value with a placeholder in the place of user and password."""
    if user is None and password is None:
        return None
    if password is None:
        raise InvalidConfiguration(PASSWORD, "it is absent, though webdav_user is there")
    if user is None:
        raise InvalidConfiguration(USER, "it is absent, though webdav_password is there")
    if ":" in user or any(ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F for character in user):
        raise InvalidConfiguration(USER, "a user's name holds no `:` and no control character")
    if len(user.encode()) > LONGEST_USER:
        raise InvalidConfiguration(
            USER, f"a user's name has at most {LONGEST_USER} bytes, found {len(user.encode())}"
        )
    return f"Basic {password.placeholder(f'{user}:', Encoding.BASE64)}"
