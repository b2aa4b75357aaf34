"""Puts projects, users, roles and the catalog into a Keystone, as far as they are missing, and prints what a client needs:
keystone_fill.py KEYSTONE_URL SWIFT_URL FILE. The secret of an application credential is told only once: it is kept in FILE."""

import json
import pathlib
import sys

import requests

url, swift_url, kept = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


def token(user, password, project):
    """A token of the user, and the user's id."""
    answer = requests.post(
        f"{url}/auth/tokens",
        json={
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": user, "domain": {"id": "default"}, "password": password}},
                },
                "scope": {"project": {"name": project, "domain": {"id": "default"}}},
            }
        },
    )
    answer.raise_for_status()
    return answer.headers["X-Subject-Token"], answer.json()["token"]["user"]["id"]


admin = requests.Session()
admin.headers["X-Auth-Token"] = token("admin", "admin", "admin")[0]


def call(method, path, body=None):
    answer = admin.request(method, f"{url}{path}", json=body)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def there(kind, found_by, **fields):
    """The id of the one that `found_by` names, made if it is missing."""
    wanted = {**found_by, **fields}
    for found in call("GET", f"/{kind}s?" + "&".join(f"{key}={value}" for key, value in found_by.items()))[f"{kind}s"]:
        call("PATCH", f"/{kind}s/{found['id']}", {kind: fields}) if fields else None
        return found["id"]
    return call("POST", f"/{kind}s", {kind: wanted})[kind]["id"]


def user(name, password, project, role):
    user_id = there("user", {"name": name, "domain_id": "default"}, password=password)
    project_id = there("project", {"name": project, "domain_id": "default"})
    role_id = there("role", {"name": role})
    call("PUT", f"/projects/{project_id}/users/{user_id}/roles/{role_id}")


user("backup", "backup-password", "backups", "member")
user("reader", "reader-password", "backups", "reader")
user("swift", "swift", "service", "admin")
user("cinder", "cinder-password", "service", "service")

service = there("service", {"type": "object-store", "name": "swift"})
for interface in ("public", "internal"):
    there(
        "endpoint",
        {"service_id": service, "interface": interface, "region_id": "one"},
        url=f"{swift_url}/v1/AUTH_%(project_id)s",
    )

if not kept.exists():
    own_token, own_id = token("backup", "backup-password", "backups")
    answer = requests.post(
        f"{url}/users/{own_id}/application_credentials",
        json={"application_credential": {"name": "cofferdam", "roles": [{"name": "member"}]}},
        headers={"X-Auth-Token": own_token},
    )
    answer.raise_for_status()
    kept.write_text(json.dumps(answer.json()["application_credential"]))
credential = json.loads(kept.read_text())

for name, value in {
    "region": "one",
    "user": "backup",
    "password": "backup-password",
    "project": "backups",
    "domain": "Default",
    "service_user": "cinder",
    "service_password": "cinder-password",
    "service_project": "service",
    "application_credential_id": credential["id"],
    "application_credential_secret": credential["secret"],
}.items():
    print(f"{name}={value}")
