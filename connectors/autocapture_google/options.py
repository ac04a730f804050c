"""What an administrator may say about Google beside the client that signs in: where its services are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

_ADDRESS = r"^https?://[^\s@?#]+$"
_CALENDAR_PATH = "/calendar/v3"


class GoogleOptions(BaseModel):
    """The two services. They are Google's own unless a test or a gateway stands between."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gmail_url: str = Field(
        default="https://gmail.googleapis.com", pattern=_ADDRESS, description="where the Gmail API answers"
    )
    calendar_url: str = Field(
        default=f"https://www.googleapis.com{_CALENDAR_PATH}",
        pattern=_ADDRESS,
        description="where the Google Calendar API answers",
    )

    @property
    def gmail_root(self) -> str:
        return self.gmail_url.rstrip("/") + "/"

    @property
    def calendar_root(self) -> str:
        """What the service's path, and that of its batches, stand below."""
        return self.calendar_url.rstrip("/").removesuffix(_CALENDAR_PATH) + "/"
