"""Many members at once, with asyncio: LICENSING_KAFKA=... python -m ops.examples.asynchronous PREFIX."""

import asyncio
import os
import sys
from collections import Counter
from uuid import uuid4

from commands.client import AsyncClient
from schemas.commands import AcquireLicense, SetPlan


async def evening(client: AsyncClient, account_id: str) -> str:
    """A member subscribes and downloads to two devices, of which the plan allows one."""
    await client.send(SetPlan(str(uuid4()), account_id, None, "basic"))
    devices = ("tablet", "phone")
    replies = await asyncio.gather(
        *(client.send(AcquireLicense(str(uuid4()), account_id, None, device, "parasite-2019")) for device in devices)
    )
    for reply in replies:
        await client.wait_until_seen("licenses", reply)  # a refusal is nothing to wait for
    return ", ".join(sorted(reply.reason or reply.outcome for reply in replies))


async def main(prefix: str) -> int:
    """A hundred members."""
    kafka, redis = os.environ["LICENSING_KAFKA"], os.environ["LICENSING_REDIS"]
    namespace = os.environ.get("LICENSING_NAMESPACE", "licensing")
    registry = os.environ.get("SCHEMA_REGISTRY_URL")  # None: there is none
    async with AsyncClient(kafka, redis=redis, namespace=namespace, registry=registry) as client:
        evenings = await asyncio.gather(*(evening(client, f"{prefix}-{number}") for number in range(100)))
    for outcome, members in Counter(evenings).items():
        print(f"{members} members: {outcome}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ann")))
