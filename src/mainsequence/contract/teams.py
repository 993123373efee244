"""Everything that can be done with teams."""

from types import NoneType

from mainsequence.contract.operation import administering, reading
from mainsequence.contract.queries import Query
from mainsequence.domain.access import TeamCreation, TeamRecord, UserName
from mainsequence.domain.values import Page, Value


class TeamEdit(Value):
    """Users to put into a team or to take out, by name."""

    members: list[UserName]


_ALL, _ONE = "/teams", "/teams/{key}"

QUERY = reading(
    "POST", f"{_ALL}/query", "teams.query", Query, Page[TeamRecord], "Find teams of the organization, page by page."
)
GET = reading("GET", _ONE, "teams.get", NoneType, TeamRecord, "Read one team.")
CREATE = administering(
    "POST", _ALL, "teams.create", TeamCreation, TeamRecord, "Add a team whose name is not taken.", retry_safe=False
)
DELETE = administering(
    "DELETE", _ONE, "teams.delete", NoneType, NoneType, "Delete a team, with all that was granted to it."
)
ADD_MEMBERS = administering(
    "POST", f"{_ONE}/add-members", "teams.add_members", TeamEdit, TeamRecord, "Put users into a team."
)
REMOVE_MEMBERS = administering(
    "POST", f"{_ONE}/remove-members", "teams.remove_members", TeamEdit, TeamRecord, "Take users out of a team."
)
