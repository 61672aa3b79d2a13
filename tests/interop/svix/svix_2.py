"""What the PyPI package `svix` 2.x does with a running Deskbell: `PYTHONPATH=… python3 svix_2.py`.

`scenario.mjs` describes the environment.
"""

import json
import os
import secrets
import time
import urllib.request
from base64 import b64encode
from datetime import datetime, timedelta, timezone

from svix.api import (
    AppPortalAccessIn,
    ApplicationIn,
    ApplicationListOptions,
    BulkExpungeContentsIn,
    BulkReplayIn,
    EndpointGetAttemptStatsOptions,
    EndpointGetStatsOptions,
    EndpointHeadersPatchIn,
    EndpointIn,
    EndpointListOptions,
    EndpointPatch,
    EndpointSecretRotateIn,
    EndpointUpsertIn,
    EventExampleIn,
    EventTypeIn,
    EventTypeListOptions,
    MessageAttemptListAttemptedMessagesOptions,
    MessageAttemptListByEndpointOptions,
    MessageAttemptListByMsgOptions,
    MessageCreateOptions,
    MessageGetOptions,
    MessageIn,
    MessageListOptions,
    MessagePrecheckIn,
    MessageStatus,
    RecoverIn,
    ReplayIn,
    StatusCodeClass,
    Svix,
    SvixOptions,
)
from svix.exceptions import HttpError, HTTPValidationError, WebhookVerificationError
from svix.webhooks import Webhook

APP = "clerk"
# The endpoint of the config file, which fails until the receiver is told otherwise.
DECLARED = "failing"
DEADLINE_S = 30
RECEIVER_URL = os.environ["RECEIVER_URL"]
STARTED = datetime.now(timezone.utc) - timedelta(minutes=1)


def client(token):
    options = SvixOptions(server_url=os.environ["DESKBELL_URL"], retry_schedule=[0.01])
    return Svix(token, options)


svix = client(os.environ["DESKBELL_TOKEN"])


