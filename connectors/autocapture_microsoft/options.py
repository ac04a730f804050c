"""What an administrator may say about an account at Microsoft 365. Most installations say nothing."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

GRAPH_URL = "https://graph.microsoft.com/v1.0"


class GraphOptions(BaseModel):
    """The address of Microsoft Graph, which national clouds have of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    graph_url: str = Field(
        default=GRAPH_URL, max_length=300, description="address of Microsoft Graph, with its version"
    )

    @field_validator("graph_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if (
            parts.scheme not in ("https", "http")
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise ValueError("it must be an address such as https://graph.microsoft.com/v1.0")
        return url.rstrip("/")


class MicrosoftOptions(GraphOptions):
    """Mail and calendar of the person who signs in; nothing needs to be said. With application permission, which needs no
    sign-in, `mailbox` names whose mailbox is read; it must be one of `allowed_mailboxes`."""

    mailbox: str = Field(
        default="",
        max_length=320,
        pattern=r"^([^\s/?#@\x00-\x1f]+@[^\s/?#@\x00-\x1f]+)?$",
        description="address of the mailbox, with application permission only",
    )
    allowed_mailboxes: tuple[str, ...] = Field(
        default=(), description="mailboxes that application permission may be used for"
    )


class CallsOptions(GraphOptions):
    """The organisation's Teams calls, with application permission. Calls of people who are not named here are never asked
    for."""

    reps: tuple[str, ...] = Field(
        default=(), description="whose calls to read, each as ENTRA-OBJECT-ID=ADDRESS"
    )

    @field_validator("reps")
    @classmethod
    def _are_pairs(cls, reps: tuple[str, ...]) -> tuple[str, ...]:
        for rep in reps:
            object_id, found, address = rep.partition("=")
            if not found or not all(part.isalnum() for part in object_id.split("-")) or "@" not in address:
                raise ValueError("each must be ENTRA-OBJECT-ID=ADDRESS")
        return reps
