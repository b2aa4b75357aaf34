"""What the drivers need of a WebDAV server, by Python's own client: smoke_webdav.py URL USER:PASSWORD READER:PASSWORD."""

import base64
import sys
import urllib.error
import urllib.request

url, writer, reader = sys.argv[1:]
with open(__file__, "rb") as file:
    body = file.read()


def call(method, path, data=None, who=writer, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["Authorization"] = "Basic " + base64.b64encode(who.encode()).decode()
    request = urllib.request.Request(url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


assert call("MKCOL", "/kept")[0] == 201
assert call("MKCOL", "/kept")[0] == 405
assert call("PUT", "/kept/.part", body)[0] == 201
assert call("MOVE", "/kept/.part", Destination=url + "/kept/a%20%C3%A9", Overwrite="T")[0] == 201
assert call("PUT", "/gone/a", body)[0] == 409
assert call("GET", "/kept/a%20%C3%A9", Range="bytes=5-9") == (206, body[5:10])
assert call("GET", "/kept/a%20%C3%A9", Range="bytes=99999-")[0] == 416
assert b"a%20%c3%a9</D:href>" in call("PROPFIND", "/kept", Depth="1")[1]
assert call("PUT", "/kept/b", body, who=reader)[0] == 403
assert call("GET", "/kept/a%20%C3%A9", who=reader) == (200, body)
assert call("GET", "/kept/a%20%C3%A9", who=reader + "x")[0] == 401