def until(what, ask):
    """Asks again until there is an answer."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"in {DEADLINE_S} s there was no {what}")


def name(purpose):
    return f"py-{purpose}"


def received(purpose):
    with urllib.request.urlopen(f"{RECEIVER_URL}/requests/{name(purpose)}") as response:
        return json.load(response)


def answer_with(endpoint, status):
    url = f"{RECEIVER_URL}/status/{endpoint}/{status}"
    urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()


def deliveries(purpose, message_id, count):
    def ask():
        wanted = [one for one in received(purpose) if one["headers"]["svix-id"] == message_id]
        return wanted if len(wanted) >= count else None

    return until(f"delivery {count} to {purpose}", ask)


def everything(options, list_page):
    """All items of a list, page by page."""
    items, iterator = [], None
    while True:
        options.iterator = iterator
        page = list_page(options)
        items += page.data
        if page.done:
            return items
        iterator = page.iterator
        assert isinstance(iterator, str)


def refused(status, call, *arguments, error=HttpError):
    """The error that a call ends with."""
    try:
        call(*arguments)
    except error as raised:
        assert raised.status_code == status, raised
        return raised
    raise AssertionError(f"{call} was not refused")


def not_implemented(call, *arguments):
    error = refused(501, call, *arguments)
    assert error.code == "not_implemented" and len(error.detail) > 20, error


def verify(secret, delivered):
    Webhook(secret).verify(delivered["body"], delivered["headers"])
    return json.loads(delivered["body"])


def is_signed_with(secret, delivered):
    try:
        verify(secret, delivered)
        return True
    except WebhookVerificationError:
        return False


def random_secret():
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


def applications_and_event_types():
    svix.health.get()
    application = svix.application
    applications = everything(ApplicationListOptions(limit=1), application.list)
    assert APP in [one.uid for one in applications]
    assert application.get(APP).name == APP
    assert application.get_or_create(ApplicationIn(name=APP)).id == APP
    not_implemented(application.create, ApplicationIn(name="new"))
    types = everything(EventTypeListOptions(limit=20), svix.event_type.list)
    assert "user.created" in [one.name for one in types]
    schema = svix.event_type.get("user.created").schemas["1"]
    assert schema["examples"][0]["type"] == "user.created"
    not_implemented(svix.event_type.create, EventTypeIn(name="order.paid", description="Paid"))


def endpoints():
    endpoint = svix.endpoint
    made = endpoint.create(
        APP,
        EndpointIn(
            url=f"{RECEIVER_URL}/hooks/{name('main')}",
            uid=name("main"),
            description="Made by a client",
            event_types=["user.created", "user.updated"],
            throttle_rate=50,
            metadata={"team": "a"},
            headers={"x-tenant": "a", "authorization": "Bearer 1"},
        ),
    )
    assert made.event_types == ["user.created", "user.updated"], made
    assert (made.throttle_rate, made.metadata, made.disabled) == (50, {"team": "a"}, False), made
    assert endpoint.get(APP, name("main")) == made
    listed = everything(
        EndpointListOptions(limit=1), lambda options: endpoint.list(APP, options)
    )
    assert {made.id, DECLARED} <= {one.id for one in listed}
    headers = endpoint.get_headers(APP, made.id)
    assert (headers.headers, headers.sensitive) == ({"x-tenant": "a"}, ["authorization"]), headers
    endpoint.patch_headers(APP, made.id, EndpointHeadersPatchIn(headers={"x-tenant": "b"}))
    assert endpoint.get_headers(APP, made.id).headers == {"x-tenant": "b"}
    patched = endpoint.patch(
        APP, made.id, EndpointPatch(description="Changed", event_types=["user.created"])
    )
    assert (patched.description, patched.event_types) == ("Changed", ["user.created"]), patched
    assert patched.throttle_rate == 50, patched

    second = name("second")
    settings = EndpointUpsertIn(url=f"{RECEIVER_URL}/hooks/{second}", uid=second)
    upserted = endpoint.upsert(APP, second, settings)
    settings.disabled = True
    again = endpoint.upsert(APP, second, settings)
    assert (again.id, again.uid, again.disabled) == (upserted.id, second, True), again
    endpoint.delete(APP, second)
    return made


def messages(endpoint):
    message, event_id = svix.message, name("order-1")
    payload = {"type": "user.created", "data": {"id": "user_1", "note": "äöü"}}
    assert message.precheck(APP, MessagePrecheckIn(event_type="user.created")).active
    wanted = MessageIn(event_id=event_id, event_type="user.created", payload=payload)
    made = message.create(APP, wanted, MessageCreateOptions(with_content=True))
    assert (made.id, made.event_id, made.payload) == (event_id, event_id, payload), made
    delivered = deliveries("main", made.id, 1)[0]
    assert delivered["headers"]["authorization"] == "Bearer 1"
    assert verify(svix.endpoint.get_secret(APP, endpoint.id).key, delivered) == payload

    assert refused(409, message.create, APP, wanted).code == "conflict"
    options = MessageCreateOptions(idempotency_key=name("key-1"))
    without_id = MessageIn(event_type="user.created", payload=payload)
    ids = {message.create(APP, without_id, options).id for _ in range(2)}
    assert len(ids) == 1, ids

    assert message.get(APP, made.id, MessageGetOptions(with_content=True)).payload == payload
    assert message.get(APP, made.id).payload == {}
    options = MessageListOptions(limit=1, event_types=["user.created"], after=STARTED)
    listed = everything(options, lambda options: message.list(APP, options))
    assert made.id in [one.id for one in listed]
    options = MessageListOptions(before=STARTED)
    assert everything(options, lambda options: message.list(APP, options)) == []
    attempts(endpoint, made)
    not_implemented(message.expunge_content, APP, made.id)
    not_implemented(message.bulk_expunge_content, APP, BulkExpungeContentsIn(ids=[made.id]))
    return made


def attempts(endpoint, message):
    attempt = svix.message_attempt
    options = MessageAttemptListByMsgOptions(endpoint_id=endpoint.id, with_content=True)
    found = until("attempt", lambda: attempt.list_by_msg(APP, message.id, options).data)[0]
    reply = (found.status, found.response_status_code, found.response)
    assert reply == (MessageStatus.SUCCESS, 200, "recorded"), found
    assert (found.endpoint_id, found.url) == (endpoint.id, endpoint.url), found
    assert attempt.get(APP, message.id, found.id).id == found.id
    options = MessageAttemptListByEndpointOptions(
        limit=1,
        status=MessageStatus.SUCCESS,
        status_code_class=StatusCodeClass.CODE2XX,
        with_msg=True,
    )
    by_endpoint = everything(
        options, lambda options: attempt.list_by_endpoint(APP, endpoint.id, options)
    )
    [same] = [one for one in by_endpoint if one.id == found.id]
    assert same.msg.event_type == "user.created", same
    options = MessageAttemptListAttemptedMessagesOptions(limit=1, status=MessageStatus.SUCCESS)
    attempted = everything(
        options, lambda options: attempt.list_attempted_messages(APP, endpoint.id, options)
    )
    assert len([one for one in attempted if one.id == message.id]) == 1, attempted
    destinations = attempt.list_attempted_destinations(APP, message.id).data
    [destination] = [one for one in destinations if one.id == endpoint.id]
    assert destination.status == MessageStatus.SUCCESS, destination
    attempt.resend(APP, message.id, endpoint.id)
    deliveries("main", message.id, 2)


def rotation(endpoint):
    before = svix.endpoint.get_secret(APP, endpoint.id).key
    key = random_secret()
    svix.endpoint.rotate_secret(APP, endpoint.id, EndpointSecretRotateIn(key=key))
    assert svix.endpoint.get_secret(APP, endpoint.id).key == key
    rotated = svix.endpoint.rotate_secret(APP, endpoint.id, EndpointSecretRotateIn()).key
    assert svix.endpoint.get_secret(APP, endpoint.id).key == rotated
    assert rotated not in (before, key)
    payload = {"type": "user.created", "data": {}}

    def ask():
        made = svix.message.create(APP, MessageIn(event_type="user.created", payload=payload))
        delivered = deliveries("main", made.id, 1)[0]
        return delivered if is_signed_with(rotated, delivered) else None

    signed = until("delivery with the new secret", ask)
    assert verify(key, signed) == payload
    assert not is_signed_with(random_secret(), signed)


def replays(endpoint, message):
    options = EndpointGetStatsOptions(since=STARTED)
    stats = svix.endpoint.get_stats(APP, endpoint.id, options)
    assert stats.success >= 2 and stats.fail == 0, stats
    options = EndpointGetAttemptStatsOptions(since=STARTED)
    assert svix.endpoint.get_attempt_stats(APP, endpoint.id, options).success >= 2
    example = EventExampleIn(event_type="session.created")
    sample = svix.endpoint.send_example(APP, endpoint.id, example)
    assert deliveries("main", sample.id, 1)[0]["headers"]["x-tenant"] == "b"

    url = f"{RECEIVER_URL}/hooks/{name('late')}"
    late = svix.endpoint.create(APP, EndpointIn(url=url, uid=name("late"))).id
    begun = svix.endpoint.replay_missing(APP, late, ReplayIn(since=STARTED))
    finished(begun, "endpoint.replay")
    deliveries("late", message.id, 1)
    begun = svix.endpoint.bulk_replay(APP, late, BulkReplayIn(since=STARTED))
    finished(begun, "endpoint.bulk-replay")
    deliveries("late", message.id, 2)
    svix.endpoint.delete(APP, late)


def recovery():
    """What failed permanently is sent once the receiver takes it."""
    attempt = svix.message_attempt
    answer_with(DECLARED, 500)
    payload = {"type": "organization.created", "data": {}}
    message = svix.message.create(
        APP, MessageIn(event_type="organization.created", payload=payload)
    )

    def has_failed():
        options = MessageAttemptListAttemptedMessagesOptions(status=MessageStatus.FAIL)
        failed = everything(
            options, lambda options: attempt.list_attempted_messages(APP, DECLARED, options)
        )
        return message.id in [one.id for one in failed]

    def is_delivered():
        found = attempt.list_attempted_destinations(APP, message.id).data
        return (DECLARED, MessageStatus.SUCCESS) in [(one.id, one.status) for one in found]

    until("message that failed", has_failed)
    answer_with(DECLARED, 200)
    begun = svix.endpoint.recover(APP, DECLARED, RecoverIn(since=STARTED))
    finished(begun, "endpoint.recover")
    until("message that was recovered", is_delivered)


def finished(begun, task):
    assert begun.task == task, begun
    until(
        f"end of {begun.id}", lambda: svix.background_task.get(begun.id).status == "finished"
    )


def errors():
    endpoint = svix.endpoint
    patch = EndpointPatch(description="x")
    assert refused(403, endpoint.patch, APP, DECLARED, patch).code == "read_only"
    unsupported = EndpointIn(url=f"{RECEIVER_URL}/hooks/none", channels=["a"])
    error = refused(422, endpoint.create, APP, unsupported, error=HTTPValidationError)
    assert error.detail[0].loc == ["body", "channels"], error
    options = EndpointListOptions(iterator="nonsense")
    refused(422, endpoint.list, APP, options, error=HTTPValidationError)
    assert refused(404, endpoint.list, "none").code == "not_found"
    refused(401, client("dbt_wrong").application.list)
    not_implemented(svix.integration.list, APP)
    not_implemented(svix.authentication.app_portal_access, APP, AppPortalAccessIn())


def main():
    applications_and_event_types()
    endpoint = endpoints()
    message = messages(endpoint)
    rotation(endpoint)
    replays(endpoint, message)
    recovery()
    errors()
    svix.endpoint.delete(APP, endpoint.id)
    assert refused(404, svix.endpoint.get, APP, endpoint.id).code == "not_found"


main()
