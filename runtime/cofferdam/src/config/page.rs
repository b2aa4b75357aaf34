//! The page `docs/configuration.md`, made from the table of options.

use super::options::{OPTIONS, Scope};

/// The page `docs/configuration.md`.
pub(crate) fn markdown() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         <!-- Made by `./dev docs` from runtime/cofferdam/src/config/options.rs. Do not edit. -->\n\n\
         One TOML file. Options at the top are for the whole service; each `[backends.NAME]` section is one backend. \
         An option that may stand in both holds for all backends from the top and for one backend from its section. \
         Whatever else stands in a backend's section is a setting of its driver, checked against what the driver \
         says of itself (`cofferdam driver inspect FILE` lists them). An unknown or ill-typed key is an error with \
         file, line and column.\n\n\
         `cofferdam config check` checks a file, drivers and grants included, without touching any storage; `cofferdam \
         config show` prints what holds, and where it comes from.\n\n\
         Durations are texts such as `\"30s\"`, `\"1h 30m\"`, `\"250ms\"`, or whole seconds; sizes are texts such as \
         `\"64MiB\"`, or bytes.\n",
    );
    for (scope, title) in [
        (Scope::Service, "Options of the service"),
        (Scope::Both, "Options of the service or of one backend"),
        (Scope::Backend, "Options of one backend"),
    ] {
        page.push_str(&format!(
            "\n## {title}\n\n| option | value | default | what it does |\n| --- | --- | --- | --- |\n"
        ));
        for option in OPTIONS.iter().filter(|option| option.scope == scope) {
            let default = option
                .default
                .map_or_else(String::new, |default| format!("`{default}`"));
            page.push_str(&format!(
                "| `{}` | {} | {default} | {} |\n",
                option.name,
                option.kind.describe(),
                option.text
            ));
        }
    }
    page.push_str(
        "\n## Grants\n\nA driver gets nothing that its backend's section does not grant. Directories are granted with what is \
         below them:\n\n```toml\n[backends.archive]\nbackup_driver = \"posix\"\nbackup_posix_path = \"/srv/backup\"\n\
         grants.directories = [{ path = \"/srv/backup\", access = \"read-write\" }]\n```\n\n\
         `access` is `\"read-only\"` or `\"read-write\"`. The instance gets exactly the directories that its settings name, \
         never the whole grant.\n\n\
         The network is granted by origin, and nothing else is reached:\n\n```toml\n[backends.s3]\nbackup_driver = \"s3\"\n\
         backup_s3_endpoint_url = \"https://s3.example.com\"\nbackup_s3_store_access_key = \"AKIAIOSFODNN7EXAMPLE\"\n\
         backup_s3_store_secret_key = { file = \"/etc/cofferdam/s3.key\" }\n\
         grants.http = [\"https://s3.example.com\"]\n```\n\n\
         | grant | what it lets the driver do |\n| --- | --- |\n\
         | `grants.http` | Send requests to these origins: scheme, host, port if it is not the usual one. `https://*.example.com` \
         means all names below that one. |\n\
         | `grants.networks` | Reach hosts of `grants.http` whose names resolve to private, loopback or this host's own addresses \
         in these ranges (`10.0.0.0/8`). An origin that is itself such an address needs no more, nor does `localhost`. |\n\
         | `grants.tcp` | Open raw TCP connections to these addresses and ports (`192.0.2.7:2049`). |\n\
         | `grants.reveal` | Read the values of the secrets in these options. Without it a driver only uses them. |\n\n\
         Link-local and metadata addresses, multicast and broadcast are never reached. Redirects are not followed by the host. \
         Each address that a name resolves to is checked, and the checked address is the one that is dialled; through a proxy, \
         which an option of the driver may name, the proxy resolves.\n\n\
         ## Secrets\n\nAn option of kind secret (`cofferdam driver inspect FILE` says which are) takes the text itself or says where \
         it is kept. The driver never gets it: the host signs with it, and puts it into requests that leave for a granted origin. \
         It is read again when it has changed, so a new key needs no restart.\n\n\
         | value | where it is kept |\n| --- | --- |\n\
         | `\"text\"` | here |\n\
         | `{ file = \"/etc/cofferdam/s3.key\" }` | in a file, relative to this one's folder; a line break at the end does not count |\n\
         | `{ env = \"S3_KEY\" }` | in the service's environment |\n\
         | `{ command = [\"pass\", \"show\", \"s3\"] }` | what a program prints within 10 s; asked again after 60 s |\n\
         | `{ credential = \"s3\" }` | in a credential of systemd (`LoadCredential=`) |\n",
    );
    page
}
