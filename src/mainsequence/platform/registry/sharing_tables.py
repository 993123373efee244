"""The tables of sharing: teams of an organization, and what was granted to whom."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, Table, UniqueConstraint

from mainsequence.platform.registry.tables import Id, metadata, text_of

team = Table(
    "team",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("name", text_of(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("organization_id", "name"),
    sqlite_autoincrement=True,
)

team_member = Table(
    "team_member",
    metadata,
    Column("team_id", ForeignKey("team.id"), primary_key=True, autoincrement=False),
    Column("user_id", ForeignKey("platform_user.id"), primary_key=True, autoincrement=False, index=True),
)

sharing_grant = Table(
    "sharing_grant",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("kind", text_of(50), nullable=False),
    Column("object_id", Id, nullable=False),
    Column("user_id", ForeignKey("platform_user.id"), index=True),
    Column("team_id", ForeignKey("team.id"), index=True),
    Column("rights", Integer, nullable=False),
    Column("granted_by", text_of(255), nullable=False),
    Column("granted_at", BigInteger, nullable=False),
    UniqueConstraint("kind", "object_id", "user_id"),
    UniqueConstraint("kind", "object_id", "team_id"),
    CheckConstraint("(user_id IS NULL) <> (team_id IS NULL)", name="ck_sharing_grant_one_grantee"),
    sqlite_autoincrement=True,
)
"""Rights on an object of a kind, for one user or one team."""
