"""Which service a remote's URL leads to, and the addresses there. Pure text.

URL forms: https://git-scm.com/docs/git-clone#_git_urls. Which host gets which token is decided
here too, by one rule: a token goes to a host that everyone knows to be the service's, or that
the environment or the settings name; never to one that only the repository names.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote, urlsplit


class Service(StrEnum):
    """The hosting services proc2dbt can open a pull request on."""

    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE = "azure"


@dataclass(frozen=True)
class RemoteUrl:
    """A remote's URL in its parts, without credentials."""

    scheme: str
    host: str
    """Lower case."""
    port: int | None
    path: str
    """Without leading or trailing slash and without ``.git``; percent-encoding undone."""

    @property
    def authority(self) -> str:
        """Host and port for the web, where an ssh port means nothing."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        web = self.scheme in ("http", "https") and self.port is not None
        return f"{host}:{self.port}" if web else host

    @property
    def web_scheme(self) -> str:
        """``http`` only on this machine: a token must not travel in the clear."""
        return "http" if self.scheme == "http" and is_loopback(self.host) else "https"


@dataclass(frozen=True)
class HostedRepository:
    """A repository on a hosting service."""

    service: Service
    host: str
    """Host, with port if any."""
    api: str
    """The root of the service's API for this repository's server, without trailing slash."""
    web: str
    """The repository's page."""
    owner: str
    """GitHub owner; GitLab group with subgroups; Azure DevOps project."""
    name: str

    def file_link(self, branch: str, path: str) -> str:
        """The page of a file on a branch."""
        if self.service is Service.AZURE:
            query = f"path={quote('/' + path)}&version=GB{quote(branch, safe='')}"
            return f"{self.web}?{query}"
        marker = "-/blob" if self.service is Service.GITLAB else "blob"
        return f"{self.web}/{marker}/{quote(branch)}/{quote(path)}"


