"""Everything that can be done with passwords; logging in is no operation, as nobody asks for it yet."""

from pydantic import Field

from mainsequence.contract.operation import Operation
from mainsequence.domain.access import Role, UserRecord
from mainsequence.domain.credentials import Password
from mainsequence.domain.values import Value


class PasswordChange(Value):
    """A new password."""

    password: Password = Field(repr=False)


SET_PASSWORD: Operation[PasswordChange, UserRecord] = Operation(
    "access.set_password",
    "PUT",
    "/users/{key}/password",
    PasswordChange,
    UserRecord,
    Role.ADMIN,
    retry_safe=True,
    summary="Give a user a password, for clients that log in by name; sessions that are open end.",
    answer_is_secret=True,
)
