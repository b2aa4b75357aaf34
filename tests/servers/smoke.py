"""What the drivers need of a Swift, done by other people's clients: smoke.py SWIFT_URL AUTH_URL USER KEY."""

import hashlib
import os
import sys
import urllib.error
import urllib.request

import boto3
import botocore.config
import swiftclient

swift_url, auth_url, user, key = sys.argv[1:]
body = os.urandom(6 << 20)

swift = swiftclient.Connection(authurl=auth_url, user=user, key=key, auth_version="1")
swift.put_container("smoke", headers={"X-Storage-Policy": "two"})
assert swift.head_container("smoke")["x-storage-policy"] == "two"
assert swift.put_object("smoke", "a/1", body) == hashlib.md5(body).hexdigest()
assert swift.get_object("smoke", "a/1", headers={"Range": "bytes=5-9"})[1] == body[5:10]
assert [found["name"] for found in swift.get_container("smoke", prefix="a/")[1]] == ["a/1"]
try:
    swift.put_object("smoke", "a/2", body, etag="0" * 32, content_length=len(body))
    sys.exit("a wrong ETag was taken")
except swiftclient.ClientException as error:
    assert error.http_status == 422, error
swift.post_container("smoke", {"X-Container-Meta-Quota-Bytes": str(len(body))})
try:
    swift.put_object("smoke", "a/3", body)
    sys.exit("a quota was not kept")
except swiftclient.ClientException as error:
    assert error.http_status == 413, error
swift.delete_object("smoke", "a/1")
swift.delete_container("smoke")

service = swiftclient.Connection(authurl=auth_url, user="service:cinder", key="service", auth_version="1").get_auth()[1]
token = swift.get_auth()[1]
own = urllib.request.Request(f"{swift_url}/v1/SERVICE_test?format=json", headers={"X-Auth-Token": token})
try:
    urllib.request.urlopen(own)
    sys.exit("SERVICE_test was given without a service token")
except urllib.error.HTTPError as error:
    assert error.code == 403, error
own.add_header("X-Service-Token", service)
assert urllib.request.urlopen(own).status in (200, 204)

s3 = boto3.client(
    "s3",
    endpoint_url=swift_url,
    region_name="us-east-1",
    aws_access_key_id=user,
    aws_secret_access_key=key,
    config=botocore.config.Config(s3={"addressing_style": "path"}),
)
s3.create_bucket(Bucket="smoke-s3")
s3.put_object(Bucket="smoke-s3", Key="k", Body=body)
assert s3.get_object(Bucket="smoke-s3", Key="k", Range="bytes=5-9")["Body"].read() == body[5:10]
upload = s3.create_multipart_upload(Bucket="smoke-s3", Key="m")["UploadId"]
parts = []
for number in (1, 2):
    part = s3.upload_part(Bucket="smoke-s3", Key="m", UploadId=upload, PartNumber=number, Body=body)
    parts.append({"PartNumber": number, "ETag": part["ETag"]})
s3.complete_multipart_upload(Bucket="smoke-s3", Key="m", UploadId=upload, MultipartUpload={"Parts": parts})
assert s3.head_object(Bucket="smoke-s3", Key="m")["ContentLength"] == 2 * len(body)
assert [found["Key"] for found in s3.list_objects_v2(Bucket="smoke-s3")["Contents"]] == ["k", "m"]
for name in ("k", "m"):
    s3.delete_object(Bucket="smoke-s3", Key=name)
s3.delete_bucket(Bucket="smoke-s3")