_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>\[[^\]]+\]|[^/:@]{2,}):(?P<path>(?!//).+)")


def parse_remote(url: str) -> RemoteUrl | None:
    """The parts of a remote's URL; ``None`` for a local path or a URL of no server."""
    text = url.strip()
    if "://" in text:
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            return None
        scheme = parts.scheme.lower().removeprefix("git+")
        if scheme not in ("http", "https", "ssh", "git") or not parts.hostname:
            return None
        return RemoteUrl(scheme, parts.hostname.lower(), port, _clean_path(parts.path))
    match = _SCP.fullmatch(text)
    if match is None:
        return None
    return RemoteUrl("ssh", match["host"].strip("[]").lower(), None, _clean_path(match["path"]))


def hosted_repository(
    url: str,
    environment: Mapping[str, str],
    service: str = "",
    host: str = "",
) -> HostedRepository | None:
    """The repository a remote's URL leads to, on a service a token may be sent to.

    ``service`` and ``host`` are the settings that name a company's own server; without them it
    is one the environment names (``GH_HOST``, ``GITLAB_HOST``, CI variables) or a public one.
    ``None`` when it is none of these.
    """
    remote = parse_remote(url)
    if remote is None or not remote.path:
        return None
    found = _service_of(remote, environment, service, host)
    match found:
        case Service.GITHUB:
            return _github(remote)
        case Service.GITLAB:
            return _gitlab(remote)
        case Service.AZURE:
            return _azure(remote)
        case _:
            return None


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def token_for(repository: HostedRepository, environment: Mapping[str, str]) -> tuple[str, str]:
    """The variable that holds the token for the repository's host, and the token; or ``""``s."""
    for variable in token_variables(repository, environment):
        token = environment.get(variable, "").strip()
        if token:
            return variable, token
    return "", ""


def token_variables(
    repository: HostedRepository, environment: Mapping[str, str]
) -> tuple[str, ...]:
    """The variables looked at, in order. As gh has it: https://cli.github.com/manual/gh_help_environment"""
    match repository.service:
        case Service.GITHUB:
            public = repository.host == "github.com" or repository.host.endswith(".ghe.com")
            if public:
                return ("GH_TOKEN", "GITHUB_TOKEN")
            own = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
            # A workflow on an Enterprise server gets that server's token as GITHUB_TOKEN.
            in_workflow = _authority(environment.get("GITHUB_SERVER_URL", "")) == repository.host
            return (*own, "GITHUB_TOKEN") if in_workflow else own
        case Service.GITLAB:
            return ("GITLAB_TOKEN",)
        case Service.AZURE:
            return ("AZURE_DEVOPS_TOKEN", "AZURE_DEVOPS_EXT_PAT", "SYSTEM_ACCESSTOKEN")


def _service_of(
    remote: RemoteUrl, environment: Mapping[str, str], service: str, host: str
) -> Service | None:
    names = {remote.host, remote.authority}
    if service in tuple(Service) and host and host.lower() in names:
        return Service(service)
    if remote.host in ("github.com", "ssh.github.com") or remote.host.endswith(".ghe.com"):
        return Service.GITHUB
    if remote.host in ("gitlab.com", "altssh.gitlab.com"):
        return Service.GITLAB
    if remote.host in ("dev.azure.com", "ssh.dev.azure.com") or remote.host.endswith(
        ".visualstudio.com"
    ):
        return Service.AZURE
    for variable, named in _NAMED_BY.items():
        if _authority(environment.get(variable, "")) in names:
            return named
    return None


_NAMED_BY = {
    "GH_HOST": Service.GITHUB,
    "GITHUB_SERVER_URL": Service.GITHUB,
    "GITLAB_HOST": Service.GITLAB,
    "CI_SERVER_URL": Service.GITLAB,
    "SYSTEM_COLLECTIONURI": Service.AZURE,
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": Service.AZURE,
}
"""Variables by which a user or a CI names a company's own server."""


def _authority(value: str) -> str | None:
    """The host (and port) of a variable that holds a host or a URL."""
    if not value:
        return None
    text = value if "://" in value else f"https://{value}"
    return urlsplit(text).netloc.rpartition("@")[2].lower() or None


def _clean_path(path: str) -> str:
    return unquote(path).strip("/").removesuffix(".git").strip("/")


def _github(remote: RemoteUrl) -> HostedRepository | None:
    """https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api"""
    owner, _, name = remote.path.partition("/")
    if not owner or not name or "/" in name:
        return None
    host = "github.com" if remote.host == "ssh.github.com" else remote.authority
    if host == "github.com":
        api = "https://api.github.com"
    elif host.endswith(".ghe.com"):
        api = f"https://api.{host}"
    else:
        api = f"{remote.web_scheme}://{host}/api/v3"
    web = f"{remote.web_scheme}://{host}/{quote(remote.path)}"
    return HostedRepository(Service.GITHUB, host, api, web, owner, name)


def _gitlab(remote: RemoteUrl) -> HostedRepository | None:
    """https://docs.gitlab.com/api/rest/"""
    owner, _, name = remote.path.rpartition("/")
    if not owner or not name:
        return None
    host = "gitlab.com" if remote.host == "altssh.gitlab.com" else remote.authority
    root = f"{remote.web_scheme}://{host}"
    web = f"{root}/{quote(remote.path)}"
    return HostedRepository(Service.GITLAB, host, f"{root}/api/v4", web, owner, name)


def _azure(remote: RemoteUrl) -> HostedRepository | None:
    """https://learn.microsoft.com/en-us/azure/devops/repos/git/use-ssh-keys-to-authenticate"""
    pieces = [piece for piece in remote.path.split("/") if piece]
    if remote.host in ("ssh.dev.azure.com", "vs-ssh.visualstudio.com"):
        if len(pieces) != 4 or pieces[0].lower() != "v3":
            return None
        collection, (project, name) = f"https://dev.azure.com/{quote(pieces[1])}", pieces[2:]
        host = "dev.azure.com"
    else:
        if "_git" not in pieces[:-1] or pieces[-2] != "_git":
            return None
        above, name = pieces[:-2], pieces[-1]
        host = remote.authority
        # The collection's own path: the organization, or tfs/Collection on a company's server.
        depth = {"dev.azure.com": 1}.get(remote.host, 0 if _is_visualstudio(remote) else None)
        if depth is None:
            depth = max(len(above) - 1, 0)
        elif _is_visualstudio(remote) and above[:1] == ["DefaultCollection"]:
            depth = 1
        project = above[depth] if len(above) > depth else name
        collection = "/".join(
            [f"{remote.web_scheme}://{host}", *(quote(piece) for piece in above[:depth])]
        )
    web = f"{collection}/{quote(project)}/_git/{quote(name)}"
    return HostedRepository(Service.AZURE, host, collection, web, project, name)


def _is_visualstudio(remote: RemoteUrl) -> bool:
    return remote.host.endswith(".visualstudio.com")
