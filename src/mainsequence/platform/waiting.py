"""What is said of a change that waits for somebody else's approval."""

from mainsequence.domain.guards import ChangeRequestRecord
from mainsequence.errors import ApprovalRequiredError


def waiting(error: ApprovalRequiredError, stored: ChangeRequestRecord) -> ApprovalRequiredError:
    """Say under which number a change waits."""
    return ApprovalRequiredError(
        f"{error.message} It waits as request {stored.id}; nothing was changed.",
        hint=f"They approve it with msc.ChangeRequest.get({stored.id}).approve(), or mainsequence category approve "
        f"{stored.id}.",
        **error.context,
        request=stored.id,
    )
