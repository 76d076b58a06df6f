//! What is wrong between this machine and a server.

codes! {
    OFFLINE = "offline", [Failed, Environment],
    "something is needed that only the network has",
    "`--offline` and `--frozen` forbid requests, and what is needed is neither in the cache nor in the vendor directory.",
    "packhouse lock --offline",
    "Run the command once without `--offline`; what it fetches stays in the cache.";

    INVALID_ADDRESS = "invalid-address", [Usage],
    "an address cannot be fetched",
    "Addresses are https, http or file URLs with a host.",
    "acme-common @ ftp://files.acme.example/acme-common-1.0.tar.gz",
    "Write it as `https://HOST/PATH`.";

    NETWORK_FAILED = "network-failed", [Failed],
    "a server could not be reached",
    "The name does not resolve, nothing answers, or the connection broke. What was fetched so far is kept, and the next run goes \
     on from there.",
    "error[network-failed]: cannot fetch https://pypi.acme.example/simple/requests/: connection refused",
    "Check the connection and HTTPS_PROXY/NO_PROXY, then run the command again; `packhouse doctor --network` asks each index.";

    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted", [Failed],
    "a server's certificate is not trusted",
    "None of the authorities that this machine trusts has signed it, or it has expired, or it is for another host.",
    "error[certificate-not-trusted]: cannot fetch https://pypi.acme.example/simple/: invalid peer certificate: UnknownIssuer",
    "If the authority is your own, name its certificate: `export SSL_CERT_FILE=/path/ca.pem`, or add it to the system's \
     (`update-ca-certificates`, `update-ca-trust`). `packhouse doctor` looks at both, and at the clock.";

    LOGIN_REFUSED = "login-refused", [Failed],
    "a server wants a login, or does not accept the one it got",
    "It answered 401 or 403.",
    "error[login-refused]: cannot fetch https://pypi.acme.example/simple/acme/: the server answered 401 Unauthorized",
    "Give the login of an index by PACKHOUSE_INDEX_<NAME>_USERNAME and PACKHOUSE_INDEX_<NAME>_PASSWORD, in ~/.netrc, or with \
     PACKHOUSE_KEYRING=subprocess.";

    NOT_ON_SERVER = "not-on-server", [Failed],
    "a file is not on the server any more",
    "It answered 404 or 410. Files of a lock may be deleted or moved by their owner.",
    "error[not-on-server]: cannot fetch https://files.acme.example/a-1.0-py3-none-any.whl: the server answered 404 Not Found",
    "`packhouse lock SERVICE` finds what there is now.";

    SERVER_ERROR = "server-error", [Failed],
    "a server refused to answer",
    "It answered with a status that is no success, or asked to come again later.",
    "error[server-error]: cannot fetch https://pypi.acme.example/simple/requests/: the server answered 503 Service Unavailable",
    "Run the command again later; what was fetched is kept.";

    REDIRECT_REFUSED = "redirect-refused", [Failed],
    "a server leads elsewhere than it may",
    "A redirection from https to http, in a circle, or to something that is no web address is not followed.",
    "error[redirect-refused]: https://pypi.acme.example/simple/ redirects to http://10.0.0.7/simple/: it is not https",
    "Name the address it leads to in the configuration, if that is where it should come from.";

    DOWNLOAD_UNUSABLE = "download-unusable", [Failed],
    "a server's answer is not the file as it is",
    "It was sent in an encoding that nobody asked for, or is longer than anything of its kind.",
    "error[download-unusable]: https://files.acme.example/a.tar.gz was sent with the content encoding `gzip`",
    "Have the server send archives as they are, without `Content-Encoding`; check that the address is that of the file.";

    DOWNLOAD_CHANGED = "download-changed", [Failed],
    "a downloaded file is not the one that was expected",
    "Its length or its SHA-256 is not that of the lock or the index. Nothing of it was kept.",
    "error[download-changed]: a-1.0-py3-none-any.whl from https://files.acme.example/… does not have the expected content",
    "If the file was replaced on purpose, `packhouse lock SERVICE` records the new one. Otherwise somebody changed it: find out who.";

    DOWNLOAD_UNPROTECTED = "download-unprotected", [Failed],
    "a file could be changed on its way",
    "Neither a digest nor https protects it.",
    "acme-common @ http://files.acme.example/acme-common-1.0.tar.gz",
    "Give its digest (`--hash=sha256:…` or `#sha256=…`), or an https address.";

    INVALID_PROXY = "invalid-proxy", [Usage],
    "the proxy's address cannot be used",
    "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY hold the address of an HTTP proxy.",
    "HTTPS_PROXY=socks5://proxy:1080 packhouse vendor",
    "Write it as `http://[user:password@]host:port`.";

    INVALID_NETRC = "invalid-netrc", [Usage],
    "the netrc file cannot be read",
    "It has logins by host; a word that is none of its own would make the rest of it mean something else.",
    "machine pypi.acme.example logn jo password secret",
    "Correct it where it is shown (see `man netrc`); NETRC names another file.";

    KEYRING_FAILED = "keyring-failed", [Environment],
    "the keyring command failed",
    "PACKHOUSE_KEYRING=subprocess has `keyring get URL USER` asked for a login.",
    "error[keyring-failed]: the keyring command failed: it is not on PATH",
    "Run `keyring get URL USER` by hand to see why, or `unset PACKHOUSE_KEYRING`.";

    NOT_AN_INDEX = "not-an-index", [Failed],
    "an address is no package index",
    "What it answered is neither HTML nor JSON of the simple API (PEP 503, PEP 691).",
    "[[index]]\nname = \"internal\"\nurl = \"https://pypi.acme.example/\"",
    "Name the base of its simple API; usually it ends in `/simple`.";

    INVALID_INDEX = "invalid-index", [Usage],
    "an index of the environment or of a configuration file cannot be used",
    "Beside `[[index]]`, packhouse reads the indexes of uv and pip: their variables, uv.toml and pip.conf.",
    "PIP_INDEX_URL=pypi.acme.example/simple packhouse lock",
    "Write its address as `https://host/path/simple`, in the place that the message names.";

    INDEX_PINNED_TWICE = "index-pinned-twice", [Usage],
    "a package is pinned to two indexes",
    "`packages` of `[[index]]` says that a package comes from this index alone; it cannot come from two alone.",
    "[[index]]\nname = \"a\"\npackages = [\"acme-*\"]\n\n[[index]]\nname = \"b\"\npackages = [\"acme-common\"]",
    "Let one `packages` list have the name.";
}
