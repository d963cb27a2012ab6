"""One evening of a member, with the client that blocks: LICENSING_KAFKA=... python -m ops.examples.blocking ACCOUNT."""

import os
import sys
from uuid import uuid4

from commands.client import Client, ClientError
from schemas.commands import AcquireLicense, SetPlan


def main(account_id: str) -> int:
    """Subscribe, download, and see the download in a view."""
    kafka, redis = os.environ["LICENSING_KAFKA"], os.environ["LICENSING_REDIS"]
    namespace = os.environ.get("LICENSING_NAMESPACE", "licensing")
    registry = os.environ.get("SCHEMA_REGISTRY_URL")  # None: there is none
    with Client(kafka, redis=redis, namespace=namespace, registry=registry) as client:
        subscribed = client.send(SetPlan(str(uuid4()), account_id, None, "basic"))
        acquire = AcquireLicense(str(uuid4()), account_id, "evening-1", "tablet", "spirited-away-2001")
        acquired = client.send(acquire)  # sent at once; both are under way now, and handled in this order
        try:
            print("subscribed:", subscribed.result().outcome)
            reply = acquired.result()
        except ClientError as error:  # no outcome is known
            print(error, "- trying again is safe: the command id says that it is the same")
            reply = client.send(acquire).result()
        print("acquired:", reply.outcome, reply.reason or f"version {reply.first_version}")
        client.wait_until_seen("licenses", reply)
        print("the view `licenses` has it")
        again = client.send(acquire).result()  # such as after a crash of this service
        print("again:", again.outcome, f"version {again.first_version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "ann"))
