"""Every error the platform raises, in one tree.

::

    MainSequenceError
    ├── ValidationError (ValueError)              the request itself is wrong
    │   ├── InvalidIdentifierError                blank, too long or malformed identifiers, wrong check digits
    │   ├── InvalidIntervalError                  an end that is not after its start
    │   ├── NaiveTimestampError                   a time without a zone
    │   ├── UnknownFilterError                    a lookup that does not exist
    │   ├── UnknownFieldError                     a field that does not exist or cannot be changed
    │   ├── UnknownCalendarError                  a trading calendar nobody knows, or none for an asset
    │   ├── InvalidWeightsError                   null, infinite or unknown-asset weights
    │   ├── ListRefusedError                      a list whose rows are wrong or not resolved
    │   ├── LossyExportError                      a format that cannot hold what should be written
    │   ├── SchemaMismatchError                   a table with other columns than its series declares
    │   ├── DuplicateRowsError                    a table with several rows of one index
    │   ├── RequestTooLargeError                  a body that is longer than the server takes
    │   ├── RepeatedKeyError                      an idempotency key that was used for another request
    │   ├── InvalidExpressionError                an expression of universes that cannot be read
    │   ├── CyclicUniverseError                   universes that are made from each other in a circle
    │   ├── AlteredPlanError                      a plan that does not say what it said when it was made
    │   └── CyclicDependencyError                 nodes that need each other in a circle
    ├── NotFoundError (LookupError)               what was asked for does not exist; alias DoesNotExist
    │   ├── UnknownAssetsError                    some of the assets named do not exist
    │   └── UnknownRevisionError                  a revision or version that was never recorded
    ├── ConflictError                             the request is right, the state does not allow it
    │   ├── AlreadyExistsError                    the identifier is taken
    │   ├── MultipleFoundError                    one was asked for, several match
    │   ├── StaleRevisionError                    the universe moved since it was read
    │   ├── ExistingRowsError                     rows to append are in the series already
    │   ├── PinnedError                           a change was asked of a universe that is read at a pin
    │   ├── InUseError                            something refers to what should be deleted
    │   ├── DerivedUniverseError                  what makes a universe changes its members, nothing else does
    │   ├── OverlappingRuleError                  a registered asset would match two rules
    │   └── GuardError                            a guard of the universe refuses the change
    │       ├── LockedError                       its membership is frozen
    │       ├── RemovalGuardError                 too many members would leave at once
    │       ├── EmptyUniverseError                no member would be left
    │       ├── ReasonRequiredError               the change gives no reason
    │       ├── PlanRequiredError                 the change is no plan that is applied
    │       └── ApprovalRequiredError             somebody else must approve; the request is stored
    ├── RoutingError                              an asset cannot be routed; alias TranslationError
    │   ├── NoRouteError (LookupError)            no rule matches
    │   ├── AmbiguousRouteError                   several rules match
    │   └── StaleRouteError                       the rule matches, but its series does not serve the asset
    ├── CalculationError                          a number that cannot be computed as defined
    │   ├── UnpricedWeightError                   weight in an asset without a price, where that fails the run
    │   └── PortfolioRuinedError                  the net asset value reached zero
    ├── StorageError (OSError)                    the disk, the database or the object store failed
    │   ├── StorageFullError                      no space left
    │   ├── ReadOnlyStorageError                  the home cannot be written
    │   ├── UnreachableStorageError               the database or the object store does not answer
    │   └── BusyError                             another writer held the lock for too long
    ├── AccessError                               who asks is unknown, or may not
    │   ├── AuthenticationError
    │   ├── TooManyRequestsError                  a client that asks too often, or failed to log in too often
    │   └── PermissionDeniedError (PermissionError)
    ├── ConfigurationError                        settings that cannot work
    └── TransportError (ConnectionError)          the server could not be reached
"""

from typing import Any, ClassVar


