"""The official Kubernetes client, imported when first needed, spoken to in plain JSON.

Models of the client cost ten times the memory and time of the JSON they are made from; lists come in pages.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

PAGE: Final = 250
_SECONDS: Final = 30
_POOL: Final = 16
#: How often a server that says "later" is asked again; it names the seconds, 1 as a rule.
_ASK_AGAIN: Final = 5


class ClusterError(Exception):
    """The cluster cannot be used: one line that says why and what to do."""


class RefusedError(ClusterError):
    """The API server refused one request, with its status and reason."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ClusterApi:
    """One cluster as one user; threads may share it. Every method raises ClusterError, or RefusedError with a status."""

    def __init__(
        self, *, kubeconfig: Path | None = None, context: str | None = None, content: Mapping[str, Any] | None = None
    ) -> None:
        """Read credentials from a kubeconfig: its content, the file given, else $KUBECONFIG or ~/.kube/config."""
        from kubernetes import client, config
        from urllib3.util import Retry

        if kubeconfig is not None and not kubeconfig.is_file():
            raise ClusterError(f"{kubeconfig}: there is no such kubeconfig")
        # The loader logs what a credential helper printed, and goes on without credentials.
        logging.getLogger("root").addFilter(_Silence())
        settings = client.Configuration()
        try:
            if content is not None:
                config.load_kube_config_from_dict(dict(content), context=context, client_configuration=settings)
            else:
                file = str(kubeconfig) if kubeconfig else None
                config.load_kube_config(config_file=file, context=context, client_configuration=settings)
        except config.ConfigException as error:
            raise ClusterError(f"kubeconfig: {_one_line(error)}") from None
        # Asked again only where the server says when: it is busy, or has just learned a kind (429 with Retry-After).
        busy = Retry(
            total=_ASK_AGAIN, connect=0, read=0, redirect=0, other=0, allowed_methods=None, raise_on_status=False
        )
        settings.retries = busy  # pyright: ignore[reportAttributeAccessIssue]
        settings.connection_pool_maxsize = _POOL
        self.server = str(settings.host)
        self._client = client.ApiClient(settings)

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """GET, decoded."""
        return json.loads(self._send("GET", path, query=query) or "{}")

    def text(self, path: str, **query: str | int) -> str:
        """GET of what is no JSON: a pod's log."""
        return self._send("GET", path, query=query).decode(errors="replace")

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """The items of a list, read a page at a time; none where the cluster does not know the kind."""
        more = ""
        while True:
            try:
                page = self.get(path, limit=PAGE, **query, **({"continue": more} if more else {}))
            except RefusedError as error:
                if error.status == 404:
                    return
                raise
            yield from page.get("items") or ()
            more = (page.get("metadata") or {}).get("continue") or ""
            if not more:
                return

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST."""
        return json.loads(self._send("POST", path, body=body))

    def delete(self, path: str, **query: str | int) -> None:
        """DELETE; fine where nothing is."""
        try:
            self._send("DELETE", path, query=query)
        except RefusedError as error:
            if error.status != 404:
                raise

    def _send(
        self, method: str, path: str, *, query: Mapping[str, str | int] | None = None, body: object = None
    ) -> bytes:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            answer: Any = self._client.call_api(
                path,
                method,
                query_params=sorted((query or {}).items()),
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=_SECONDS,
            )
            return answer.data
        except ApiException as error:
            raise self._refusal(error.status, error.body, f"{method} {path}") from None
        except HTTPError as error:
            raise ClusterError(
                f"cluster unreachable at {self.server}: {_reason(error)}; is the endpoint private, or the context another?"
            ) from None

    def _refusal(self, status: Any, body: Any, request: str) -> ClusterError:
        if status == 401:
            return ClusterError(
                f"the credentials for {self.server} are expired or refused: sign in again (aws sso login), or write the "
                "kubeconfig anew (pulumi stack output kubeconfig --show-secrets)"
            )
        try:
            message = json.loads(body)["message"]
        except (ValueError, KeyError, TypeError):
            message = str(body)
        return RefusedError(int(status or 0), f"{request}: {_one_line(message)}")


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "kube_config" not in record.pathname


def _reason(error: Exception) -> str:
    # urllib3 puts the reason behind the repr of a connection object.
    return _one_line(str(error).rpartition(">: ")[2] or type(error).__name__).strip(" ()'\"")


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
