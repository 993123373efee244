"""Tables of passwords, of sessions that a password opened, and of secrets that every process of a server shares."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table

from mainsequence.platform.registry.tables import Id, metadata, text_of

user_password = Table(
    "user_password",
    metadata,
    Column("user_id", ForeignKey("platform_user.id"), primary_key=True, autoincrement=False),
    Column("password_hash", text_of(255), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
"""Passwords, hashed with Argon2id; the hash says with which parameters."""

login_session = Table(
    "login_session",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("user_id", ForeignKey("platform_user.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("revoked_at", BigInteger),
    sqlite_autoincrement=True,
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("secret_hash", text_of(64), primary_key=True),
    Column("session_id", ForeignKey("login_session.id"), nullable=False, index=True),
    Column("issued_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)
"""Refresh tokens that were not used yet, or a moment ago, by the SHA-256 of what holds 256 bits of chance."""

platform_secret = Table(
    "platform_secret",
    metadata,
    Column("name", text_of(50), primary_key=True),
    Column("value", text_of(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""Secrets of the platform itself, such as the key that signs access tokens where the settings name none."""
