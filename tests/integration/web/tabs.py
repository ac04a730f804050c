"""A browser tab without the browser: keeps cookies, and sends forms as one would, from the page that has them."""

from __future__ import annotations

import re
from html import unescape
from types import TracebackType

from httpx import Client, Response

PASSWORD = "seven unlikely herons"


class Tab:
    def __init__(self, address: str, **headers: str) -> None:
        self.address = address
        self.client = Client(
            base_url=address, headers=headers, verify=False
        )  # plain http: no certificates to load
        self.shown = Response(204)

    def __enter__(self) -> Tab:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.client.close()

    @property
    def token(self) -> str:
        """The token of the forms of the page that is shown."""
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', self.shown.text)
        return found[1] if found else ""

    @property
    def words(self) -> str:
        return unescape(re.sub(r"<[^>]*>", " ", self.shown.text))

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self.client.cookies)

    def get(self, path: str) -> Response:
        self.shown = self.client.get(path)
        return self.shown

    def send(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Response:
        """Posts a form of the page that is shown; a redirect is answered, not followed."""
        data = {"form_token": self.token, **fields}
        sent = {"origin": self.address, "sec-fetch-site": "same-origin"} if headers is None else headers
        answer = self.client.post(path, data=data, headers=sent)
        if not answer.is_redirect:
            self.shown = answer
        return answer

    def sign_in(self, email: str, password: str = PASSWORD) -> Response:
        self.get("/sign-in")
        return self.send("/sign-in", email=email, password=password, next="/")
