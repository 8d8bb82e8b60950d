"""Reads a mailbox with Google's own Python client.

Arguments: the API description, the server's base URL. In the environment: REFRESH_TOKEN.
Prints what it saw as one JSON object.
"""

import json
import os
import sys

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError


def connect(description_path, base_url):
    with open(description_path, encoding="utf-8") as file:
        description = json.load(file)
    description.update(rootUrl=base_url + "/", baseUrl=base_url + "/", mtlsRootUrl=base_url + "/")
    credentials = Credentials(
        token=None,
        refresh_token=os.environ["REFRESH_TOKEN"],
        token_uri=base_url + "/token",
        client_id="local-client",
        client_secret="local-secret",
        scopes=["https://www.googleapis.com/auth/gmail.readonly"],
    )
    return build_from_document(description, credentials=credentials)


def list_all(users):
    ids, request = [], users.messages().list(userId="me", q="after:1", maxResults=20)
    while request is not None:
        page = request.execute()
        ids += [message["id"] for message in page.get("messages", [])]
        request = users.messages().list_next(request, page)
    return ids


def get_in_batch(service, ids):
    subjects, failures = {}, {}

    def take(request_id, message, error):
        if error is not None:
            failures[request_id] = error.resp.status
            return
        headers = message["payload"]["headers"]
        subjects[message["id"]] = [h["value"] for h in headers if h["name"] == "Subject"][0]

    batch = service.new_batch_http_request(callback=take)
    for id in ids:
        batch.add(
            service.users().messages().get(
                userId="me", id=id, format="metadata", metadataHeaders=["Subject", "From"],
                fields="id,payload/headers(name,value)",
            ),
            request_id=id,
        )
    batch.execute()
    return subjects, failures


def history_since(users, start):
    records, request = [], users.history().list(userId="me", startHistoryId=start, maxResults=10)
    while request is not None:
        page = request.execute()
        records += page.get("history", [])
        request = users.history().list_next(request, page)
    return records


def status_of(request):
    try:
        request.execute()
    except HttpError as error:
        return error.resp.status
    return 200


def main(description_path, base_url):
    service = connect(description_path, base_url)
    users = service.users()
    ids = list_all(users)
    subjects, failures = get_in_batch(service, ids[:25] + ["18ffffffffffffff"])
    print(json.dumps({
        "profile": users.getProfile(userId="me").execute(),
        "ids": ids,
        "subjects": subjects,
        "failures": failures,
        "history_records": len(history_since(users, os.environ["START_HISTORY_ID"])),
        "expired": status_of(users.history().list(userId="me", startHistoryId=1)),
        "aliases": users.settings().sendAs().list(userId="me").execute()["sendAs"],
        "full": users.messages().get(userId="me", id=ids[0]).execute()["payload"]["mimeType"],
    }))


main(*sys.argv[1:])
