"""Every error a person may read.

FactoryOpsError
├── NotFoundError            the thing does not exist, or belongs to another factory: the two look the same
├── NotAllowedError          the role does not permit it
├── NotLoggedInError         no session, or it has ended
├── ConflictError            somebody else changed it first, it already exists, or something else uses it
│   └── OutdatedError        somebody else changed it first: the version that was sent is not the present one
├── InvalidInputError        what was sent cannot be used; says why
│   └── ExpressionError      an expression cannot be understood; says where
├── AbandonedError           nobody waits for the answer any more; nothing is shown to anybody
├── UnavailableError         a part of ours is away for the moment; try again
│   └── TooManyAttemptsError wait before trying this again
├── StorageError             a file of ours cannot be written or read
│   └── DamagedFileError     a file of ours is corrupt and was set aside
└── SetupError               the installation cannot start as it is configured
"""

from __future__ import annotations


class FactoryOpsError(Exception):
    """One clear sentence: what happened, what it means, what to do."""


class NotFoundError(FactoryOpsError):
    """The thing does not exist, or belongs to another factory."""


class NotAllowedError(FactoryOpsError):
    """The role of the person asking does not permit it."""


class NotLoggedInError(FactoryOpsError):
    """There is no session, or it has ended."""


class ConflictError(FactoryOpsError):
    """Somebody else changed it first, it already exists, or something else uses it."""


class OutdatedError(ConflictError):
    """Somebody else changed it first: the version that was sent is not the present one."""


class InvalidInputError(FactoryOpsError):
    """What was sent cannot be used.

    Attributes:
        fields: the reason per field name, where the fault lies in single fields.
    """

    def __init__(self, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


class ExpressionError(InvalidInputError):
    """An expression cannot be understood.

    Attributes:
        at: where in its text the fault lies, in characters from 0.
    """

    def __init__(self, message: str, *, at: int) -> None:
        super().__init__(message, fields={"expression": message})
        self.at = at


class AbandonedError(FactoryOpsError):
    """Nobody waits for the answer any more."""


class UnavailableError(FactoryOpsError):
    """A part of ours is away for the moment.

    Attributes:
        retry_after_s: when asking again makes sense, in seconds.
    """

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooManyAttemptsError(UnavailableError):
    """Too often in too short a time: wait before trying this again."""


class StorageError(FactoryOpsError):
    """A file of ours cannot be written or read."""


class DamagedFileError(StorageError):
    """A file of ours is corrupt and was set aside."""


class SetupError(FactoryOpsError):
    """The installation cannot start as it is configured."""
