"""Serves Keystone's WSGI application by waitress: keystone_server.py CONFIG PORT."""

import os
import sys

import waitress

config, port = sys.argv[1:]
os.environ["OS_KEYSTONE_CONFIG_FILES"] = config
# The application reads the command line as if it were its own.
sys.argv[1:] = []
from keystone.wsgi.api import application  # noqa: E402

waitress.serve(application, host="127.0.0.1", port=int(port), threads=4)