class MainSequenceError(Exception):
    """Base of every error raised by the platform.

    Parameters
    ----------
    message
        What was asked and what was found.
    hint
        What to do about it.
    **context
        Typed facts for programs: identifiers, counts, allowed values. They cross the wire.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str | None = None, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.hint, self.context)


def _rebuild(kind: type[MainSequenceError], message: str, hint: str | None, context: dict[str, Any]) -> Exception:
    return kind(message, hint=hint, **context)


class ValidationError(MainSequenceError, ValueError):
    """The request itself is wrong."""

    code, status = "validation", 422


class InvalidIdentifierError(ValidationError):
    """An identifier is blank, too long or malformed, or its check digit is wrong."""

    code = "validation.identifier"


class InvalidIntervalError(ValidationError):
    """An interval ends before, or when, it starts."""

    code = "validation.interval"


class NaiveTimestampError(ValidationError):
    """A time carries no time zone."""

    code = "validation.naive_timestamp"


class UnknownFilterError(ValidationError):
    """A lookup does not exist."""

    code = "validation.unknown_filter"


class UnknownFieldError(ValidationError):
    """A field does not exist, or cannot be changed."""

    code = "validation.unknown_field"


class UnknownCalendarError(ValidationError):
    """A trading calendar is not known, or an asset has none."""

    code = "validation.unknown_calendar"


class InvalidWeightsError(ValidationError):
    """Weights are null, infinite or name unknown assets."""

    code = "validation.weights"


class ListRefusedError(ValidationError):
    """Rows of a list are wrong, or name no asset, several, or one that is gone; nothing was changed."""

    code = "validation.list"
    report: Any = None
    """What was found, where it was found: the `LoadReport` of a load."""


class LossyExportError(ValidationError):
    """A format or layout cannot hold what should be written."""

    code = "validation.lossy_export"


class SchemaMismatchError(ValidationError):
    """A table does not have the columns that its series declares."""

    code = "series.schema_mismatch"


class DuplicateRowsError(ValidationError):
    """A table holds several rows of one index."""

    code = "series.duplicate_rows"


class RequestTooLargeError(ValidationError):
    """The body of a request is longer than the server takes."""

    code, status = "validation.too_large", 413


class RepeatedKeyError(ValidationError):
    """An idempotency key was used for another request."""

    code = "validation.repeated_key"


class CyclicDependencyError(ValidationError):
    """Nodes depend on each other in a circle, or their tree does not end."""

    code = "node.cycle"


class InvalidExpressionError(ValidationError):
    """An expression of universes cannot be read; ``context["position"]`` says where."""

    code = "validation.expression"


class CyclicUniverseError(ValidationError):
    """Universes would be made from each other in a circle."""

    code = "validation.universe_cycle"


class AlteredPlanError(ValidationError):
    """A plan does not say what it said when it was made, or does not fit the universe that it names."""

    code = "validation.altered_plan"


class NotFoundError(MainSequenceError, LookupError):
    """What was asked for does not exist."""

    code, status = "not_found", 404


DoesNotExist = NotFoundError


class UnknownAssetsError(NotFoundError):
    """Some of the assets named do not exist."""

    code = "not_found.assets"


class UnknownRevisionError(NotFoundError):
    """A revision or version was never recorded."""

    code = "not_found.revision"


class ConflictError(MainSequenceError):
    """The request is right, the state does not allow it."""

    code, status = "conflict", 409


class AlreadyExistsError(ConflictError):
    """The identifier is taken."""

    code = "conflict.already_exists"


class MultipleFoundError(ConflictError):
    """One was asked for, several match."""

    code = "conflict.multiple_found"


class StaleRevisionError(ConflictError):
    """The universe moved since it was read."""

    code, status = "conflict.stale_revision", 412


class ExistingRowsError(ConflictError):
    """Rows to append are in the series already."""

    code = "series.existing_rows"


class PinnedError(ConflictError):
    """A universe that is read as it was recorded cannot be changed."""

    code = "conflict.pinned"


class InUseError(ConflictError):
    """Something refers to what should be deleted."""

    code = "conflict.in_use"


class DerivedUniverseError(ConflictError):
    """The members of a universe made from others, or by a rule, follow from what it is made from."""

    code = "conflict.derived_universe"


class OverlappingRuleError(ConflictError):
    """A registered asset would match two rules of one translation table."""

    code = "routing.overlapping_rule"


class GuardError(ConflictError):
    """A guard of the universe refuses the change; nothing was changed."""

    code = "guard"


class LockedError(GuardError):
    """The membership of the universe is frozen."""

    code = "guard.locked"


class RemovalGuardError(GuardError):
    """A larger part of the members would leave at once than the universe allows."""

    code = "guard.removal"


class EmptyUniverseError(GuardError):
    """The universe would be left without members, which its owners forbid."""

    code = "guard.empty"


class ReasonRequiredError(GuardError):
    """The universe asks for a reason with every change, and none was given."""

    code = "guard.reason"


class PlanRequiredError(GuardError):
    """The universe is changed by applying plans only."""

    code = "guard.plan"


class ApprovalRequiredError(GuardError):
    """Somebody else must approve the change: it was not made, ``context["request"]`` is the request that was stored."""

    code = "guard.approval"
    pending: Any = None
    """What shall be stored as a request, once the work that was refused is rolled back; it does not cross the wire."""


class RoutingError(MainSequenceError):
    """An asset cannot be routed to a series."""

    code, status = "routing", 409


TranslationError = RoutingError


class NoRouteError(RoutingError, LookupError):
    """No rule of the translation table matches the asset."""

    code = "routing.no_route"


class AmbiguousRouteError(RoutingError):
    """Several rules of the translation table match the asset."""

    code = "routing.ambiguous"


class StaleRouteError(RoutingError):
    """The matching rule names a series that does not exist or does not hold the asset."""

    code = "routing.stale_route"


class CalculationError(MainSequenceError):
    """A number cannot be computed as METHODOLOGY defines it."""

    code, status = "calculation", 422


class UnpricedWeightError(CalculationError):
    """Weight falls on an asset that is masked or has no price, and the configuration says to fail."""

    code = "calculation.unpriced_weight"


class PortfolioRuinedError(CalculationError):
    """The net asset value of a portfolio reached zero."""

    code = "calculation.ruined"


class StorageError(MainSequenceError, OSError):
    """The disk, the database or the object store failed."""

    code, status = "storage", 500


class StorageFullError(StorageError):
    """No space is left where the platform stores."""

    code, status = "storage.full", 507


class ReadOnlyStorageError(StorageError):
    """The home of the platform cannot be written."""

    code = "storage.read_only"


class UnreachableStorageError(StorageError):
    """The database or the object store does not answer; it may in a moment."""

    code, status = "storage.unreachable", 503


class BusyError(StorageError):
    """Another writer held the lock for too long."""

    code, status = "storage.busy", 503


class AccessError(MainSequenceError):
    """Who asks is unknown, or may not."""

    code, status = "access", 403


class AuthenticationError(AccessError):
    """No valid credentials were given."""

    code, status = "access.authentication", 401


class TooManyRequestsError(AccessError):
    """A client asks, or failed to log in, too often; ``context["retry_after"]`` says how many seconds to wait."""

    code, status = "access.too_many_requests", 429


class PermissionDeniedError(AccessError, PermissionError):
    """The user's role does not allow this."""

    code = "access.denied"


class ConfigurationError(MainSequenceError):
    """The settings cannot work."""

    code = "configuration"


class TransportError(MainSequenceError, ConnectionError):
    """The server could not be reached, or its answer was not understood."""

    code, status = "transport", 502


def by_code() -> dict[str, type[MainSequenceError]]:
    """Every error class by its dotted code, for carriers that rebuild errors from the wire."""
    found: dict[str, type[MainSequenceError]] = {}
    queue: list[type[MainSequenceError]] = [MainSequenceError]
    while queue:
        kind = queue.pop()
        found[kind.code] = kind
        queue.extend(kind.__subclasses__())
    return found
