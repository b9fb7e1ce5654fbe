"""Access tokens, and the endpoint that gives them."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import re
import secrets
import subprocess
import tempfile
import time
from typing import Any

from .config import CLOUD_SCOPE, Config

COMPUTE_SCOPES = {CLOUD_SCOPE, "https://www.googleapis.com/auth/compute"}
READ_SCOPES = COMPUTE_SCOPES | {
    "https://www.googleapis.com/auth/compute.readonly",
    "https://www.googleapis.com/auth/cloud-platform.read-only",
}
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class TokenError(Exception):
    """Why no token is given."""

    def __init__(self, error: str, description: str, code: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.body = {"error": error, "error_description": description}


class Token:
    """An access token."""

    def __init__(self, user: str, scopes: set[str], ends: float) -> None:
        self.user = user
        self.scopes = scopes
        self.ends = ends


class Tokens:
    """All tokens given, and those who may ask for more."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.all: dict[str, Token] = {}
        self.revoked: set[str] = set()
        self.accounts: dict[str, dict[str, str]] = {}
        self.refresh: dict[str, dict[str, str]] = {}
        self.all[config.access_token] = Token("tester@example.com", {CLOUD_SCOPE}, float("inf"))

    def make(self, user: str, scopes: set[str], seconds: float | None = None) -> dict[str, Any]:
        """A new token, as the endpoints give it."""
        lifetime = self.config.token_lifetime if seconds is None else seconds
        text = "ya29." + secrets.token_urlsafe(40)
        self.all[text] = Token(user, scopes, time.monotonic() + lifetime)
        return {"access_token": text, "expires_in": int(lifetime), "token_type": "Bearer"}

    def find(self, text: str) -> Token | None:
        """A token that holds now."""
        token = self.all.get(text) or self._self_signed(text)
        return token if token and token.ends > time.monotonic() else None

    def _self_signed(self, text: str) -> Token | None:
        """A token that a service account made by itself: Google takes it without the token endpoint."""
        try:
            account, claims = self._signed_claims(text)
        except TokenError:
            return None
        scopes = set(claims.get("scope", "").split())
        if not scopes and claims.get("aud") == "https://compute.googleapis.com/":
            scopes = {CLOUD_SCOPE}
        if claims.get("sub") != claims["iss"] or not self._is_timely(claims) or not scopes or text in self.revoked:
            return None
        return Token(claims["iss"], scopes, float("inf"))

    def revoke(self, text: str | None) -> int:
        """Ends a token, or all; says how many."""
        found = [text] if text is not None else list(self.all)
        self.revoked.update(found)
        return sum(self.all.pop(entry, None) is not None for entry in found)

    # MARK: Credentials

    def new_service_account(self, token_uri: str) -> dict[str, str]:
        """The key file of a new service account."""
        key = subprocess.run(
            ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        ).stdout
        public = subprocess.run(["openssl", "pkey", "-pubout"], check=True, capture_output=True, input=key).stdout
        email = f"account{len(self.accounts) + 1}@{self.config.project}.iam.gserviceaccount.com"
        identity = secrets.token_hex(20)
        self.accounts[email] = {"public": public.decode(), "kid": identity, "uri": token_uri}
        return {
            "type": "service_account",
            "project_id": self.config.project,
            "private_key_id": identity,
            "private_key": key.decode(),
            "client_email": email,
            "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }

    def new_authorized_user(self) -> dict[str, str]:
        """The file that a user's login leaves. It names no token endpoint: Google's is meant."""
        found = {
            "client_id": "764086051850-fake.apps.googleusercontent.com",
            "client_secret": "d-" + secrets.token_hex(8),
            "refresh_token": "1//" + secrets.token_urlsafe(24),
        }
        self.refresh[found["refresh_token"]] = found
        return found | {
            "type": "authorized_user",
            "quota_project_id": self.config.project,
            "universe_domain": "googleapis.com",
        }

    # MARK: The endpoint

    def grant(self, form: dict[str, str]) -> dict[str, Any]:
        """Answers a request to the token endpoint. Raises TokenError."""
        kind = form.get("grant_type", "")
        if kind == "refresh_token":
            return self._by_refresh_token(form)
        if kind == JWT_BEARER:
            return self._by_assertion(form.get("assertion", ""))
        raise TokenError("unsupported_grant_type", f"Invalid grant_type: {kind}")

    def _by_refresh_token(self, form: dict[str, str]) -> dict[str, Any]:
        known = self.refresh.get(form.get("refresh_token", ""))
        if known is None:
            raise TokenError("invalid_grant", "Bad Request")
        if any(form.get(key) != known[key] for key in ("client_id", "client_secret")):
            raise TokenError("invalid_client", "Unauthorized", 401)
        found = self.make("tester@example.com", {CLOUD_SCOPE})
        return found | {"scope": CLOUD_SCOPE}

    def _by_assertion(self, assertion: str) -> dict[str, Any]:
        account, claims = self._signed_claims(assertion)
        self._check_claims(claims, account["uri"])
        return self.make(claims["iss"], set(claims["scope"].split()))

    def _signed_claims(self, assertion: str) -> tuple[dict[str, str], dict[str, Any]]:
        try:
            head, body, signature = assertion.split(".")
            header, claims = json.loads(_decode(head)), json.loads(_decode(body))
            signed = _decode(signature)
        except ValueError as error:
            raise TokenError("invalid_grant", "Invalid JWT: the assertion is malformed.") from error
        account = self.accounts.get(claims.get("iss", ""))
        if account is None:
            raise TokenError("invalid_grant", "Invalid grant: account not found")
        if header.get("alg") != "RS256" or header.get("typ", "JWT") != "JWT":
            raise TokenError("invalid_grant", "Invalid JWT Signature.")
        is_key = header.get("kid", account["kid"]) == account["kid"]
        if not is_key or not _verify(account["public"], f"{head}.{body}", signed):
            raise TokenError("invalid_grant", "Invalid JWT Signature.")
        return account, claims

    @staticmethod
    def _is_timely(claims: dict[str, Any]) -> bool:
        issued, expires = claims.get("iat"), claims.get("exp")
        now = time.time()
        return (
            isinstance(issued, int)
            and isinstance(expires, int)
            and issued <= now + 300
            and now - 300 <= expires <= issued + 3600
        )

    def _check_claims(self, claims: dict[str, Any], uri: str) -> None:
        if claims.get("aud") not in (uri, "https://oauth2.googleapis.com/token"):
            raise TokenError(
                "invalid_grant",
                "Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token",
            )
        if not self._is_timely(claims):
            raise TokenError(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
                "reasonable timeframe. Check your iat and exp values in the JWT claim.",
            )
        if not claims.get("scope"):
            raise TokenError("invalid_scope", "Invalid OAuth scope or ID token audience provided.")


def _decode(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError("not base64url without padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _verify(public: str, text: str, signature: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: os.path.join(folder, name) for name in ("public", "signature")}
        pathlib.Path(paths["public"]).write_text(public, encoding="ascii")
        pathlib.Path(paths["signature"]).write_bytes(signature)
        command = ["openssl", "dgst", "-sha256", "-verify", paths["public"], "-signature", paths["signature"]]
        return subprocess.run(command, input=text.encode(), capture_output=True, check=False).returncode == 0
